package actors

import "sync/atomic"

// family keeps the tasks that were submitted with the context of a task, and end
// with it. The standard library could do it, at four allocations for each.
//
// The list is guarded by the mutex of the parent's rest (more).
type family struct {
	first   *Task // child
	orphans bool  // the task has ended and with it its children; later ones end at once

	// As a child.
	adopted    atomic.Bool // is in the parent's list
	prev, next *Task       // there
}

// adopt makes the end of t the end of child.
func (t *Task) adopt(child *Task) {
	m, c := t.extra(), child.extra()
	m.mu.Lock()
	if t.phase() >= stateDecided || m.orphans {
		m.mu.Unlock()
		child.router.Spawn("end of a parent", child.EndWithParent)
		return
	}
	if c.next = m.first; c.next != nil {
		c.next.extra().family.prev = child
	}
	m.first = child
	c.adopted.Store(true)
	m.mu.Unlock()
	if child.Ready() { // it may have ended before it was adopted
		t.release(c)
	}
}

// release takes a child that has ended out of the list.
func (t *Task) release(c *more) {
	m := t.extra()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !c.adopted.Load() {
		return
	}
	c.adopted.Store(false)
	if c.family.prev == nil {
		m.first = c.family.next
	} else {
		c.family.prev.extra().family.next = c.family.next
	}
	if c.family.next != nil {
		c.family.next.extra().family.prev = c.family.prev
	}
	c.family.prev, c.family.next = nil, nil
}

// endFamily ends the children of a task that has ended, each on a goroutine of
// its own, as the standard library does, and a wait of the task itself.
func (m *more) endFamily() {
	m.mu.Lock()
	m.orphans = true
	if m.whenEnded != nil {
		m.whenEnded.give()
		m.whenEnded = nil
	}
	child := m.first
	m.first = nil
	for child != nil {
		c := child.extra()
		child.router.Spawn("end of a parent", child.EndWithParent)
		child = c.family.next
		c.adopted.Store(false)
		c.family.prev, c.family.next = nil, nil
	}
	m.mu.Unlock()
}
