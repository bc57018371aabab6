package actors

import (
	"context"
	"fmt"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is the router's side towards those who submit: what is taken, what is
// refused, and what happens when the queue is full.

// Submit hands t to the pool. It returns nil once t is accepted: from then on t
// reaches its end by itself. When the queue is full it does as the pool's
// policy says; waiting for room ends with ctx, with room, or with the pool. A
// submission from inside a task of the same pool does not wait, since that
// could be a deadlock: it enters the full queue.
func (r *Router) Submit(ctx context.Context, t *Task) error {
	return r.submit(ctx, t, false)
}

// Go is Submit for a function of which nobody is told how it ends. It reports
// false if it needs a Task, for there is no room for it just now, the pool's
// routing wants to see it, or the pool takes none.
func (r *Router) Go(fn func()) bool {
	r.mu.Lock()
	if !r.takesAtOnce() {
		r.mu.Unlock()
		return false
	}
	r.accepted++
	r.outstanding++
	r.pushAndUnlock(queued{fn: fn})
	return true
}

// SubmitPiece is Submit for a further piece of a map or stream, which is refused
// only if the pool has ended, and then so has what it is a piece of.
func (r *Router) SubmitPiece(piece *Task) {
	_ = r.Submit(context.Background(), piece)
	waitGraph.filed(piece) // who waits for the whole may have looked before
}

// SubmitAwaited is Submit for a task that one of the pool's tasks waits for already:
// where others wait for room, it enters the full queue.
func (r *Router) SubmitAwaited(ctx context.Context, t *Task) error {
	t.exempt = r.config.Policy == WaitForRoom || r.config.Policy == CallerRuns // with a key
	return r.Submit(ctx, t)
}

// SubmitMessage is Submit for a task that came as a message. It never blocks:
// with the policies WaitForRoom and CallerRuns the router holds the task until there
// is room, and it counts as accepted.
func (r *Router) SubmitMessage(t *Task) error {
	return r.submit(t.parent, t, true)
}

func (r *Router) submit(ctx context.Context, t *Task, message bool) error {
	if ctx.Err() != nil {
		_, err := ContextOutcome(ctx)
		return err
	}
	r.mu.Lock()
	if t.isPlain() && !message && r.takesAtOnce() {
		r.enterPlain(t)
		r.keep()
		r.pushAndUnlock(queued{task: t})
		t.WatchParent()
		return nil
	}
	return r.submitSlowly(ctx, t, message)
}

// SubmitAtOnce submits the first of n tasks without options, under one lock, and
// reports how many. It stops before a task for which it would have to wait, or
// that the pool does not take; those go through Submit.
//
// Model: submit.
func (r *Router) SubmitAtOnce(ctx context.Context, n int, task func(int) *Task) (accepted int) {
	if ctx.Err() != nil {
		return 0
	}
	r.mu.Lock()
	for accepted < n && r.takesAtOnce() {
		t := task(accepted)
		r.enterPlain(t)
		r.line.push(queued{task: t})
		accepted++
	}
	if accepted > 0 {
		r.keep()
	}
	r.rouseAndUnlock()
	if ctx.Done() != nil {
		for i := range accepted {
			task(i).WatchParent()
		}
	}
	return accepted
}

// isPlain reports whether t has nothing that the line cannot serve.
func (t *Task) isPlain() bool {
	if t.internal || t.exempt || t.mayPark {
		return false
	}
	s := t.spec()
	return s.key == "" && s.root == nil && s.worker == 0 && s.priority == 0
}

// takesAtOnce reports whether a task that is nothing special is accepted without
// a further look: it is the way of most tasks.
func (r *Router) takesAtOnce() bool {
	return r.plain && r.state == open && r.broken == nil && r.surelyHasRoom()
}

// pushAndUnlock files a task or function in the line and lets the lock go.
//
// Model: submit.
func (r *Router) pushAndUnlock(q queued) {
	r.line.push(q)
	r.rouseAndUnlock()
}

func (r *Router) rouseAndUnlock() {
	if r.coming > 0 || r.idle.head == nil && !r.known(r.unstarted) {
		r.mu.Unlock() // somebody is coming, or nobody sleeps
		return
	}
	var fx effects
	r.rouse(&fx)
	r.unlock(&fx)
}

// submitSlowly is called with the lock held, which it releases.
func (r *Router) submitSlowly(ctx context.Context, t *Task, message bool) error {
	var fx effects
	if err := r.refusal(t); err != nil {
		r.unlock(&fx)
		return err
	}
	// Those who wait for room are let in one after another; meanwhile others may
	// use it, but a message must not overtake one that came before, nor one with
	// its key.
	room := r.room
	if r.config.Policy == WaitForRoom {
		room = r.roomForWaiter
	}
	if t.exempt || room() && (r.waiters.len() == 0 || !message && t.key() == "") {
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
		return r.dropOldest(t)
	case policy == CallerRuns && !message && r.mayRunAnywhere(t):
		r.enter(t)
		if t.spec().routed { // another attempt may resume it
			r.queue.number(t, r.line.pushed)
		}
		t.state.Store(stateRunning)
		r.besides(t, 0)
		r.attendants++
		r.unlock(&fx)
		r.runBeside(ctx, t)
		return nil
	case message:
		r.enter(t)
		t.state.Store(stateQueued)
		r.waiters.push(&submitter{task: t})
		t.linked().held = true
		r.setHeld()
		r.admit(&fx) // a worker may have made room before it could see that somebody waits
		r.unlock(&fx)
		t.WatchParent()
		return nil
	}
	r.unlock(&fx)
	return r.submitFull(ctx, t)
}

// dropOldest accepts t and ends the task that has waited longest. Called with the
// lock held, which it releases.
func (r *Router) dropOldest(t *Task) error {
	var fx effects
	oldest := r.oldest()
	if oldest == nil {
		r.unlock(&fx)
		return fmt.Errorf("%w: no task waits that could be dropped (limit %d)", messages.ErrFull, r.config.Limit)
	}
	victim := oldest.task // a worker may take the place as soon as the lock is free
	if err := r.accept(t, &fx); err != nil {
		r.unlock(&fx)
		return err
	}
	if victim == nil {
		*oldest = queued{}
		r.uncounted++
		r.leftHole()
		r.emit(Event{Kind: TaskDropped}) // before its end, which may be the last one
		r.dropFunctions(1, messages.Dropped)
	}
	dropped := victim != nil && victim.state.CompareAndSwap(stateQueued, stateDeciding) // else it leaves by itself
	r.unlock(&fx)
	t.WatchParent()
	if dropped {
		r.emit(Event{Kind: TaskDropped, Task: victim.Name()})
		victim.settled(stateQueued, messages.Dropped, messages.ErrDropped)
	}
	return nil
}

// oldest is what has waited longest of what a full queue may drop, or nil.
func (r *Router) oldest() *queued {
	linked := r.queue.oldest
	if first, at := r.oldestInLine(); first != nil && (linked == nil || linked.linked().after >= at) {
		return first
	}
	if linked == nil {
		return nil
	}
	return &queued{task: linked}
}

// mayRunAnywhere reports whether t may run at once and beside the workers: it
// is not bound to a worker, and no key has a say in when it runs.
func (r *Router) mayRunAnywhere(t *Task) bool { return t.fixed() == 0 && t.key() == "" }

// Refusal says why the pool takes no tasks now, or nil.
func (r *Router) Refusal() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.broken != nil:
		return r.broken
	case r.state != open:
		return r.closedError()
	}
	return nil
}

// refusal says why a task cannot be accepted now, or nil.
func (r *Router) refusal(t *Task) error {
	switch key := t.key(); {
	case r.broken != nil:
		return r.broken
	case r.state == terminated, r.state == closing && (!t.internal || t.root() != nil):
		return r.closedError()
	case t.fixed() > 0 && !r.known(t.fixed()):
		return fmt.Errorf("%w: worker %d of %d", messages.ErrInvalid, t.fixed(), len(r.all()))
	case t.priority() != 0 && r.config.Ageing == 0:
		return fmt.Errorf("%w: priority %d", messages.ErrPrioritiesUnused, t.priority())
	case key != "" && !r.usesKeys:
		return fmt.Errorf("%w: key %q", messages.ErrKeysUnused, key)
	}
	return nil
}
