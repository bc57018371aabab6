package actors

import (
	"cmp"
	"slices"
)

// MaxPriority is the highest priority that a task can have; the lowest is its negative.
const MaxPriority = 100

// ranks hold tasks that wait, those of each priority in the order of submission. Next
// comes the task that would, had it been submitted earlier: by as many submissions as its
// priority says, times the ageing. So a task is overtaken by those of a higher priority,
// but by no more of those that come later than the ageing for each level, and nothing
// starves.
//
// What stands where does not change while it waits, so ageing costs nothing: only the
// heads of the lists are compared.
type ranks struct {
	plain  queueList // of priority 0
	others []*rank   // of other priorities, if anything waits there
}

type rank struct {
	priority int
	queueList
}

// of is the list for a priority, which it makes if there is none.
func (l *ranks) of(priority int) *queueList {
	if priority == 0 {
		return &l.plain
	}
	l.others = slices.DeleteFunc(l.others, func(r *rank) bool { return r.length == 0 && r.priority != priority })
	i, found := slices.BinarySearchFunc(l.others, priority, func(r *rank, p int) int { return cmp.Compare(r.priority, p) })
	if !found {
		l.others = slices.Insert(l.others, i, &rank{priority: priority})
	}
	return &l.others[i].queueList
}

// each calls f for every list.
func (l *ranks) each(f func(priority int, list *queueList)) {
	f(0, &l.plain)
	for _, r := range l.others {
		f(r.priority, &r.queueList)
	}
}

func (l *ranks) length() int {
	n := l.plain.length
	for _, r := range l.others {
		n += r.length
	}
	return n
}

// head is the task whose turn is next, or nil.
func (l *ranks) head(ageing int64) *Task {
	next := l.plain.first()
	for _, r := range l.others {
		next = earlier(next, r.first(), ageing)
	}
	return next
}

// earlier is that of two tasks whose turn is first; nil comes last.
func earlier(a, b *Task, ageing int64) *Task {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	turnOfA, turnOfB := a.turn(ageing), b.turn(ageing)
	if turnOfB < turnOfA || turnOfB == turnOfA && b.isBefore(a) {
		return b
	}
	return a
}

// turn is when it is the turn of a task, in submissions.
func (t *Task) turn(ageing int64) int64 {
	return int64(t.linked().order) - ageing*int64(t.priority())
}
