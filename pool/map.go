package pool

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// Map calls fn for each item and returns the results in the order of the items:
// MapAsync and Get in one. If ctx ends first, the map is cancelled. If ctx cannot
// be cancelled, the caller works on the map, too, in the place of an idle worker,
// as with [Apply].
func Map[T, R any](ctx context.Context, p *Pool, fn func(context.Context, T) (R, error), items []T, opts ...MapOption) ([]R, error) {
	return mapAsync(ctx, "Map", p, fn, items, opts, mapMode{waits: true}).getOrCancel(ctx)
}

// MapAsync calls fn for each item, on as many workers as there are chunks, and
// returns the result to come: all results in the order of the items. items must
// not be changed before that. No items, and nil items, give an empty result at once,
// without a callback.
//
// An error, a panic or a Goexit abandons the rest of its own chunk; all other
// chunks still run, unless [WithFailFast] is given. The result is ready after
// the last chunk. Its error is then a [*MapError], which wraps the [*ItemError]
// that came first in time, and its slice holds what was computed.
//
// ctx and the refusals are those of ApplyAsync; a map takes one place in the
// queue. A nil fn or p panics.
func MapAsync[T, R any](ctx context.Context, p *Pool, fn func(context.Context, T) (R, error), items []T, opts ...MapOption) *AsyncResult[[]R] {
	return mapAsync(ctx, "MapAsync", p, fn, items, opts, mapMode{})
}

// mapMode is how a map differs from MapAsync.
type mapMode struct {
	waits  bool // the submitter waits, and cancels when ctx ends
	pinned bool // the i-th chunk runs on the i-th worker only
}

// mapJob is a map under way. Its task is the root: it is never queued. Runners
// are; each takes chunk after chunk until there are no more.
type mapJob[T, R any] struct {
	AsyncResult[[]R]
	mode     mapMode
	failFast bool
	size     int // of a chunk
	chunks   int
	length   int

	mu        sync.Mutex
	fn        func(context.Context, T) (R, error) // these three are nil once the map has ended
	items     []T
	out       []R
	completed []int // items with a result, by chunk, once the chunk has ended
	next      int   // the first chunk that nobody has taken
	started   int   // runners that have been queued, those lost excepted
	onTheWay  int   // of those, the ones that have not come to take a chunk
	left      int   // chunks that have not ended
	first     error // the error that came first
	over      bool
	runners   []*mapRunner[T, R]
}

func mapAsync[T, R any](ctx context.Context, name string, p *Pool, fn func(context.Context, T) (R, error),
	items []T, opts []MapOption, mode mapMode,
) *AsyncResult[[]R] {
	mustHave(p != nil, name, "pool")
	mustHave(fn != nil, name, "function")
	if ctx == nil {
		return refused[[]R](p, name, errNilContext(name))
	}
	defer runtime.KeepAlive(p) // while the map waits for room
	config := newMapConfig(opts)
	config.check(config.window == 0, "WithWindow", "it is for streams; a map has its items already")
	if mode.pinned {
		config.check(config.chunk == 0, "WithChunkSize", "a broadcast has one call for each worker")
		config.chunk = 1
	}
	j := &mapJob[T, R]{mode: mode, failFast: config.failFast, fn: fn, items: items, length: len(items)}
	callback, mismatch := callback(&config.taskConfig, &j.AsyncResult)
	if err := errors.Join(config.err(), mismatch); err != nil {
		return refused[[]R](p, name, err)
	}
	if len(items) == 0 {
		callback = nil
	}
	j.plan(config.chunk, p.Workers())
	parent, release := config.parent(ctx)
	options := config.options(callback, release)
	options.WaiterCancels = mode.waits && release == nil
	j.task.Init(p.router, j, parent, options)
	lend := mode.waits && !mode.pinned && parent.Done() == nil && callback == nil && !actors.IsInside(ctx)
	if err := j.submit(parent, p, lend); err != nil {
		j.forget()
		return j.refuse(err)
	}
	j.task.WatchParent()
	return &j.AsyncResult
}

