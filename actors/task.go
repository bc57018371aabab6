package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/messages"
)

// The states of a task. Each line lists the legal successors.
//
//	created    → queued, running (roots of maps and streams), ready (refused)
//	queued     → running, deciding
//	running    → deciding
//	deciding   → decided, ready
//	decided    → ready
//	ready      final
//
// queued → running is the claim: whoever wins it, and nobody else, runs the
// function. → deciding is the decision: whoever wins it writes the outcome; all
// later outcomes are dropped. A task that is decided while it runs (cancelled,
// terminated) has its outcome before its function returns. Only a task that has
// somebody to tell before its outcome can be read (see more) stands in decided.
//
// Beside the state stand facts:
//
//	returned     the function has returned: nothing new can run in its place
//	stays        it has returned, but something still runs in its place
//	parentEnded  the parent context had ended when the task did
//	parked       it is queued, but somebody holds it back: see parked.go
//
// All of it is one word. The outcome is written before the word says ready, and
// read by those who have seen that; so the word publishes it.
const (
	stateCreated uint32 = iota
	stateQueued
	stateRunning
	stateDeciding
	stateDecided
	stateReady

	states      uint32 = 1<<8 - 1
	returned    uint32 = 1 << 8
	stays       uint32 = 1 << 9
	parentEnded uint32 = 1 << 10
	parked      uint32 = 1 << 11
)

// Body is what a task does.
type Body interface {
	// Run calls the user's function and decides the task (Returned, Decide,
	// Announce).
	// It may panic or call runtime.Goexit; then the task is decided for it.
	// It is called at most once.
	Run(ctx context.Context)
	// Abandon is called at most once, by whoever decided the task in place of
	// a returning Run, before the outcome is announced. If started, Run was
	// called and may still be running. It returns the error to announce.
	Abandon(outcome messages.Outcome, err error, started bool) error
}

// A Body may have these too.
type (
	// accepter can take its value from a message: publish writes it. It refuses
	// values of another type.
	accepter interface {
		Accept(value any) (publish func(), err error)
	}
	// readier is told when the outcome can be read, on the deciding goroutine.
	readier interface{ Ready() }
	// closer is told when the pool is closed. Must not block.
	closer interface{ Closing() }
	// grower is told when the pool has got more workers. Must not block.
	grower interface{ Grown() }
	// finisher is a task of one piece at a time, which is finished though the pool has
	// broken.
	finisher interface{ AtWork() bool }
	// starter is a map or stream: it starts piece by piece.
	starter interface {
		// Started reports whether work on any piece has begun.
		Started() bool
		// CancelUnstarted cuts off what has not begun and reports whether there
		// was anything. What has begun is finished, and then the task ends with
		// ErrCancelled.
		CancelUnstarted() bool
	}
	// assistant names pieces of itself that a waiting task can run in place.
	assistant interface {
		// Assist claims a piece for a waiter on the given worker (0: none). If
		// there is none now but may be later, it arranges for a send on nudge.
		Assist(worker int, nudge *Nudge) *Task
		// Blockers are the pieces on which the end depends.
		Blockers() Blockers
	}
)

// Task is one unit of work and its result, in one allocation: Body embeds it.
// The zero Task must be given to Init. What only some tasks need is in more.
type Task struct {
	// Set by Init, not changed after.
	body   Body
	router *Router
	parent context.Context

	// Written in deciding, with the error in more, and read from decided on.
	outcome messages.Outcome

	// Set by Init or when the task is accepted, not changed after.
	internal bool
	exempt   bool
	entered  bool // counted by the router until ready

	unwatch bool // nobody has to watch parent, or somebody does; touched only by the submitter
	vacated bool // touched only by the goroutine that runs the function
	mayPark bool // its body is a parker
	outside bool // runs in the place of another task or of its submitter; written by who claims it, under router.mu

	// place is the worker that the task occupies, from 1; 0: none. Written by who
	// claims the task, before the function starts; if outside, under router.mu.
	place int32
	state atomic.Uint32
	more  atomic.Pointer[more]
}

// more is what a task needs only if it was given options, if somebody waits for
// it, or if its function uses its context. It is made when first needed; who
// makes it must look at the state of the task again before relying on it, for
// the task may have ended without having seen it.
type more struct {
	spec    *spec // what it was told by its options; nil: nothing. Set by Init
	err     error // why the task did not succeed; written and read with outcome
	links   atomic.Pointer[links]
	frame   atomic.Pointer[frame]
	ctx     atomic.Pointer[standard]
	overrun atomic.Pointer[time.Timer] // runs while the function does and the task has ended; nil: it has not
	overran bool                       // it has run out while the function was at work. Guarded by router.mu

	mu        sync.Mutex
	callback  func()             // cleared in deciding
	release   context.CancelFunc // cleared in deciding
	done      chan struct{}      // made when first asked for
	whenReady wakeup             // of one waiter
	whenEnded wakeup             // of a wait of the task itself, to be given when its context ends
	watchers  []*watcher         // told once, when ready
	callbacks []func()           // done-callbacks, in the order they were added
	unhook    func() bool        // detaches from the parent context
	requestID uint32             // slot at the reply desk; 0: no address yet
	fetching  fetching

	family
}

