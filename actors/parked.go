package actors

import "github.com/greenroom-go/greenroom/messages"

// This file is about tasks that are accepted but held back from the queue by
// something else than the pool: the limit of a group.
//
// A parked task is queued in every other way: it can be cancelled, it is finished
// before a closed pool ends, Terminate ends it. But nobody can claim it, for the
// claim is from a state without the fact that it is parked.

// parker is the Body of a task that may be parked.
type parker interface {
	// ClaimParked claims the task, or something that keeps it parked, for a task
	// that waits for it. It is asked only while the task is parked, and may find
	// that it no longer is. If it finds nothing, it arranges for nudge, if that is
	// not nil, to be given when there may be something.
	ClaimParked(f *Frame, nudge *Nudge) *Task
	// ParkedBehind are the tasks of which one must end before this one can leave.
	// None if it is about to.
	ParkedBehind() Blockers
	// Queued is told that the task gets a place in the queue, with the router's lock held,
	// so that those who wait know of it before a search for deadlocks does. It must not
	// block.
	Queued()
}

// Park accepts a task without putting it into the queue, and so regardless of the
// queue's limit, or says why it cannot be accepted. Its body must be a parker.
func (r *Router) Park(t *Task) error {
	r.mu.Lock()
	if err := r.refusal(t); err != nil {
		r.mu.Unlock()
		return err
	}
	r.enter(t)
	t.exempt = true
	r.parked.add(t)
	t.state.Store(stateQueued | parked)
	r.mu.Unlock()
	t.WatchParent()
	return nil
}

// Unpark puts a parked task into the queue, be that full or not: the task was
// accepted. It has no effect on one that has left.
func (r *Router) Unpark(t *Task) {
	var fx effects
	r.mu.Lock()
	err := r.unpark(t, &fx)
	r.unlock(&fx)
	if err != nil {
		t.Settle(messages.Failed, err)
	}
	waitGraph.filed(t)
}

// RecheckBehind breaks the cycles that t has closed: others, who may have been waiting
// before, depend on it since it entered the queue, or since the rest of a map was left to
// it. It does not block for longer than a search takes.
func RecheckBehind(t *Task) { waitGraph.filed(t) }

// unpark is called with the lock held. A pool that ends the tasks that wait ends
// this one, too.
func (r *Router) unpark(t *Task, fx *effects) error {
	if !r.parked.has(t) || r.state == terminated || r.broken != nil {
		return nil
	}
	r.parked.remove(t)
	t.state.And(^parked)
	return r.accept(t, fx)
}

// ClaimParked is ClaimFor for a task that may leave as far as its group is concerned.
func (r *Router) ClaimParked(t *Task, worker int, nudge *Nudge) *Task {
	if t.key() != "" { // there it has a place in an order
		r.Unpark(t)
	} else if r.ClaimHeld(t, worker) {
		return t
	}
	return r.ClaimFor(t, worker, nudge)
}

// ClaimHeld claims a parked task that has no key for a task that waits for it, and reports
// whether it was still parked.
func (r *Router) ClaimHeld(t *Task, worker int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.parked.has(t) || !t.state.CompareAndSwap(stateQueued|parked, stateRunning) {
		return false
	}
	r.parked.remove(t)
	r.besides(t, worker)
	return true
}

// isParked reports whether t is accepted and held back.
func (t *Task) isParked() bool { return t.state.Load()&(states|parked) == stateQueued|parked }

// WasAccepted reports whether the task has got that far.
func (t *Task) WasAccepted() bool { return t.phase() != stateCreated }
