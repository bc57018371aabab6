package actors

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is the pool's way from open to its end.

// Close makes the pool refuse new tasks. What was accepted is finished, and so a
// pause ends; those who wait for room are refused. It does not block and may be
// repeated.
//
// Model: close.
func (r *Router) Close() {
	var fx effects
	r.mu.Lock()
	if r.state != open {
		r.mu.Unlock()
		return
	}
	r.state, r.closedAt = closing, time.Now()
	r.stopIdleTimer()
	r.emit(Event{Kind: PoolClosing})
	r.resume(&fx)
	r.refuseSubmitters(&fx, fmt.Errorf("%w: pool %q was closed while the task waited for room", messages.ErrClosed, r.config.Name))
	var closers []closer
	for _, t := range r.roots.inOrder() {
		if body, ok := t.body.(closer); ok {
			closers = append(closers, body)
		}
	}
	r.checkDrained(&fx)
	r.unlock(&fx)
	for _, body := range closers {
		body.Closing()
	}
}

// Terminate gives every task that has not ended its end, cancels the contexts
// of those that run, and lets the workers go. It does not block and may be
// repeated. It reports how many tasks it ended.
//
// Model: terminate.
func (r *Router) Terminate() int {
	var fx effects
	r.mu.Lock()
	if r.state == terminated {
		r.mu.Unlock()
		return 0
	}
	if r.state == open {
		r.closedAt = time.Now()
	}
	r.state = terminated
	r.stopIdleTimer()
	if !r.drained {
		r.emit(Event{Kind: PoolTerminated})
	}
	r.paused.Store(false)
	doomed, functions := r.pending()
	r.dropFunctions(functions, messages.Terminated)
	doomed = append(doomed, r.runningLocked()...)
	doomed = append(doomed, r.beside.inOrder()...)
	r.refuseSubmitters(&fx, fmt.Errorf("%w: pool %q was terminated while the task waited for room", messages.ErrClosed, r.config.Name))
	r.setReady(r.closedError())
	fx.terminate = !r.stopped
	r.checkDrained(&fx)
	r.unlock(&fx)

	r.kill(messages.ErrTerminated)
	ended := functions + settle(doomed, messages.Terminated, messages.ErrTerminated)
	r.clearLine()
	r.lane.open()
	if ended > 0 {
		r.log(slog.LevelInfo, "pool terminated before all tasks had ended", "tasks", ended)
	}
	return ended
}

// Break makes the pool refuse tasks for good because of err and ends those that
// wait. Running tasks go on.
func (r *Router) Break(err error) {
	var fx effects
	r.mu.Lock()
	if r.broken != nil || r.state == terminated {
		r.mu.Unlock()
		return
	}
	r.broken = fmt.Errorf("%w: pool %q: %w", messages.ErrBroken, r.config.Name, err)
	broken := r.broken
	r.emit(Event{Kind: PoolBroken, Err: broken})
	doomed, functions := r.pending()
	r.dropFunctions(functions, messages.Broken)
	r.refuseSubmitters(&fx, broken)
	r.setReady(broken)
	r.checkDrained(&fx)
	r.unlock(&fx)
	doomed = slices.DeleteFunc(doomed, func(t *Task) bool {
		body, ok := t.body.(finisher)
		return ok && body.AtWork()
	})
	ended := functions + settle(doomed, messages.Broken, broken)
	r.clearLine()
	r.log(slog.LevelError, "pool broken", "error", err, "tasks", ended)
}

// CancelUnstarted cancels every task that has not started and reports how many
// it cancelled or cut short. What runs goes on; maps and streams under way take
// up nothing more.
func (r *Router) CancelUnstarted() (cancelled int) {
	var fx effects
	r.mu.Lock()
	tasks, functions := r.pending()
	r.dropFunctions(functions, messages.Cancelled)
	r.rouse(&fx) // for the pieces of what is under way, which stay
	r.admit(&fx)
	r.checkDrained(&fx)
	r.unlock(&fx)
	cancelled = functions
	for _, t := range tasks {
		switch body, ok := t.body.(starter); {
		case ok && body.CancelUnstarted():
			cancelled++
		case !ok && !t.internal && t.cancelUnstarted():
			cancelled++
		}
	}
	return cancelled
}

// pending lists the tasks that wait and the maps and streams under way, and
// takes the functions that wait out of the line.
func (r *Router) pending() (tasks []*Task, functions int) {
	r.gather()
	tasks = append(r.roots.inOrder(), r.parked.inOrder()...)
	for _, s := range r.all() {
		if s.lentTo != nil {
			tasks = append(tasks, s.lentTo)
		}
	}
	r.line.each(func(q *queued) {
		if q.fn != nil {
			*q = queued{}
			r.uncounted++
			functions++
		} else if q.task != nil {
			tasks = append(tasks, q.task)
		}
	})
	r.queue.each(func(t *Task) { tasks = append(tasks, t) })
	for s := range r.waiters.all() {
		if s.room == nil {
			tasks = append(tasks, s.task)
		}
	}
	return tasks, functions
}

