package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/messages"
)

// The states of a task. Each line lists the legal successors.
//
//	created    → queued, running (roots of maps and streams), ready (refused)
//	queued     → running, deciding
//	running    → deciding
//	deciding   → decided
//	decided    → ready
//	ready      final
//
// queued → running is the claim: whoever wins it, and nobody else, runs the
// function. → deciding is the decision: whoever wins it writes the outcome; all
// later outcomes are dropped. A task that is decided while it runs (cancelled,
// terminated) has its outcome before its function returns.
const (
	stateCreated uint32 = iota
	stateQueued
	stateRunning
	stateDeciding
	stateDecided
	stateReady
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
	// spreader is a map; Spread queues its other pieces once the first has been
	// accepted.
	spreader interface{ Spread() }
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
// The zero Task must be given to Init.
type Task struct {
	// Set by Init or before submission, not changed after; callback and release
	// are cleared in deciding.
	body     Body
	router   *Router
	parent   context.Context
	name     string
	key      string
	worker   int // the only worker that may run it, from 1; 0: any
	internal bool
	exempt   bool
	unwatch  bool // nobody has to watch parent, or somebody does; touched only by the submitter
	root     *Task
	callback func()
	release  context.CancelFunc

	state atomic.Uint32
	// outcome and err are written in deciding and read from decided on.
	outcome messages.Outcome
	err     error

	ctx   taskContext
	frame frame
	links // guarded by router.mu

	mu        sync.Mutex
	done      chan struct{} // made when first asked for
	watchers  []*watcher    // told once, when ready
	callbacks []func()      // done-callbacks, in the order they were added
	unhook    func() bool   // detaches from the parent context
	requestID uint32        // slot at the reply desk; 0: no address yet
	entered   bool          // counted by the router until ready
}

// TaskOptions are what a task can be given besides its function.
type TaskOptions struct {
	Name string
	Key  string
	// Worker, from 1, is the only worker that may run the task. 0: any.
	Worker int
	// Internal marks a piece of a map or stream: it is neither counted in the
	// statistics nor held back when the pool is closed.
	Internal bool
	// Root is the map whose first piece this is. The map is accepted and begins
	// to run in the moment in which the piece is accepted.
	Root *Task
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
	t.router, t.body, t.parent = r, body, ctx
	t.name, t.key, t.worker = o.Name, o.Key, o.Worker
	t.internal, t.exempt, t.unwatch, t.root = o.Internal, o.Exempt, o.WaiterCancels, o.Root
	t.callback, t.release = o.Callback, o.Release
	t.ctx.task = t
	t.frame.task = t
}

// Refuse makes a task that was never accepted ready with err.
func (t *Task) Refuse(err error) {
	t.outcome, t.err = messages.Failed, err
	if t.release != nil {
		t.release()
	}
	t.callback, t.release = nil, nil
	t.state.Store(stateReady)
}

// Start makes a task that is not queued, a piece of a map or stream, run in the
// place of a task that waits for it. The caller hands it over to be run.
func (t *Task) Start() { t.state.Store(stateRunning) }

// claim moves a queued task to running. The winner must run it.
func (t *Task) claim() bool { return t.state.CompareAndSwap(stateQueued, stateRunning) }

// Decide moves the task to deciding. The winner must write what belongs to the
// outcome and then call Announce. Losers must drop what they have.
func (t *Task) Decide() bool {
	_, ok := t.decide()
	return ok
}

func (t *Task) decide() (from uint32, ok bool) {
	for {
		from = t.state.Load()
		if from != stateQueued && from != stateRunning {
			return from, false
		}
		if t.state.CompareAndSwap(from, stateDeciding) {
			return from, true
		}
	}
}

// DecideLate is Decide for an outcome that counts as late if it lost.
func (t *Task) DecideLate() bool {
	if t.Decide() {
		return true
	}
	if !t.internal {
		t.router.late.Add(1)
	}
	return false
}

// Settle decides the task in place of its function: cancelled, terminated, and
// so on. It reports whether this call decided.
func (t *Task) Settle(outcome messages.Outcome, err error) bool {
	from, ok := t.decide()
	if !ok {
		return false
	}
	t.settled(from, outcome, err)
	return true
}

// settled follows on a decision that was made in place of the function.
func (t *Task) settled(from uint32, outcome messages.Outcome, err error) {
	if from == stateQueued {
		t.router.remove(t)
	}
	t.Announce(outcome, t.body.Abandon(outcome, err, from == stateRunning))
}

// cancelUnstarted is Cancel for a task that nobody has claimed.
func (t *Task) cancelUnstarted() bool {
	if !t.state.CompareAndSwap(stateQueued, stateDeciding) {
		return false
	}
	t.settled(stateQueued, messages.Cancelled, messages.ErrCancelled)
	return true
}

// Announce publishes the outcome that Decide's winner prepared.
func (t *Task) Announce(outcome messages.Outcome, err error) {
	t.outcome, t.err = outcome, err
	t.state.Store(stateDecided)
	t.ctx.end(err)
	if t.release != nil {
		t.release()
	}
	callback := t.callback
	t.callback, t.release = nil, nil // what they refer to can be collected
	if callback != nil {
		t.router.lane.post(laneJob{run: callback, task: t})
		return
	}
	t.makeReady()
}

// EndedWith ends the task if err says that the context it was submitted with has
// ended, and reports whether it does.
func (t *Task) EndedWith(err error) bool {
	if !t.gaveUp(err) {
		return false
	}
	t.parentEnded()
	return true
}

// gaveUp reports whether err says that the parent context has ended. err is
// foreign code: a typed nil, say, may panic when it is asked.
func (t *Task) gaveUp(err error) (yes bool) {
	ended := t.parent.Err()
	if err == nil || ended == nil {
		return false
	}
	defer func() { _ = recover() }()
	return errors.Is(err, ended)
}

// Returned says how the task ends whose function returned err; it is to be
// announced by whoever then wins the decision. A function that gives up because
// its context has ended returns at the same moment in which the end of that
// context ends the task; whichever comes first, the outcome is the same.
func (t *Task) Returned(err error) (messages.Outcome, error) {
	switch {
	case err == nil:
		return messages.Succeeded, nil
	case !t.gaveUp(err):
		return messages.Failed, err
	}
	outcome, end := ContextOutcome(t.parent)
	if isOneOf(err, t.parent.Err(), context.Cause(t.parent)) {
		return outcome, end
	}
	return outcome, fmt.Errorf("%w: %w", end, err)
}

// isOneOf compares errors, some of which may not be comparable.
func isOneOf(err error, others ...error) (yes bool) {
	defer func() { _ = recover() }()
	return slices.Contains(others, err)
}

// makeReady lets everybody see the outcome. Only the first call has an effect:
// with a callback, the lane and Terminate may both call it.
func (t *Task) makeReady() {
	t.mu.Lock()
	if t.state.Load() == stateReady {
		t.mu.Unlock()
		return
	}
	if t.entered {
		t.router.outcomes[t.outcome].Add(1)
	}
	t.state.Store(stateReady)
	done, watchers, callbacks, unhook := t.done, t.watchers, t.callbacks, t.unhook
	t.watchers, t.callbacks, t.unhook = nil, nil, nil
	id, entered := t.requestID, t.entered
	t.mu.Unlock()

	if entered {
		defer t.router.leave(t)
	}
	if unhook != nil {
		unhook()
	}
	if id != 0 {
		t.router.desk.forget(id)
	}
	if done != nil {
		close(done)
	}
	for _, w := range watchers {
		w.ready()
	}
	for _, f := range callbacks {
		t.router.lane.post(laneJob{run: f})
	}
	if body, ok := t.body.(readier); ok {
		body.Ready()
	}
}

// WatchParent makes the end of the parent context the end of the task. Called
// after the task was accepted.
func (t *Task) WatchParent() {
	if t.unwatch || t.parent.Done() == nil {
		return
	}
	t.unwatch = true
	unhook := context.AfterFunc(t.parent, t.parentEnded)
	t.mu.Lock()
	if t.state.Load() != stateReady {
		t.unhook = unhook
		unhook = nil
	}
	t.mu.Unlock()
	if unhook != nil {
		unhook()
	}
}

func (t *Task) parentEnded() { t.Settle(ContextOutcome(t.parent)) }

// perform runs the function of a claimed task on the calling goroutine and
// gives the task its end whatever the function does. As the last thing it calls
// ended, with the first failure of the task or of those run in place in it, or
// nil. If exiting, the goroutine is ending by Goexit; a panic was recovered.
func (t *Task) perform(ended func(failure *Failure, exiting bool)) {
	returned := false
	defer func() {
		var failure *Failure
		if !returned {
			failure = NewFailure(recover())
			t.Vacate()
			if t.DecideLate() {
				outcome := failure.outcome()
				t.Announce(outcome, t.body.Abandon(outcome, failure.Err, true))
			}
		}
		if !t.frame.vacated {
			t.frame.finish()
			t.router.finished(t)
		}
		if failure == nil {
			failure = t.frame.failureBelow()
		}
		ended(failure, !returned && failure.Kind == TaskExited)
	}()
	t.body.Run(&t.ctx)
	returned = true
}

// Vacate gives the place of a running task back before its outcome can be seen,
// so that whoever has seen it finds the worker free. To be called by the task's
// own goroutine, when no user code will run on it any more. It has no effect
// while a task is left that runs in place; then the place is given back after
// that one, but the next task with the same key need not wait for it.
func (t *Task) Vacate() {
	if t.frame.vacated {
		return
	}
	if t.frame.vacated = t.frame.tryFinish(); t.frame.vacated {
		t.router.finished(t)
	} else if t.key != "" {
		t.router.releaseKey(t)
	}
}