// plan cuts the items into chunks. The default size is CPython's.
func (j *mapJob[T, R]) plan(size, workers int) {
	if size == 0 {
		size = max(1, (j.length+4*workers-1)/(4*workers))
	}
	j.size = min(size, max(1, j.length))
	j.chunks = (j.length + j.size - 1) / j.size
	j.left = j.chunks
	j.out = make([]R, j.length)
	j.completed = make([]int, j.chunks)
}

// submit queues the first runner, or has the caller be it. It stands for the map
// in the queue: it waits for room, may be refused or dropped.
func (j *mapJob[T, R]) submit(ctx context.Context, p *Pool, lend bool) error {
	if j.chunks == 0 {
		if ctx.Err() != nil {
			_, err := actors.ContextOutcome(ctx)
			return err
		}
		if err := p.router.EnterRoot(&j.task); err != nil {
			return err
		}
		j.conclude(j.out, Succeeded, nil)
		j.forget()
		return nil
	}
	if j.mode.pinned {
		return j.submitPinned(ctx, p)
	}
	m := &mapRunner[T, R]{counted: true}
	j.started = 1
	if lend {
		j.add(m, 0, false)
		if p.router.LendPiece(&m.task, &j.task) {
			return nil
		}
		m = &mapRunner[T, R]{counted: true}
		j.runners = nil
	}
	m.onTheWay = true
	j.onTheWay = 1
	j.add(m, 0, true)
	return p.router.Submit(ctx, &m.task)
}

// submitPinned queues a runner for each worker.
func (j *mapJob[T, R]) submitPinned(ctx context.Context, p *Pool) error {
	runners := make([]mapRunner[T, R], j.chunks)
	for i := range runners {
		j.add(&runners[i], i, i == 0)
	}
	if err := p.router.Submit(ctx, &runners[0].task); err != nil {
		return err
	}
	for i := range runners[1:] {
		j.task.Router().SubmitPiece(&runners[i+1].task, &j.task)
	}
	return nil
}

func (j *mapJob[T, R]) add(m *mapRunner[T, R], i int, first bool) {
	m.job, m.own = j, i
	options := actors.TaskOptions{Name: j.Name(), Internal: true, Exempt: !first, WaiterCancels: true}
	if first {
		options.Root = &j.task
	}
	if j.mode.pinned {
		options.Worker = i + 1
	}
	m.task.Init(j.task.Router(), m, j.task.Context(), options)
	j.mu.Lock()
	j.runners = append(j.runners, m)
	j.mu.Unlock()
}

// ended is told that a chunk has ended after so many items.
func (j *mapJob[T, R]) ended(number, completed int, err error) {
	j.mu.Lock()
	last := j.endedLocked(number, completed, err)
	j.mu.Unlock()
	j.reported(last, err)
}

func (j *mapJob[T, R]) endedLocked(number, completed int, err error) (last bool) {
	if j.over {
		return false
	}
	j.completed[number] = completed
	return j.countLocked(1, err)
}

// countLocked counts n chunks that have ended and reports whether they were the
// last ones.
func (j *mapJob[T, R]) countLocked(n int, err error) (last bool) {
	j.left -= n
	if err != nil && j.first == nil {
		j.first = err
	}
	return j.left == 0
}

// reported follows on countLocked, without the lock.
func (j *mapJob[T, R]) reported(last bool, err error) {
	switch {
	case last:
		j.complete()
	case err != nil && err != ErrCancelled && j.failFast:
		j.task.Settle(messages.Failed, err)
	}
}