// spec is not changed after Init, but for worker, under router.mu, and resumes.
type spec struct {
	name, key string
	root      *Task
	worker    int           // the only one that may run it, from 1; 0: any
	priority  int           // higher ones first
	limit     time.Duration // for its function, from its start; 0: none
	routed    bool          // though it is internal
	resumes   *Task         // the attempt in whose place in the order it comes, until it has; nil: none. Guarded by router.mu
}

var noSpec spec

// extra returns the rest of the task, which it makes if there is none.
func (t *Task) extra() *more { return madeOnce(&t.more) }

// frame returns what the task needs of a place, which it makes if there is none.
func (t *Task) frame() *frame { return madeOnce(&t.extra().frame) }

// linked returns the place of the task in a list, which it makes if there is none.
func (t *Task) linked() *links { return madeOnce(&t.extra().links) }

// framed is frame, or nil if it was not made.
func (t *Task) framed() *frame {
	if m := t.more.Load(); m != nil {
		return m.frame.Load()
	}
	return nil
}

// hasLinks is linked, or nil if it was not made.
func (t *Task) hasLinks() *links {
	if m := t.more.Load(); m != nil {
		return m.links.Load()
	}
	return nil
}

func (t *Task) spec() *spec {
	if m := t.more.Load(); m != nil && m.spec != nil {
		return m.spec
	}
	return &noSpec
}

func madeOnce[T any](p *atomic.Pointer[T]) *T {
	if made := p.Load(); made != nil {
		return made
	}
	p.CompareAndSwap(nil, new(T))
	return p.Load()
}

// TaskOptions are what a task can be given besides its function.
type TaskOptions struct {
	Name string
	Key  string
	// Worker, from 1, is the only worker that may run the task. 0: any.
	Worker int
	// Priority has the task overtake those with a lower one. From -MaxPriority to
	// MaxPriority.
	Priority int
	// Internal marks a piece of a map or stream: it is neither counted in the
	// statistics nor held back when the pool is closed.
	Internal bool
	// Root is the map whose first piece this is. The map is accepted and begins
	// to run in the moment in which the piece is accepted.
	Root *Task
	// Limit is how long the function may run before the task ends with ErrTimeout. 0:
	// for ever.
	Limit time.Duration
	// Routed has the pool's strategy say where it goes, though it is internal.
	Routed bool
	// Resumes is an attempt at the same that has failed: this one takes its place in the
	// order, and its key if it has kept that.
	Resumes *Task
	// Exempt lets the task into a full queue.
	Exempt bool
	// WaiterCancels promises that the submitter itself waits and cancels the
	// task when ctx ends, which saves watching ctx.
	WaiterCancels bool
	// Callback runs on the callback lane after the outcome is decided and
	// before it can be seen. Nil: none.
	Callback func()
	// Release is called when the task is decided. Nil: nothing.
	Release context.CancelFunc
}

// Init prepares a task for submission.
func (t *Task) Init(r *Router, body Body, ctx context.Context, o TaskOptions) {
	t.InitPlain(r, body, ctx)
	t.internal, t.exempt, t.unwatch = o.Internal, o.Exempt, o.WaiterCancels
	if o.Name == "" && o.Key == "" && o.Root == nil && o.Worker == 0 && o.Priority == 0 && o.Limit == 0 && !o.Routed && o.Resumes == nil && o.Callback == nil && o.Release == nil {
		return
	}
	m := t.extra()
	m.spec = &spec{o.Name, o.Key, o.Root, o.Worker, o.Priority, o.Limit, o.Routed, o.Resumes}
	m.callback, m.release = o.Callback, o.Release
}

// InitPlain is Init without options.
func (t *Task) InitPlain(r *Router, body Body, ctx context.Context) {
	t.router, t.body, t.parent = r, body, ctx
}

// WaiterCancels promises, before submission, what TaskOptions.WaiterCancels does.
func (t *Task) WaiterCancels() { t.unwatch = true }

// MayPark says, before submission, that the body is a parker, and is to be told of
// what happens to it.
func (t *Task) MayPark() { t.mayPark = true }

func (t *Task) key() string { return t.spec().key }
func (t *Task) root() *Task { return t.spec().root }

// fixed is the only worker that may run the task, from 1; 0: any.
func (t *Task) fixed() int { return t.spec().worker }

// reassign has another worker be the only one that may run the task. Called with the
// router's lock held, under which that is read.
func (t *Task) reassign(worker int) {
	t.linked().assigned = worker
	if s := t.spec(); s.worker > 0 {
		s.worker = worker
	}
}

func (t *Task) priority() int { return t.spec().priority }

// phase is the state without the facts beside it.
func (t *Task) phase() uint32 { return t.state.Load() & states }

// Refuse makes a task that was never accepted ready with err.
func (t *Task) Refuse(err error) {
	t.outcome = messages.Failed
	m := t.extra()
	m.err = err
	if m.release != nil {
		m.release()
	}
	m.callback, m.release = nil, nil
	t.state.Store(stateReady)
}

// Start makes a task that is not queued, a piece of a map or stream, run in the
// place of a task that waits for it, on a worker (0: none). The caller hands it over to
// be run.
func (t *Task) Start(worker int) {
	t.state.Store(stateRunning)
	r := t.router
	r.mu.Lock()
	r.besides(t, worker)
	r.mu.Unlock()
}
