package pool

import (
	"context"
	"errors"
	"runtime"

	"github.com/greenroom-go/greenroom/actors"
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
	waits bool  // the submitter waits, and cancels when ctx ends
	on    []int // the i-th chunk runs only on the worker with the i-th of these numbers; nil: on any
}

func (m mapMode) pinned() bool { return m.on != nil }

func mapAsync[T, R any](ctx context.Context, name string, p *Pool, fn func(context.Context, T) (R, error),
	items []T, opts []MapOption, mode mapMode,
) *AsyncResult[[]R] {
	mustHave(p != nil, name, "pool")
	mustHave(fn != nil, name, "function")
	if ctx == nil {
		return refused[[]R](p, name, errNilContext(name))
	}
	defer runtime.KeepAlive(p) // while the map waits for room
	var config mapConfig
	if len(opts) > 0 {
		config = newMapConfig(opts) // allocates
		config.check(config.window == 0, "WithWindow", "it is for streams; a map has its items already")
		if mode.pinned() {
			config.check(config.chunk == 0, "WithChunkSize", "a broadcast has one call for each worker")
		}
	}
	size := chunkSize(len(items), config.chunk, p.Workers(), mode)
	lend := mode.waits && !mode.pinned() && ctx.Done() == nil && config.timeout == 0 && !config.hasCallback && !actors.IsInside(ctx)
	if lend && size == len(items) && len(config.list) == 0 {
		if r := mapSolo(ctx, p, config.name, fn, items); r != nil {
			return r
		}
	}
	j := &mapJob[T, R]{pinned: mode.pinned(), failFast: config.failFast, size: size, length: len(items)}
	callback, mismatch := callback(&config.taskConfig, &j.AsyncResult)
	if err := errors.Join(config.err(), mismatch); err != nil {
		return refused[[]R](p, name, err)
	}
	if len(items) == 0 {
		callback = nil
	}
	j.plan(fn, items)
	parent, release := config.parent(ctx)
	options := config.options(callback, release)
	options.WaiterCancels = mode.waits && release == nil
	j.task.Init(p.router, j, parent, options)
	if err := j.submit(parent, p, mode, lend); err != nil {
		j.mu.Lock()
		j.forget()
		j.mu.Unlock()
		return j.refuse(err)
	}
	j.task.WatchParent()
	return &j.AsyncResult
}

// chunkSize is how many of n items make a chunk. The default is CPython's.
func chunkSize(n, wanted, workers int, mode mapMode) int {
	switch {
	case mode.pinned():
		wanted = 1
	case wanted == 0:
		wanted = (n + 4*workers - 1) / (4 * workers)
	}
	return max(1, min(wanted, n))
}

// plan gives the map its work, with room for the results.
func (j *mapJob[T, R]) plan(fn func(context.Context, T) (R, error), items []T) {
	j.work = mapWork[T, R]{fn, items, make([]R, j.length)}
	j.claims.init((j.length + j.size - 1) / j.size)
	j.unreported = j.claims.chunks
	if j.pinned {
		j.claims.cut() // each runner has its own
	}
}

// submit queues the first runner, or has the caller be it. It stands for the map
// in the queue: it waits for room, may be refused or dropped.
func (j *mapJob[T, R]) submit(ctx context.Context, p *Pool, mode mapMode, lend bool) error {
	switch {
	case j.claims.chunks == 0:
		return j.submitNothing(ctx, p)
	case j.pinned:
		return j.submitPinned(ctx, p, mode.on)
	case lend && j.lend(p):
		return nil
	}
	m := &j.first
	m.counted, m.onTheWay = true, true
	j.started, j.onTheWay = 1, 1
	j.add(m, true)
	err := p.router.Submit(ctx, &m.task)
	p.router.Yield(submitted)
	return err
}

func (j *mapJob[T, R]) submitNothing(ctx context.Context, p *Pool) error {
	if ctx.Err() != nil {
		_, err := actors.ContextOutcome(ctx)
		return err
	}
	if err := p.router.EnterRoot(&j.task); err != nil {
		return err
	}
	j.mu.Lock()
	j.completeAndUnlock(nil)
	return nil
}

// lend has the caller be the first runner, in the place of an idle worker. If
// there are more chunks than one, the second runner is queued before user code
// runs that may wait for it.
func (j *mapJob[T, R]) lend(p *Pool) bool {
	var second *actors.Task
	j.first.counted, j.first.lent = true, true
	j.add(&j.first, false)
	if j.started = 1; j.claims.chunks > 1 && p.Workers() > 1 {
		m := &mapRunner[T, R]{counted: true, onTheWay: true, beside: true}
		j.started, j.onTheWay = 2, 1
		j.add(m, false)
		second = &m.task
	}
	if p.router.LendMap(&j.task, &j.first.task, second) {
		return true
	}
	j.first.lent = false
	j.runners = nil
	return false
}

// submitPinned queues a runner for each worker.
func (j *mapJob[T, R]) submitPinned(ctx context.Context, p *Pool, on []int) error {
	runners := make([]mapRunner[T, R], j.claims.chunks)
	for i := range runners {
		runners[i].own = i + 1
		j.addOn(on[i], &runners[i], i == 0)
	}
	if err := p.router.Submit(ctx, &runners[0].task); err != nil {
		return err
	}
	for i := range runners[1:] {
		p.router.SubmitPiece(&runners[i+1].task)
	}
	return nil
}
