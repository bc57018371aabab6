package pool

import (
	"slices"
	"sync"
	"sync/atomic"
)

// groupTree is what a group and its subgroups, at any depth, have in common: they
// are accounted for under one lock, so that a task takes its places in all of them,
// or in none. The lock of the router may be taken while it is held, and not the other
// way round.
type groupTree struct {
	root *Group

	watchers watchers
	awaited  atomic.Int32 // tasks at work that wait for one of the groups

	mu     sync.Mutex
	number uint64 // of the latest that was held
}

// groupPlace is one of the places that the limit of a group allows. Several use it
// if one waits and lends it to the next; it is free when all have left.
type groupPlace struct {
	group *Group
	at    int // in the group's places
	users []*member
}

// memberList is a doubly linked list in the order of joining.
type memberList struct{ first, last *member }

func (l *memberList) push(m *member) {
	m.prev = l.last
	if l.last == nil {
		l.first = m
	} else {
		l.last.next = m
	}
	l.last = m
}

func (l *memberList) remove(m *member) {
	if m.prev == nil {
		l.first = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		l.last = m.prev
	} else {
		m.next.prev = m.prev
	}
	m.prev, m.next = nil, nil
}

// All below is called with the mutex of the tree held.

// join counts a task, which has not been submitted yet.
func (g *Group) join(m *member) {
	g.members.push(m)
	for up := g; up != nil; up = up.parent {
		if up.pending++; up.pending == 1 && up.parent != nil {
			up.inActive = up.parent.active.PushBack(up)
		}
	}
}

// part counts a task that has ended, and wakes those who wait for the last one.
func (g *Group) part(m *member) {
	g.members.remove(m)
	for up := g; up != nil; up = up.parent {
		if up.pending--; up.pending > 0 {
			continue
		}
		if up.parent != nil {
			up.parent.active.Remove(up.inActive)
			up.inActive = nil
		}
		if up.idle != nil {
			close(up.idle)
			up.idle = nil
		}
	}
}

func (g *Group) isFull() bool { return g.limit > 0 && len(g.places) >= g.limit }

// take gives m a place in each group that has a limit, or none if one of them is
// full. lender, if not nil, waits for m and lends what it has.
func (m *member) take(lender *member) bool {
	for g := m.group; g != nil; g = g.parent {
		if g.isFull() && lender.placeIn(g) == nil {
			return false
		}
	}
	for g := m.group; g != nil; g = g.parent {
		if g.limit == 0 {
			continue
		}
		p := lender.placeIn(g)
		if p == nil {
			p = &groupPlace{group: g, at: len(g.places)}
			g.places = append(g.places, p)
		}
		p.users = append(p.users, m)
		m.places = append(m.places, p)
	}
	return true
}

func (m *member) placeIn(g *Group) *groupPlace {
	if m == nil {
		return nil
	}
	for _, p := range m.places {
		if p.group == g {
			return p
		}
	}
	return nil
}

func (p *groupPlace) free() {
	all := p.group.places
	last := all[len(all)-1]
	all[p.at], last.at = last, p.at
	p.group.places = slices.Delete(all, len(all)-1, len(all))
}

// fullGroup is the innermost group that keeps m, which is held, from starting. Whoever
// has a place there has one in the groups above it, or one lent, so it says more than
// they would.
func (m *member) fullGroup() *Group {
	g := m.group
	for !g.isFull() && g.parent != nil {
		g = g.parent
	}
	return g
}

func (m *member) hold() {
	m.group.tree.number++
	m.number = m.group.tree.number
	m.inHeld = m.group.held.PushBack(m)
	for up := m.group; up != nil; up = up.parent {
		up.heldBelow++
	}
}

func (m *member) unhold() {
	if m.inHeld == nil {
		return
	}
	m.group.held.Remove(m.inHeld)
	m.inHeld = nil
	for up := m.group; up != nil; up = up.parent {
		up.heldBelow--
	}
}

// admit gives places to those that were held first of those that may have one. The
// caller unparks them when it has let the lock go.
func (t *groupTree) admit() (admitted []*member) {
	for m := t.root.firstHeld(nil); m != nil && m.take(nil); m = t.root.firstHeld(nil) {
		m.unhold()
		admitted = append(admitted, m)
	}
	return admitted
}

// firstHeld is the first held, in the group and those below, of which no limit there
// is reached except such as lender lends a place in; nil: none. It looks at each
// subgroup that has tasks. Those of a cancelled group are about to end.
func (g *Group) firstHeld(lender *member) (first *member) {
	if g.heldBelow == 0 || g.isFull() && lender.placeIn(g) == nil || g.ctx.Err() != nil {
		return nil
	}
	if e := g.held.Front(); e != nil {
		first = e.Value.(*member)
	}
	for e := g.active.Front(); e != nil; e = e.Next() {
		if m := e.Value.(*Group).firstHeld(lender); m != nil && (first == nil || m.number < first.number) {
			first = m
		}
	}
	return first
}
