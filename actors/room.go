package actors

import (
	"context"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is about those who wait for room in a full queue, and those who do
// not wait but run their task themselves.

func (a answer) tell() {
	switch {
	case a.room != nil:
		a.room <- a.err
	case a.err != nil:
		a.task.Settle(messages.Failed, a.err)
	}
}

// submitFull waits for room. The lock was released in between, for ctx is
// foreign code.
func (r *Router) submitFull(ctx context.Context, t *Task) error {
	inner := runningTask(ctx)
	inside := inner != nil && inner.router == r
	s := &submitter{task: t, room: make(chan error, 1), awaited: inner != nil || t.mayPark}
	var fx effects
	r.mu.Lock()
	if err := r.refusal(t); err != nil {
		r.unlock(&fx)
		return err
	}
	r.waiters.push(s)
	r.setHeld() // before the look: a worker that begins a task after it sees this
	if inside || r.roomForWaiter() {
		r.waiters.remove(s)
		r.setHeld()
		if key := t.key(); key != "" {
			r.admitKey(key, &fx)
		}
		err := r.accept(t, &fx)
		r.unlock(&fx)
		if err == nil {
			t.WatchParent()
		}
		return err
	}
	r.unlock(&fx)
	if t.mayPark { // others may be parked behind it
		waitGraph.filed(t)
	}
	if inner == nil {
		return r.awaitRoom(ctx, s, nil)
	}
	wait := newEntry(nil, nil, roomWait{r, s})
	if !waitGraph.enter(ctx, inner, wait) {
		wait.wake.give()
	}
	defer waitGraph.leave(inner, wait)
	return r.awaitRoom(ctx, s, wait.wake) // which nobody else gives
}

// awaitRoom ends with room, with ctx, with the pool, or with ErrDeadlock.
func (r *Router) awaitRoom(ctx context.Context, s *submitter, deadlock <-chan struct{}) (err error) {
	select {
	case err = <-s.room:
		r.woken()
		return r.admitted(s, err)
	case <-deadlock:
	case <-ctx.Done():
	}
	r.woken()
	if r.giveUp(s) {
		if ctx.Err() == nil {
			return messages.ErrDeadlock
		}
		_, err = ContextOutcome(ctx)
		return err
	}
	return r.admitted(s, <-s.room)
}

// giveUp takes a submitter out of those that wait and reports whether it was
// still there.
func (r *Router) giveUp(s *submitter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.answered {
		return false
	}
	r.waiters.remove(s)
	r.setHeld()
	return true
}

// admitted hands on the answer to a submitter, which lets the next one in. A task
// that was accepted sees the end of its context by itself.
func (r *Router) admitted(s *submitter, err error) error {
	if s.letIn {
		var fx effects
		r.mu.Lock()
		r.admitting = false
		r.setHeld()
		r.admit(&fx)
		r.unlock(&fx)
	}
	if err == nil {
		s.task.WatchParent()
	}
	return err
}

// setHeld tells the workers whether somebody waits for what they make room for.
func (r *Router) setHeld() {
	if held := r.waiters.len() > 0 && !r.admitting; held != r.held.Load() {
		r.held.Store(held)
	}
}

// letIn is called by a worker that has made room and saw that somebody waits.
func (r *Router) letIn() {
	var fx effects
	r.mu.Lock()
	r.admit(&fx)
	r.unlock(&fx)
}

// roomWait is the wait for room in the queue of another pool than the waiting
// task's, as the wait graph sees it: there is room when one that waits there can start.
type roomWait struct {
	router *Router
	*submitter
}

func (w roomWait) Ready() bool {
	w.router.mu.Lock()
	defer w.router.mu.Unlock()
	return w.answered
}
func (w roomWait) Signal() <-chan struct{}    { return nil }
func (w roomWait) Piece(*Frame, *Nudge) *Task { return nil }
func (w roomWait) Blockers() Blockers {
	w.router.mu.Lock()
	defer w.router.mu.Unlock()
	return Blockers{AnyPlace: w.router.beforeRoom()}
}

// AwaitsRoom reports whether somebody waits for room in the queue for t.
func (r *Router) AwaitsRoom(t *Task) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.waiters.all() {
		if s.task == t {
			return true
		}
	}
	return false
}

// runBeside runs t while its submitter waits: the goroutine is another one,
// because a Goexit in t must not end the submitter. Here it cannot do what it may
// have promised, to cancel what it submits when ctx ends.
func (r *Router) runBeside(ctx context.Context, t *Task) {
	over := make(chan struct{})
	whole := t
	if root := t.root(); root != nil {
		whole = root
	}
	whole.unwatch = false
	whole.WatchParent()
	if waiting := runningTask(ctx); waiting != nil {
		e := newEntry(nil, nil, besideWait{t})
		waitGraph.insist(waiting, e)
		defer waitGraph.leave(waiting, e)
	}
	r.Spawn("caller", func() {
		t.performApart(func(*Failure, bool) {
			r.Attend(-1)
			close(over)
		})
	})
	<-over
	r.woken()
}

// besideWait is the wait for the function of a task, as the wait graph sees it.
type besideWait struct{ *Task }

func (w besideWait) Ready() bool                { return false }
func (w besideWait) Signal() <-chan struct{}    { return nil }
func (w besideWait) Piece(*Frame, *Nudge) *Task { return nil }
func (w besideWait) Blockers() Blockers         { return Blockers{place: w.Task} }

// admit lets submitters in that wait for room, first come first served. Of the
// goroutines only one is being woken at a time; it lets the next one in when it
// has come. Until then there may be room for several tasks, and it need not wait
// again for each.
func (r *Router) admit(fx *effects) {
	for r.waiters.len() > 0 && r.roomForWaiter() {
		s := r.waiters.first()
		if s.room != nil {
			if r.admitting {
				break
			}
			r.admitting, s.letIn = true, true
		}
		r.waiters.remove(s)
		r.answer(s, fx)
	}
	r.setHeld()
	r.checkRoom(fx)
}

// checkRoom sees to it that cycles are looked for if somebody waits for room for whom tasks
// may wait. The queue has changed, and all that is left there may stand behind those: a
// queue above its limit has no room when a task has left, and what comes next into one
// at its limit may be for a worker that waits. And there may have been room, which somebody
// else has taken.
func (r *Router) checkRoom(fx *effects) {
	if r.waiters.awaited > 0 {
		fx.recheck = true
	}
}

// answer accepts the task of a submitter that waited.
func (r *Router) answer(s *submitter, fx *effects) {
	if s.room == nil && s.task.Decided() {
		return // it was cancelled just now
	}
	err := r.accept(s.task, fx)
	if s.room == nil {
		s.task.linked().held = err != nil // refused, it never counted as waiting
	}
	s.answered = true
	fx.answers = append(fx.answers, answer{s, err})
}

// admitKey lets held messages with a key in, beyond the limit: a task with that
// key must not overtake them.
func (r *Router) admitKey(key string, fx *effects) {
	for s := range r.waiters.all() {
		if s.room == nil && s.task.key() == key {
			r.waiters.remove(s)
			r.answer(s, fx)
		}
	}
	r.setHeld()
}

// forgetHeld drops a held message that was decided.
func (r *Router) forgetHeld(t *Task) {
	for s := range r.waiters.all() {
		if s.task == t {
			r.waiters.remove(s)
			r.setHeld()
			return
		}
	}
}
