package actors

import (
	"container/list"
	"context"
	"errors"
	"fmt"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is the router's side towards those who submit: what is accepted,
// what happens when the queue is full, and how the accepted are counted.

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

// Submit hands t to the pool. It returns nil once t is accepted: from then on t
// reaches its end by itself. When the queue is full it does as the pool's
// policy says; waiting for room ends with ctx, with room, or with the pool. A
// submission from inside a task of the same pool does not wait, since that
// could be a deadlock: it enters the full queue.
func (r *Router) Submit(ctx context.Context, t *Task) error {
	return r.submit(ctx, t, false)
}

// SubmitPiece is Submit for a piece of root, which has been accepted. If the
// strategy refuses the piece, root ends with that error; if the pool has ended,
// so has root.
func (r *Router) SubmitPiece(piece, root *Task) {
	err := r.Submit(context.Background(), piece)
	if err != nil && !errors.Is(err, messages.ErrClosed) && !errors.Is(err, messages.ErrBroken) {
		root.Settle(messages.Failed, err)
	}
}

// SubmitMessage is Submit for a task that came as a message. It never blocks:
// with the policies WaitForRoom and CallerRuns the router holds the task until there
// is room, and it counts as accepted.
func (r *Router) SubmitMessage(t *Task) error {
	return r.submit(t.parent, t, true)
}

func (r *Router) submit(ctx context.Context, t *Task, message bool) error {
	if err := ctx.Err(); err != nil {
		_, err = ContextOutcome(ctx)
		return err
	}
	var fx effects
	r.mu.Lock()
	if err := r.refusal(t); err != nil {
		r.unlock(&fx)
		return err
	}
	if t.exempt || r.room() {
		err := r.accept(t, &fx)
		r.unlock(&fx)
		if err == nil {
			t.WatchParent()
		}
		return err
	}

	switch policy := r.config.Policy; {
	case policy == Reject:
		r.unlock(&fx)
		return fmt.Errorf("%w: %d tasks wait, the limit is %d", messages.ErrFull, r.config.Limit, r.config.Limit)

	case policy == DropOldest:
		oldest := r.queue.oldest()
		if oldest == nil {
			r.unlock(&fx)
			return fmt.Errorf("%w: no task waits that could be dropped (limit %d)", messages.ErrFull, r.config.Limit)
		}
		err := r.accept(t, &fx)
		dropped := err == nil && oldest.state.CompareAndSwap(stateQueued, stateDeciding) // else it leaves by itself
		r.unlock(&fx)
		if err == nil {
			t.WatchParent()
		}
		if dropped {
			oldest.settled(stateQueued, messages.Dropped, messages.ErrDropped)
		}
		return err

	case policy == CallerRuns && !message && r.mayRunAnywhere(t):
		r.enter(t)
		t.state.Store(stateRunning)
		r.beside[t] = struct{}{}
		r.attendants++
		r.unlock(&fx)
		r.runBeside(ctx, t)
		return nil

	case message:
		r.enter(t)
		t.state.Store(stateQueued)
		r.waiters.PushBack(&submitter{task: t})
		r.unlock(&fx)
		t.WatchParent()
		return nil
	}

	r.unlock(&fx)
	return r.submitFull(ctx, t)
}

// mayRunAnywhere reports whether t may run at once and beside the workers: it
// is not bound to a worker, and no key has a say in when it runs.
func (r *Router) mayRunAnywhere(t *Task) bool { return t.worker == 0 && t.key == "" }

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

// EnterRoot accepts a map or a stream, which is never queued itself: its pieces
// are. It is running from here on.
func (r *Router) EnterRoot(t *Task) error {
	var fx effects
	r.mu.Lock()
	defer r.unlock(&fx)
	if err := r.refusal(t); err != nil {
		return err
	}
	r.enterRoot(t)
	return nil
}

func (r *Router) enterRoot(t *Task) {
	r.enter(t)
	r.roots[t] = struct{}{}
	t.state.Store(stateRunning)
}

// refusal says why a task cannot be accepted now, or nil.
func (r *Router) refusal(t *Task) error {
	switch {
	case r.broken != nil:
		return r.broken
	case r.state == terminated, r.state == closing && (!t.internal || t.root != nil):
		return fmt.Errorf("%w: pool %q", messages.ErrClosed, r.config.Name)
	case t.worker > r.config.Workers:
		return fmt.Errorf("%w: worker %d of %d", messages.ErrInvalid, t.worker, r.config.Workers)
	case t.key != "" && !r.usesKeys:
		return fmt.Errorf("%w: key %q", messages.ErrKeysUnused, t.key)
	}
	return nil
}

// room reports whether one more task may wait. Tasks that a free worker is
// about to take do not count as waiting.
func (r *Router) room() bool {
	return r.config.Limit == Unlimited ||
		r.waiters.Len() == 0 && r.hasRoom()
}

func (r *Router) hasRoom() bool {
	return r.queue.length+r.busy < r.config.Limit+r.config.Workers
}

// accept files the task and sees to it that a worker comes for it.
func (r *Router) accept(t *Task, fx *effects) error {
	target, err := route(r.config.Strategy, t, r.config.Workers, r.load)
	if err != nil {
		return err
	}
	if t.state.Load() == stateCreated { // else a held message, which others can see
		r.enter(t)
		t.state.Store(stateQueued)
	}
	r.queue.put(t, target)
	if target.Worker > 0 {
		r.rouseWorker(target.Worker, fx)
	} else {
		r.rouse(fx)
	}
	return nil
}

func (r *Router) load(worker int) int {
	load := r.queue.own[worker].length
	if r.slots[worker].running != nil {
		load++
	}
	return load
}

// enter counts a task from its acceptance until leave.
func (r *Router) enter(t *Task) {
	if t.root != nil {
		r.enterRoot(t.root)
	}
	if t.internal {
		return
	}
	t.entered = true
	r.accepted++
	r.outstanding++
}

// leave is called once for every task that entered, when its outcome can be read.
func (r *Router) leave(t *Task) {
	var fx effects
	r.mu.Lock()
	r.outstanding--
	delete(r.roots, t)
	r.checkDrained(&fx)
	r.unlock(&fx)
}

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
