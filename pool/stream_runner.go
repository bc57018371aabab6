package pool

import (
	"context"
	"runtime"
	"time"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// streamRunner works on items until there are none, one range after another. When
// others wait for a worker, it goes back to the end of the queue after a range, so
// that an endless stream leaves room for them.
//
// At most one runner of a stream is on its way to items at a time: in the queue, or
// looking again because it has found none. What holds whenever mu is free: if there
// are items that nobody has begun, and a worker that has no runner, then a runner is
// on its way.
type streamRunner[T, R any] struct {
	task actors.Task
	job  *streamJob[T, R]
	once bool // run in place: one chunk only

	// Guarded by mu.
	slot    int  // in job.runners
	busy    bool // has items; counted in job.busy unless once
	waiting bool // in the queue; counted in job.coming
	lingers bool // has found nothing and looks again; counted in job.lingers

	// Touched only by the runner.
	span[T]
	outlet outlet[R]
	fn     func(context.Context, T) (R, error)
	at     int           // the item of the range that it is at
	done   int           // items whose function has ended since it said so last
	hot    bool          // has just worked
	looks  int           // since it did
	sawFed int           // how many items had been fed when it looked last
	began  time.Duration // when it had its range, if ranges are timed
}

const (
	// lingerLooks is how often a runner that has found nothing looks again before it
	// leaves. To queue another and have it come takes as long as some of them.
	lingerLooks = 16
	// maxLingerers is how many do so at a time: one that takes up items that come,
	// and one for what that one leaves.
	maxLingerers = 2
)

// Run works until there is nothing left.
func (m *streamRunner[T, R]) Run(ctx context.Context) {
	for m.next() {
		m.work(ctx)
	}
	if m.task.DecideReturned() {
		m.task.Conclude(messages.Succeeded, nil)
	}
}

// next gives the runner its next range. Without one the runner is gone from the
// books, in the same moment: an item fed later starts another.
func (m *streamRunner[T, R]) next() bool {
	j := m.job
	now, took := m.lap()
	othersWait := m.hot && (m.once || m.othersWait())
	j.mu.Lock()
	for m.looks = 0; ; m.looks++ {
		ended := m.report(took)
		m.sawFed = j.input.count()
		found := !othersWait && j.claim(m)
		m.set(&m.busy, &j.busy, found)
		stays := !found && !othersWait && m.mayLinger()
		m.set(&m.lingers, &j.lingers, stays)
		if !found && !stays {
			j.gone(m)
		}
		j.settleAndUnlock()
		if ended {
			j.announceEnd()
		}
		if !stays {
			if m.began = now; !m.hot {
				m.began, _ = m.lap()
			}
			return found
		}
		m.hot = false
		othersWait = m.othersWait()
		m.lookAgain()
	}
}

// lookAgain lets others go first and then locks mu, if there seems to be something
// new and nobody else is at it, and every fourth time in any case.
func (m *streamRunner[T, R]) lookAgain() {
	j := m.job
	for ; ; m.looks++ {
		runtime.Gosched()
		if m.looks%4 == 3 {
			j.mu.Lock()
			return
		}
		if j.input.count() != m.sawFed && j.mu.TryLock() {
			return
		}
	}
}

// lap says what time it is, and how long the runner took for its range if it had one.
// It costs nothing if nothing follows from it.
func (m *streamRunner[T, R]) lap() (now, took time.Duration) {
	if m.job.most == 1 {
		return 0, 0
	}
	now = actors.SinceStart()
	return now, now - m.began
}

// othersWait reports whether the worker is wanted for something else than another
// runner of the stream.
func (m *streamRunner[T, R]) othersWait() bool {
	return m.task.OthersWait(int(m.job.coming.Load()))
}

// mayLinger reports whether a runner that has found nothing may look again before it
// leaves: items often come a moment later, and to start another runner takes longer.
func (m *streamRunner[T, R]) mayLinger() bool {
	j := m.job
	others := j.lingers
	if m.lingers {
		others--
	}
	return !m.once && m.looks < lingerLooks && others < maxLingerers && j.over == nil && !j.complete()
}

// report says what the runner has done. Called with mu held; if it reports true, the
// caller must announce the end.
func (m *streamRunner[T, R]) report(took time.Duration) (ended bool) {
	j := m.job
	if m.waiting {
		m.waiting = false
		j.coming.Add(-1)
	}
	if m.done == 0 {
		return false
	}
	if j.most > 1 {
		j.pace = actors.AdaptSize(j.pace, j.most, took/time.Duration(m.done))
	}
	j.done += m.done
	m.done = 0
	return j.decideIfComplete()
}

// set changes what a runner is, and how many are. Those run in place do not count.
func (m *streamRunner[T, R]) set(is *bool, count *int, now bool) {
	if *is != now {
		*is = now
		switch {
		case m.once:
		case now:
			*count++
		default:
			*count--
		}
	}
}

// work calls the function for the items of a range. A panic or Goexit ends the
// runner; another one goes on behind the item.
func (m *streamRunner[T, R]) work(ctx context.Context) {
	returned := false
	defer func() {
		if returned {
			return
		}
		failure := actors.NewFailure(recover())
		m.failed(failure.Err)
		if failure.Kind != actors.TaskExited {
			panic(failure)
		}
	}()
	m.call(ctx)
	returned = true
}

// call calls the function for the items until there are none left in the range, or
// the stream has ended. It is a loop of its own because a variable that is shared
// with a deferred function costs more.
func (m *streamRunner[T, R]) call(ctx context.Context) {
	j, fn, items, size := m.job, m.fn, m.items, m.job.size
	m.hot = true
	m.at = 0
	m.task.Inject()
	for chunk, ok := 0, true; ok; chunk, ok = m.claims.Begin() {
		low, high := m.chunk(chunk, size)
		for i := low; i < high; i++ {
			if j.flags.Load()&isOver != 0 { // asks less than root.Decided, which is not inlined here
				return
			}
			m.at = i
			value, err := fn(ctx, items[i])
			if err != nil && j.root.EndedWith(err) {
				return // the stream has timed out or was cancelled, and so has the item
			}
			var zero T
			items[i] = zero
			m.done++
			j.file(&m.outlet, m.first+i, value, err)
		}
	}
}

// failed files the error of the item that the runner is at, leaves what is behind it
// to others, and takes the runner off the books.
func (m *streamRunner[T, R]) failed(err error) {
	j := m.job
	_, took := m.lap()
	var zero R
	j.file(&m.outlet, m.first+m.at, zero, err)
	j.mu.Lock()
	m.done++
	j.leave(m)
	ended := m.report(took)
	m.set(&m.busy, &j.busy, false)
	j.gone(m)
	j.settleAndUnlock()
	if ended {
		j.announceEnd()
	}
}

// leave makes what a failing runner has not done something for others. Called with
// mu held.
func (j *streamJob[T, R]) leave(m *streamRunner[T, R]) {
	if j.over != nil {
		return
	}
	_, high := m.chunk(m.at/j.size, j.size)
	rest := []leftover[T]{{m.first + m.at + 1, m.items[m.at+1 : high]}, {}}
	rest[1].first, rest[1].items = m.cut(m.claims.Rest(), j.size)
	for _, l := range rest {
		if len(l.items) > 0 {
			j.left = append(j.left, l)
		}
	}
	m.items = nil
}

// gone takes a runner off the books. A reader that waits inside of a task looks
// again whether any is left that can go on. Called with mu held.
func (j *streamJob[T, R]) gone(m *streamRunner[T, R]) {
	if !m.once {
		j.queued--
	}
	if m.slot < len(j.runners) && j.runners[m.slot] == m { // else the stream has been abandoned
		last := len(j.runners) - 1
		j.runners[m.slot] = j.runners[last]
		j.runners[m.slot].slot = m.slot
		j.runners[last] = nil
		j.runners = j.runners[:last]
	}
	m.fn, m.items = nil, nil
	j.wakeTasks()
}

// settleAndUnlock is how mu is released when runners or items may have changed. It
// queues another runner if one is needed, or else has the feeder say when one is.
func (j *streamJob[T, R]) settleAndUnlock() {
	m := j.newcomer()
	if alert := j.needsAlert(); alert != j.alert.Load() {
		j.alert.Store(alert)
		if alert && m == nil {
			if m = j.newcomer(); m != nil { // for an item fed before the alert could be seen
				j.alert.Store(j.needsAlert())
			}
		}
	}
	j.mu.Unlock()
	if m != nil {
		j.root.Router().SubmitPiece(&m.task)
	}
}

// needsAlert reports whether an item that is fed must be noticed: no runner is on
// its way that would, but one could be, or a task waits. Called with mu held.
func (j *streamJob[T, R]) needsAlert() bool { return j.taskWaits || j.mayCome() }

// mayCome reports whether another runner could be useful. Called with mu held.
func (j *streamJob[T, R]) mayCome() bool {
	return j.over == nil && !j.root.Decided() && j.queued == j.busy && j.queued < j.root.Router().Workers()
}

// newcomer makes a runner to be queued if there are items and no runner is on its
// way to them; when that one has come, it wants the next. Called with mu held.
func (j *streamJob[T, R]) newcomer() *streamRunner[T, R] {
	if !j.mayCome() || !j.hasMore() {
		return nil
	}
	m := j.newRunner()
	m.waiting = true
	j.coming.Add(1)
	j.queued++
	return m
}

// newRunner is called with mu held.
func (j *streamJob[T, R]) newRunner() *streamRunner[T, R] {
	m := &streamRunner[T, R]{job: j, slot: len(j.runners)}
	m.task.Init(j.root.Router(), m, j.root.Context(), actors.TaskOptions{
		Name: j.root.Name(), Internal: true, Exempt: true, WaiterCancels: true,
	})
	j.runners = append(j.runners, m)
	return m
}

// Abandon of a runner that never ran ends the stream: the pool has ended. One
// that did run has delivered what it worked on.
func (m *streamRunner[T, R]) Abandon(outcome messages.Outcome, err error, started bool) error {
	if !started {
		m.job.root.Settle(outcome, err)
	}
	return err
}
