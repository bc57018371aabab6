package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is the router's side towards those who submit: what is accepted,
// what happens when the queue is full, and how the accepted are counted.

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
	switch {
	case r.broken != nil:
		return r.broken
	case r.state == terminated, r.state == closing && (!t.internal || t.root != nil):
		return r.closedError()
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
