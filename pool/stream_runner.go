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
}

// Run works until there is nothing left.
func (m *streamRunner[T, R]) Run(ctx context.Context) {
	j := m.job
	for chunk, fn := j.next(m); len(chunk) > 0; chunk, fn = j.next(m) {
		m.work(ctx, chunk, fn)
		if m.once {
			j.mu.Lock()
			j.gone(m)
			j.mu.Unlock()
			break
		}
		if m.task.OthersWait() {
			m.handOver()
			break
		}
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

// work calls the function for each item of a chunk. A panic or Goexit ends the
// runner; another one goes on behind the item.
func (m *streamRunner[T, R]) work(ctx context.Context, chunk []fedItem[T], fn func(context.Context, T) (R, error)) {
	j := m.job
	i := 0
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
	for ; i < len(chunk) && !j.root.Decided(); i++ {
		value, err := fn(ctx, chunk[i].item)
		if err != nil && j.root.EndedWith(err) {
			break // the stream has timed out or was cancelled, and so has the item
		}
		if j.deliver(chunk[i].index, value, err) {
			j.announceEnd()
		}
	}
	returned = true
	j.mu.Lock()
	clear(m.chunk)
	m.chunk = m.chunk[:0]
	j.mu.Unlock()
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
