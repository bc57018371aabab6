package pool

import (
	"context"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// streamRunner works on items until there are none, one chunk at a time. When
// others wait for a worker, it goes back to the end of the queue after a chunk,
// so that an endless stream leaves room for them.
type streamRunner[T, R any] struct {
	task  actors.Task
	job   *streamJob[T, R]
	chunk []fedItem[T] // being worked on; guarded by mu
	once  bool         // run in place: one chunk only
	busy  bool         // counted in job.busy; guarded by mu
	// onTheWay is how many runners of the stream waited for a worker when this one
	// took its chunk. They want the worker for nothing else than this one does.
	onTheWay int
}

// Run works until there is nothing left.
func (m *streamRunner[T, R]) Run(ctx context.Context) {
	chunk, fn := m.job.next(m)
	for len(chunk) > 0 {
		chunk, fn = m.work(ctx, chunk, fn)
	}
	if m.task.DecideReturned() {
		m.task.Conclude(messages.Succeeded, nil)
	}
}

// handOver lets another runner, at the end of the queue, go on for this one.
func (m *streamRunner[T, R]) handOver() {
	j := m.job
	j.mu.Lock()
	j.gone(m)
	m.rest()
	needed := j.over == nil && !j.complete()
	if m.once && needed {
		j.queued++
	}
	j.mu.Unlock()
	if needed {
		j.enqueue()
	}
}

// work calls the function for each item of a chunk, and returns the next chunk. A
// panic or Goexit ends the runner; another one goes on behind the item.
func (m *streamRunner[T, R]) work(ctx context.Context, chunk []fedItem[T], fn func(context.Context, T) (R, error)) ([]fedItem[T], func(context.Context, T) (R, error)) {
	j := m.job
	i, last := 0, len(chunk)-1
	returned := false
	defer func() {
		if returned {
			return
		}
		failure := actors.NewFailure(recover())
		var zero R
		j.mu.Lock()
		if m.chunk = nil; j.over == nil {
			j.pending.unpop(chunk[i+1:])
		}
		j.mu.Unlock()
		ended := j.deliver(chunk[i].index, zero, failure.Err)
		m.handOver()
		if ended {
			j.announceEnd()
		}
		if failure.Kind != actors.TaskExited {
			panic(failure)
		}
	}()
	for ; i <= last && !j.root.Decided(); i++ {
		value, err := fn(ctx, chunk[i].item)
		if err != nil && j.root.EndedWith(err) {
			break // the stream has timed out or was cancelled, and so has the item
		}
		if i == last {
			returned = true
			return m.deliverLast(chunk[i].index, value, err)
		}
		if j.deliver(chunk[i].index, value, err) {
			j.announceEnd()
		}
	}
	returned = true
	return j.next(m)
}

// deliverLast files the outcome of the last item of a chunk and takes the next
// chunk under the same lock, unless the worker is wanted for something else.
func (m *streamRunner[T, R]) deliverLast(index int, value R, err error) (next []fedItem[T], fn func(context.Context, T) (R, error)) {
	j := m.job
	others := !m.once && m.task.OthersWait(m.onTheWay)
	j.mu.Lock()
	ended := j.deliverLocked(index, value, err)
	switch {
	case m.once:
		j.gone(m)
		j.mu.Unlock()
	case others:
		j.mu.Unlock()
		m.handOver()
	default:
		next, fn = j.nextAndUnlock(m)
	}
	if ended {
		j.announceEnd()
	}
	return next, fn
}

// gone takes a runner off the books. A reader that waits inside of a task looks
// again whether any is left that can go on. Called with mu held.
func (j *streamJob[T, R]) gone(m *streamRunner[T, R]) {
	delete(j.runners, m)
	signal(&j.changed)
}

// Abandon of a runner that never ran ends the stream: the pool has ended. One
// that did run has delivered what it worked on.
func (m *streamRunner[T, R]) Abandon(outcome messages.Outcome, err error, started bool) error {
	if !started {
		m.job.root.Settle(outcome, err)
	}
	return err
}