// complete ends the map after its last chunk.
func (j *mapJob[T, R]) complete() {
	j.mu.Lock()
	out, first := j.out, j.first
	var failed error
	if first != nil && !j.over {
		failed = &MapError{first, j.whichCompleted()}
	}
	j.mu.Unlock()
	outcome := Cancelled
	if first != ErrCancelled {
		outcome, failed = j.task.Returned(failed)
	}
	if !j.conclude(out, outcome, failed) {
		return // whoever ended the map is about to copy from it
	}
	for _, m := range j.forget() {
		m.task.Settle(messages.Succeeded, nil) // out of the queue, if it has not started
	}
}

// Run is never called: the root of a map is not queued.
func (j *mapJob[T, R]) Run(context.Context) {}

// Abandon ends the map early. Results that are being computed are left out, for
// they may be written while the caller reads.
func (j *mapJob[T, R]) Abandon(outcome messages.Outcome, err error, _ bool) error {
	j.mu.Lock()
	if outcome != messages.Succeeded { // else a message brought all results
		j.value = make([]R, j.length)
		for c, n := range j.completed {
			copy(j.value[c*j.size:], j.out[c*j.size:c*j.size+n])
		}
		err = &MapError{err, j.whichCompleted()}
	}
	j.mu.Unlock()
	for _, m := range j.forget() {
		m.task.Settle(outcome, err) // takes it out of the queue, or ends its context
	}
	return err
}

// forget lets go of what the map worked on and returns the runners.
func (j *mapJob[T, R]) forget() []*mapRunner[T, R] {
	j.mu.Lock()
	defer j.mu.Unlock()
	runners := j.runners
	j.over = true
	j.fn, j.items, j.out, j.runners = nil, nil, nil, nil
	return runners
}

// CancelUnstarted takes back the chunks that nobody has taken.
func (j *mapJob[T, R]) CancelUnstarted() bool {
	j.mu.Lock()
	if j.over {
		j.mu.Unlock()
		return false
	}
	var unstarted int
	if j.mode.pinned {
		for _, m := range j.runners {
			if !m.had {
				m.had = true
				unstarted++
			}
		}
	} else {
		unstarted = j.chunks - j.next
		j.next = j.chunks
	}
	last := unstarted > 0 && j.countLocked(unstarted, ErrCancelled)
	j.mu.Unlock()
	j.reported(last, ErrCancelled)
	return unstarted > 0
}

// Started reports whether a chunk was taken.
func (j *mapJob[T, R]) Started() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.next > 0 || slices.ContainsFunc(j.runners, func(m *mapRunner[T, R]) bool { return m.had })
}

func (j *mapJob[T, R]) whichCompleted() []bool {
	which := make([]bool, j.length)
	for c, n := range j.completed {
		for i := range n {
			which[c*j.size+i] = true
		}
	}
	return which
}

// Accept takes all results from a message.
func (j *mapJob[T, R]) Accept(value any) (func(), error) { return j.accept(value) }

// Assist gives a task that waits for the map a runner to run in place: one that
// is queued, or a new one for the chunks that are left.
func (j *mapJob[T, R]) Assist(worker int, nudge *actors.Nudge) *actors.Task {
	j.mu.Lock()
	left := !j.over && (j.mode.pinned || j.next < j.chunks)
	runners := slices.Clone(j.runners)
	j.mu.Unlock()
	if !left {
		return nil
	}
	for _, m := range runners {
		if piece := j.task.Router().ClaimFor(&m.task, worker, nudge); piece != nil {
			return piece
		}
	}
	if j.mode.pinned {
		return nil
	}
	m := new(mapRunner[T, R])
	j.add(m, 0, false)
	m.task.Start()
	return &m.task
}

// Blockers are the runners that have a chunk, and for the chunks that nobody has
// taken any other.
func (j *mapJob[T, R]) Blockers() (b actors.Blockers) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, m := range j.runners {
		switch {
		case m.busy || j.mode.pinned:
			b.All = append(b.All, &m.task)
		case j.next < j.chunks:
			b.Any = append(b.Any, &m.task)
		}
	}
	if len(b.All) > 0 {
		b.Any = nil // those that are busy will take the rest
	}
	return b
}
