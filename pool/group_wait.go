package pool

import "github.com/greenroom-go/greenroom/actors"

// groupEnd is the wait for all tasks of a group.
type groupEnd struct{ *Group }

// Ready reports whether all tasks have ended.
func (w groupEnd) Ready() bool {
	w.tree.mu.Lock()
	defer w.tree.mu.Unlock()
	return w.pending == 0
}

// Router is that of the group's pool.
func (w groupEnd) Router() *actors.Router { return w.pool.router }

// Signal is closed when all tasks have ended.
func (w groupEnd) Signal() <-chan struct{} {
	w.tree.mu.Lock()
	defer w.tree.mu.Unlock()
	if w.pending == 0 {
		return closedSignal
	}
	if w.idle == nil {
		w.idle = make(chan struct{})
	}
	return w.idle
}

var closedSignal = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Piece claims one of the tasks that have not started: one that waits in the group,
// if there is or can be lent a place for it, one that is in the pool's queue, or one of
// another group that has such a place. If there is none, those that wait for room in the
// queue are let in.
func (w groupEnd) Piece(f *actors.Frame, nudge *actors.Nudge) *actors.Task {
	r := w.pool.router
	if f.Router() != r {
		return nil
	}
	w.tree.watchers.add(nudge)
	few := w.queued(fewMembers)
	if piece := claimFirst(r, f, nudge, few); piece != nil {
		return piece
	}
	if len(few) == fewMembers {
		if piece := claimFirst(r, f, nudge, w.queued(allMembers)); piece != nil {
			return piece
		}
	}
	for m, claimed := w.lend(f); m != nil; m, claimed = w.lend(f) {
		if claimed {
			return m.own
		}
		if piece := r.ClaimParked(m.own, f.Worker(), nudge); piece != nil {
			return piece
		}
	}
	for _, m := range w.heldFirst(nil) { // what is in their way may be of another group
		if piece := m.ClaimParked(f, nudge); piece != nil {
			return piece
		}
	}
	if nudge != nil {
		letAllIn(w.waitingForRoom())
	}
	return nil
}

// heldFirst appends the member that was held first in the group, and in each below.
func (w groupEnd) heldFirst(to []*member) []*member {
	w.tree.mu.Lock()
	defer w.tree.mu.Unlock()
	return w.Group.heldFirst(to)
}

func (g *Group) heldFirst(to []*member) []*member {
	if g.heldBelow == 0 {
		return to
	}
	if e := g.held.Front(); e != nil {
		to = append(to, e.Value.(*member))
	}
	for e := g.active.Front(); e != nil; e = e.Next() {
		to = e.Value.(*Group).heldFirst(to)
	}
	return to
}

// Most often one of the first that have not ended has not started either.
const (
	fewMembers = 64
	allMembers = 1<<63 - 1
)

// queued are the first tasks, at most so many, that have places.
func (w groupEnd) queued(most int) (tasks []*actors.Task) {
	w.tree.mu.Lock()
	defer w.tree.mu.Unlock()
	if most = min(most, w.pending-w.heldBelow); most == 0 {
		return nil
	}
	w.each(func(m *member) bool {
		if m.inHeld == nil {
			tasks = append(tasks, m.own)
		}
		return len(tasks) < most
	})
	return tasks
}

// lend gives the first that can have them the places of a waiting task, and claims it if
// it has no key.
func (w groupEnd) lend(f *actors.Frame) (m *member, claimed bool) {
	w.tree.mu.Lock()
	defer w.tree.mu.Unlock()
	if m = w.firstHeld(memberOf(f)); m == nil {
		return nil, false
	}
	if claimed = m.claimHeld(f); m.inHeld != nil {
		return nil, false // it has a key, so that nothing is lent to it
	}
	return m, claimed
}

func (w groupEnd) waitingForRoom() (letIns []func()) {
	w.tree.mu.Lock()
	defer w.tree.mu.Unlock()
	w.each(func(m *member) bool {
		if m.letIn != nil {
			letIns = append(letIns, m.letIn)
		}
		return true
	})
	return letIns
}

// Blockers are the tasks that have not ended, and the functions that run on. A task
// that is being submitted is not among them before it is accepted, unless it waits for
// room and was not let in.
func (w groupEnd) Blockers() (b actors.Blockers) {
	w.tree.mu.Lock()
	defer w.tree.mu.Unlock()
	w.each(func(m *member) bool {
		if m.own.WasAccepted() || m.awaitsRoom() {
			b.AllPlaces = append(b.AllPlaces, m.own)
		}
		return true
	})
	return b
}

// each calls f for the members of the group and of those below until it returns
// false. Called with the tree's mutex held.
func (g *Group) each(f func(*member) bool) bool {
	for m := g.members.first; m != nil; m = m.next {
		if !f(m) {
			return false
		}
	}
	for e := g.active.Front(); e != nil; e = e.Next() {
		if !e.Value.(*Group).each(f) {
			return false
		}
	}
	return true
}
