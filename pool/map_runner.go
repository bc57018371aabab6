package pool

import (
	"context"
	"slices"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// mapRunner is a piece of a map that a worker, or a waiting task, runs.
type mapRunner[T, R any] struct {
	task actors.Task
	job  *mapJob[T, R]
	// Guarded by job.mu.
	own  int  // its only chunk, if the map is pinned
	busy bool // has a chunk
	had  bool // has had one
}

// chunk is what a runner works on: copies, so that the end of the map may let
// go of the originals.
type chunk[T, R any] struct {
	number int
	fn     func(context.Context, T) (R, error)
	items  []T
	out    []R
}

// take gives the runner a chunk; none when all have been taken.
func (j *mapJob[T, R]) take(m *mapRunner[T, R]) (c chunk[T, R], ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	m.busy = false
	number := j.next
	if j.mode.pinned {
		number = m.own
	}
	if j.over || number >= j.chunks || j.mode.pinned && m.had {
		return c, false
	}
	if !j.mode.pinned {
		j.next++
	}
	m.busy, m.had = true, true
	low, high := number*j.size, min((number+1)*j.size, j.length)
	return chunk[T, R]{number, j.fn, j.items[low:high], j.out[low:high]}, true
}

// Run works until there is nothing left to take.
func (m *mapRunner[T, R]) Run(ctx context.Context) {
	c, ok := m.job.take(m)
	for ok {
		c, ok = m.work(ctx, c)
	}
	if m.task.DecideReturned() {
		m.task.Conclude(messages.Succeeded, nil)
	}
}

// work calls the function for the items of a chunk up to the first error, and
// takes the next chunk before it reports this one: when the map is ready, no
// runner occupies a worker any more. A panic or Goexit is an error, too, and
// then ends the runner; another one is queued for the chunks that are left.
func (m *mapRunner[T, R]) work(ctx context.Context, c chunk[T, R]) (next chunk[T, R], ok bool) {
	j := m.job
	i := 0
	returned := false
	defer func() {
		if returned {
			return
		}
		failure := actors.NewFailure(recover())
		m.task.Vacate()
		j.lost(m)
		j.ended(c.number, i, &ItemError{c.number*j.size + i, failure.Err})
		j.replace()
		if failure.Kind != actors.TaskExited {
			panic(failure)
		}
	}()
	var failed error
	for ; i < len(c.items) && !j.task.Decided(); i++ {
		value, err := c.fn(ctx, c.items[i])
		if err != nil {
			failed = &ItemError{c.number*j.size + i, err}
			break
		}
		c.out[i] = value
	}
	returned = true
	if next, ok = j.take(m); !ok {
		m.task.Vacate()
	}
	j.ended(c.number, i, failed)
	return next, ok
}

// lost takes a runner that fails off the books.
func (j *mapJob[T, R]) lost(m *mapRunner[T, R]) {
	j.mu.Lock()
	defer j.mu.Unlock()
	m.busy = false
	j.runners = slices.DeleteFunc(j.runners, func(other *mapRunner[T, R]) bool { return other == m })
}

// replace queues a runner for one that was lost.
func (j *mapJob[T, R]) replace() {
	if j.mode.pinned || j.task.Decided() {
		return
	}
	m := new(mapRunner[T, R])
	j.add(m, 0, false)
	j.task.Router().SubmitPiece(&m.task, &j.task)
}

// Abandon of a runner that never ran ends the map in the same way: it was
// dropped, or the pool has ended. One that did run has accounted for its chunk.
func (m *mapRunner[T, R]) Abandon(outcome messages.Outcome, err error, started bool) error {
	if !started {
		m.job.task.Settle(outcome, err)
	}
	return err
}