// dropFunctions gives n functions that will not run their end.
func (r *Router) dropFunctions(n int, outcome messages.Outcome) {
	r.settle(n)
	r.outcomes[outcome].Add(int64(n))
}

// clearLine lets go of the tasks that had their end while they waited.
//
// Model: clearLine.
func (r *Router) clearLine() {
	r.mu.Lock()
	r.compact()
	r.mu.Unlock()
}

func settle(tasks []*Task, outcome messages.Outcome, err error) (settled int) {
	for _, t := range tasks {
		if t.Settle(outcome, err) && !t.internal {
			settled++
		}
	}
	return settled
}

// refuseSubmitters sends away the goroutines that wait for room. Held messages
// were accepted and stay.
func (r *Router) refuseSubmitters(fx *effects, err error) {
	for s := range r.waiters.all() {
		if s.room != nil {
			r.waiters.remove(s)
			s.answered = true
			fx.answers = append(fx.answers, answer{s, err})
		}
	}
}

// Attend counts a goroutine that the end of the pool waits for.
func (r *Router) Attend(n int) {
	var fx effects
	r.mu.Lock()
	r.attendants += n
	r.checkDrained(&fx)
	r.unlock(&fx)
}

// checkDrained tells the supervisor, once, that nothing is left to do, and
// closes ended if the supervisor has gone already.
//
// Model: checkDrained.
func (r *Router) checkDrained(fx *effects) {
	if r.state == open || r.outstanding > 0 || r.attendants > 0 || r.supervisor == nil {
		return
	}
	if !r.drained {
		r.drained = true
		fx.drained = !r.stopped
	}
	r.checkEnded()
}

// Model: checkEnded.
func (r *Router) checkEnded() {
	if !r.stopped || r.outstanding > 0 || r.attendants > 0 || r.initializing > 0 {
		return
	}
	r.compact() // what a worker gave back at the last moment
	select {
	case <-r.ended:
	default:
		r.endedAt = time.Now()
		r.emit(Event{Kind: PoolClosed})
		close(r.ended)
	}
}

// detach is called when the supervisor has stopped, after every worker has.
//
// Model: detach.
func (r *Router) detach() {
	r.desk.close() // first: once stopped is set, whoever comes last may end the pool
	r.reportUnfetched()
	r.mu.Lock()
	r.stopped = true
	for _, s := range r.all() {
		s.started = false // some were wanted, and none came any more
		r.notAbandoned(s)
	}
	r.mu.Unlock()
	r.Terminate() // ends what came to be after the pool was drained: waits for readiness
	r.mu.Lock()
	r.checkEnded()
	r.mu.Unlock()
}

// Ended is the wait for the end of the pool: it has been closed or terminated
// and nothing of it is left, no task, no worker, no goroutine.
func (r *Router) Ended() Wait { return endWait{r} }

type endWait struct{ *Router }

func (w endWait) Ready() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}
func (w endWait) Signal() <-chan struct{}    { return w.ended }
func (w endWait) Piece(*Frame, *Nudge) *Task { return nil }
func (w endWait) Blockers() Blockers {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Blockers{AllPlaces: append(w.runningLocked(), w.beside.inOrder()...)}
}

// Open reports whether the pool was neither closed nor terminated.
func (r *Router) Open() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state == open
}

// AwaitReady starts all workers that are not there and waits until each has run its
// initializer. It returns nil, the error that broke the pool, ErrClosed if the pool
// ended first, or ctx.Err().
func (r *Router) AwaitReady(ctx context.Context) error {
	var fx effects
	r.mu.Lock()
	r.unready()
	r.startAll(&fx)
	ready := r.ready
	r.readying++
	r.unlock(&fx)
	select {
	case <-ready:
	case <-ctx.Done():
	}
	r.woken()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.readying--; r.readying == 0 {
		r.watchIdleAgain()
	}
	switch {
	case !isClosed(ready):
		return ctx.Err()
	case r.readyErr != nil:
		return r.readyErr
	case r.broken != nil: // since
		return r.broken
	case r.state == terminated:
		return r.closedError()
	}
	return nil
}

// initializedWorker counts a worker that has come for its first task: its
// initializer has run.
func (r *Router) initializedWorker(s *slot) {
	s.initialized = true
	if !s.closed.Load() {
		r.initialized++
		r.checkReady()
	}
}

// unready has those wait who ask from now on, if there are workers again that have not
// run their initializers: of a pool that grew, or in the places of those that left.
func (r *Router) unready() {
	if r.initialized < r.Workers() && isClosed(r.ready) && r.state != terminated && r.broken == nil {
		r.ready = make(chan struct{})
	}
}

func (r *Router) checkReady() {
	if r.initialized == r.Workers() {
		r.setReady(nil)
	}
}

func (r *Router) setReady(err error) {
	select {
	case <-r.ready:
	default:
		r.readyErr = err
		close(r.ready)
	}
}

func (r *Router) closedError() error {
	return fmt.Errorf("%w: pool %q", messages.ErrClosed, r.config.Name)
}
