package pool

import (
	"context"
	"slices"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// mapRunner is a piece of a map that a worker, or a waiting task, or the caller
// of Map in the place of a worker, runs.
type mapRunner[T, R any] struct {
	task actors.Task
	job  *mapJob[T, R]
	at   int // the item of the chunk that it is at; touched only by its goroutine
	// Guarded by job.mu.
	own      int  // its only chunk, if the map is pinned
	counted  bool // by job.started
	onTheWay bool // counted by job.onTheWay
	busy     bool // has a chunk
	had      bool // has had one
}

// chunk is what a runner works on: copies, so that the end of the map may let
// go of the originals.
type chunk[T, R any] struct {
	number int
	fn     func(context.Context, T) (R, error)
	items  []T
	out    []R
}

// take gives the runner a chunk; none when all have been taken. If some are left
// and no other runner is on its way to them, it queues one: the next comes when
// that one has taken a chunk.
func (j *mapJob[T, R]) take(m *mapRunner[T, R]) (c chunk[T, R], ok bool) {
	j.mu.Lock()
	c, ok = j.takeLocked(m)
	another := ok && j.wantsRunner()
	j.mu.Unlock()
	if another {
		j.enqueue()
	}
	return c, ok
}

func (j *mapJob[T, R]) takeLocked(m *mapRunner[T, R]) (c chunk[T, R], ok bool) {
	if m.onTheWay {
		m.onTheWay = false
		j.onTheWay--
	}
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

// wantsRunner counts one more runner if it is needed. Called with mu held; the
// caller then enqueues it.
func (j *mapJob[T, R]) wantsRunner() bool {
	if j.over || j.mode.pinned || j.onTheWay > 0 || j.started == j.task.Router().Workers() || j.next == j.chunks {
		return false
	}
	j.started++
	j.onTheWay++
	return true
}

// enqueue queues a runner, which is counted already.
func (j *mapJob[T, R]) enqueue() {
	m := &mapRunner[T, R]{counted: true, onTheWay: true}
	j.add(m, 0, false)
	j.task.Router().SubmitPiece(&m.task, &j.task)
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
	returned := false
	defer func() {
		if returned {
			return
		}
		failure := actors.NewFailure(recover())
		m.task.Vacate()
		j.lost(m)
		j.ended(c.number, m.at, &ItemError{c.number*j.size + m.at, failure.Err})
		j.replace(m)
		if failure.Kind != actors.TaskExited {
			panic(failure)
		}
	}()
	completed, failed := m.call(ctx, c)
	returned = true
	return j.endedAndTake(m, c.number, completed, failed)
}

// call calls the function for the items up to the first error, or the end of the
// map. It is a loop of its own because of what it costs an item that a variable
// is shared with a deferred function: a third, for squares.
func (m *mapRunner[T, R]) call(ctx context.Context, c chunk[T, R]) (completed int, failed error) {
	fn, items, out, root := c.fn, c.items, c.out[:len(c.items)], &m.job.task
	for i, item := range items {
		if root.Decided() {
			return i, nil
		}
		m.at = i
		value, err := fn(ctx, item)
		if err != nil {
			return i, &ItemError{c.number*m.job.size + i, err}
		}
		out[i] = value
	}
	return len(items), nil
}

// endedAndTake reports a chunk and takes the next one, under one lock unless
// there is none.
func (j *mapJob[T, R]) endedAndTake(m *mapRunner[T, R], number, completed int, err error) (next chunk[T, R], ok bool) {
	j.mu.Lock()
	if next, ok = j.takeLocked(m); !ok {
		j.mu.Unlock()
		m.task.Vacate()
		j.ended(number, completed, err)
		return next, false
	}
	another := j.wantsRunner()
	last := j.endedLocked(number, completed, err)
	j.mu.Unlock()
	if another {
		j.enqueue()
	}
	j.reported(last, err)
	return next, true
}

// lost takes a runner that fails off the books.
func (j *mapJob[T, R]) lost(m *mapRunner[T, R]) {
	j.mu.Lock()
	defer j.mu.Unlock()
	m.busy = false
	j.runners = slices.DeleteFunc(j.runners, func(other *mapRunner[T, R]) bool { return other == m })
}

// replace queues a runner for one that was lost.
func (j *mapJob[T, R]) replace(lost *mapRunner[T, R]) {
	j.mu.Lock()
	if lost.counted {
		j.started--
	}
	another := j.wantsRunner()
	j.mu.Unlock()
	if another {
		j.enqueue()
	}
}

// Abandon of a runner that never ran ends the map in the same way: it was
// dropped, or the pool has ended. One that did run has accounted for its chunk.
func (m *mapRunner[T, R]) Abandon(outcome messages.Outcome, err error, started bool) error {
	if !started {
		m.job.task.Settle(outcome, err)
	}
	return err
}
