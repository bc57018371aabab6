package actors

import (
	"container/list"
	"context"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is about those who wait for room in a full queue, and those who do
// not wait but run their task themselves.

// submitter waits for room in the queue.
type submitter struct {
	task *Task
	// room receives the outcome of the wait. Nil for a task that came as a
	// message: an actor does not block, so the router holds its task.
	room chan error
	// answered, guarded by the router's mutex: the wait is over and room is
	// about to say how.
	answered bool
}

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
	f := (*frame)(FrameOf(ctx))
	inside := f != nil && f.task.router == r
	s := &submitter{task: t, room: make(chan error, 1)}
	var fx effects
	r.mu.Lock()
	if err := r.refusal(t); err != nil {
		r.unlock(&fx)
		return err
	}
	if inside || r.room() {
		if t.key != "" {
			r.admitKey(t.key, &fx)
		}
		err := r.accept(t, &fx)
		r.unlock(&fx)
		if err == nil {
			t.WatchParent()
		}
		return err
	}
	e := r.waiters.PushBack(s)
	r.unlock(&fx)
	if f == nil {
		return r.awaitRoom(ctx, s, e, nil)
	}
	wait := newEntry(nil, nil, roomWait{r, s})
	if !waitGraph.enter(ctx, f, wait) {
		close(wait.broken)
	}
	defer waitGraph.leave(f, wait)
	return r.awaitRoom(ctx, s, e, wait.broken)
}

// awaitRoom ends with room, with ctx, with the pool, or with ErrDeadlock.
func (r *Router) awaitRoom(ctx context.Context, s *submitter, e *list.Element, deadlock <-chan struct{}) (err error) {
	select {
	case err = <-s.room:
		return s.admitted(err)
	case <-deadlock:
		err = messages.ErrDeadlock
	case <-ctx.Done():
		_, err = ContextOutcome(ctx)
	}
	if r.giveUp(s, e) {
		return err
	}
	return s.admitted(<-s.room)
}

// giveUp takes a submitter out of those that wait and reports whether it was
// still there.
func (r *Router) giveUp(s *submitter, e *list.Element) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.answered {
		return false
	}
	r.waiters.Remove(e)
	return true
}

// admitted hands on the answer to a submitter. A task that was accepted sees the
// end of its context by itself.
func (s *submitter) admitted(err error) error {
	if err == nil {
		s.task.WatchParent()
	}
	return err
}

// roomWait is the wait for room in the queue of another pool than the waiting
// task's, as the wait graph sees it: there is room when any running task ends.
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
	return Blockers{Any: w.router.runningLocked()}
}

// runBeside runs t while its submitter waits: the goroutine is another one,
// because a Goexit in t must not end the submitter.
func (r *Router) runBeside(ctx context.Context, t *Task) {
	over := make(chan struct{})
	t.WatchParent()
	if t.root != nil {
		t.root.WatchParent()
		if body, ok := t.root.body.(spreader); ok {
			body.Spread()
		}
	}
	if f := (*frame)(FrameOf(ctx)); f != nil {
		e := newEntry(nil, nil, besideWait{t})
		waitGraph.insist(f, e)
		defer waitGraph.leave(f, e)
	}
	go t.perform(func(*Failure, bool) {
		r.Attend(-1)
		close(over)
	})
	<-over
}

// besideWait is the wait for the function of a task, as the wait graph sees it.
type besideWait struct{ *Task }

func (w besideWait) Ready() bool                { return false }
func (w besideWait) Signal() <-chan struct{}    { return nil }
func (w besideWait) Piece(*Frame, *Nudge) *Task { return nil }
func (w besideWait) Blockers() Blockers         { return Blockers{place: &w.frame} }

// admit lets submitters in that wait for room, first come first served.
func (r *Router) admit(fx *effects) {
	for r.waiters.Len() > 0 && r.hasRoom() {
		r.answer(r.waiters.Remove(r.waiters.Front()).(*submitter), fx)
	}
}

// answer accepts the task of a submitter that waited.
func (r *Router) answer(s *submitter, fx *effects) {
	if s.room == nil && s.task.Decided() {
		return // a held message that was cancelled just now
	}
	err := r.accept(s.task, fx)
	s.answered = true
	fx.answers = append(fx.answers, answer{s, err})
}

// admitKey lets held messages with a key in, beyond the limit: a task with that
// key must not overtake them.
func (r *Router) admitKey(key string, fx *effects) {
	for e := r.waiters.Front(); e != nil; {
		next := e.Next()
		if s := e.Value.(*submitter); s.room == nil && s.task.key == key {
			r.waiters.Remove(e)
			r.answer(s, fx)
		}
		e = next
	}
}

// forgetHeld drops a held message that was decided.
func (r *Router) forgetHeld(t *Task) {
	for e := r.waiters.Front(); e != nil; e = e.Next() {
		if e.Value.(*submitter).task == t {
			r.waiters.Remove(e)
			return
		}
	}
}
