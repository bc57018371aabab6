package actors

import (
	"cmp"
	"container/heap"
	"slices"
)

// queueList holds tasks that wait, in the order of submission. Those that come in this
// order are a doubly linked list; those that come late, since they waited behind another
// one with their key, or since they are tried again, are a heap. So one that comes late
// costs no walk along the others, of which there may be many, and one that is cancelled or
// run in place leaves at once, wherever it stands.
type queueList struct {
	head, tail *Task
	late       lateTasks
	length     int
}

// first is the task whose turn is next, or nil.
func (l *queueList) first() *Task {
	if len(l.late) > 0 && (l.head == nil || l.late[0].isBefore(l.head)) {
		return l.late[0]
	}
	return l.head
}

// isBefore reports whether t comes before another task in the order of submission.
func (t *Task) isBefore(other *Task) bool { return t.linked().order < other.linked().order }

// push adds a task that comes after those in the list.
func (l *queueList) push(t *Task) {
	at := t.linked()
	at.in, at.prev = l, l.tail
	if l.tail == nil {
		l.head = t
	} else {
		l.tail.linked().next = t
	}
	l.tail = t
	l.length++
}

// insert adds a task wherever it belongs.
func (l *queueList) insert(t *Task) {
	if l.tail == nil || l.tail.isBefore(t) {
		l.push(t)
		return
	}
	t.linked().in = l
	heap.Push(&l.late, t)
	l.length++
}

func (l *queueList) remove(t *Task) {
	at := t.linked()
	at.in = nil
	l.length--
	if at.late > 0 {
		heap.Remove(&l.late, at.late-1)
		return
	}
	if at.prev == nil {
		l.head = at.next
	} else {
		at.prev.linked().next = at.next
	}
	if at.next == nil {
		l.tail = at.prev
	} else {
		at.next.linked().prev = at.prev
	}
	at.prev, at.next = nil, nil
}

// walk calls f for every task in the list, in any order. It must not change the list.
func (l *queueList) walk(f func(*Task)) {
	for t := l.head; t != nil; t = t.linked().next {
		f(t)
	}
	for _, t := range l.late {
		f(t)
	}
}

// all are the tasks in the list, in order.
func (l *queueList) all() []*Task {
	tasks := make([]*Task, 0, l.length)
	l.walk(func(t *Task) { tasks = append(tasks, t) })
	if len(l.late) > 0 {
		slices.SortFunc(tasks, func(a, b *Task) int { return cmp.Compare(a.linked().order, b.linked().order) })
	}
	return tasks
}

// lateTasks is a heap of tasks, of which each knows its place.
type lateTasks []*Task

func (h lateTasks) Len() int           { return len(h) }
func (h lateTasks) Less(i, j int) bool { return h[i].isBefore(h[j]) }

func (h lateTasks) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].linked().late, h[j].linked().late = i+1, j+1
}

func (h *lateTasks) Push(t any) {
	*h = append(*h, t.(*Task))
	t.(*Task).linked().late = len(*h)
}

func (h *lateTasks) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.linked().late = 0
	return t
}
