package pool

import (
	"context"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// mapRunner is a piece of a map that a worker, or a waiting task, or the caller
// of Map in the place of a worker, runs.
type mapRunner[T, R any] struct {
	task actors.Task

	// Set before it is queued or run, not changed after.
	job     *mapJob[T, R]
	own     int  // its only chunk, from 1, if the map is pinned
	counted bool // by job.started, until it is lost
	lent    bool // the caller of Map runs it, in a worker's place
	beside  bool // was queued when the place was lent

	// Guarded by job.mu, until the map has forgotten its runners.
	next     *mapRunner[T, R] // in the list of the map
	onTheWay bool             // counted by job.onTheWay
	busy     bool             // has a chunk
	had      bool             // has had one

	// Touched only by the goroutine that runs it.
	at    int // the item that it is at, or the end of the chunk that it has ended
	ended int // how many chunks it has ended
}

// untied are the runners of a list, each of which is taken out of it.
func (m *mapRunner[T, R]) untied(yield func(*mapRunner[T, R]) bool) {
	for more := true; more && m != nil; {
		next := m.next
		m.next = nil
		more = yield(m)
		m = next
	}
}

// mapWork is what a map works with. Runners have copies, so that the end of the map
// can let go of it.
type mapWork[T, R any] struct {
	fn    func(context.Context, T) (R, error)
	items []T
	out   []R
}

// Run works until there is nothing left to take.
func (m *mapRunner[T, R]) Run(ctx context.Context) {
	var w mapWork[T, R]
	if chunk, ok := m.job.join(m, &w); ok {
		m.work(ctx, &w, chunk)
	}
	if m.task.DecideReturned() {
		m.task.Conclude(messages.Succeeded, nil)
	}
}

// work works on a chunk and on those that are left after it. When the map is
// ready, no runner occupies a worker any more. A panic or Goexit is the error of
// an item, too, and then ends the runner; another one is queued for what is left.
func (m *mapRunner[T, R]) work(ctx context.Context, w *mapWork[T, R], chunk int) {
	j := m.job
	returned := false
	defer func() {
		if returned {
			return
		}
		failure := actors.NewFailure(recover())
		m.task.Vacate()
		j.lost(m)
		m.ended++
		err := &ItemError{m.at, failure.Err}
		j.endedEarly(m.at, err)
		j.leave(m)
		j.fail(err)
		j.replace(m)
		if failure.Kind != actors.TaskExited {
			panic(failure)
		}
	}()
	heldUp, err := m.chunks(ctx, w, chunk)
	returned = true
	m.task.Vacate()
	if heldUp {
		j.lost(m)
	}
	j.leave(m)
	j.fail(err)
	if heldUp {
		j.replace(m)
	}
}

// chunks calls the function for the items of one chunk after another, of each up
// to the first error, and returns the error of the last. heldUp says that it has left the
// rest for a runner that replaces this one, because of a pause of the pool, say.
func (m *mapRunner[T, R]) chunks(ctx context.Context, w *mapWork[T, R], chunk int) (heldUp bool, _ error) {
	j := m.job
	for {
		low, high := j.bounds(chunk)
		m.at = low
		m.task.Inject()
		err := w.callEach(ctx, low, high, &m.at, &j.over)
		if m.at == high {
			j.claims.end(chunk)
		} else {
			j.endedEarly(m.at, err)
		}
		m.ended++
		if m.task.IsHeldUp() { // asked once: it may be over in a moment
			return true, err
		}
		next, ok := j.claims.begin()
		if !ok {
			return false, err
		}
		j.fail(err)
		chunk = next
	}
}

// callEach calls the function for the items from low to high, up to the first error
// or until over is set. at tells which item it is at, if the function panics, or
// was: high after all of them. It is a loop of its own because of what it costs an
// item that a variable is shared with a deferred function: a third, for squares.
func (w *mapWork[T, R]) callEach(ctx context.Context, low, high int, at *int, over *atomic.Bool) error {
	fn, items, out := w.fn, w.items[:high], w.out[:high]
	for i := low; i < len(items); i++ {
		*at = i
		if over.Load() {
			return nil
		}
		value, err := fn(ctx, items[i])
		if err != nil {
			return &ItemError{i, err}
		}
		out[i] = value
	}
	*at = high
	return nil
}

// bounds are the items of a chunk.
func (j *mapJob[T, R]) bounds(chunk int) (low, high int) {
	low = chunk * j.size
	return low, min(low+j.size, j.length)
}

// Abandon of a runner that never ran ends the map in the same way: it was
// dropped, or the pool has ended. One that did run has accounted for its chunk.
func (m *mapRunner[T, R]) Abandon(outcome messages.Outcome, err error, started bool) error {
	if !started {
		m.job.task.Settle(outcome, err)
	}
	return err
}
