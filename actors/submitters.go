package actors

import (
	"container/list"
	"iter"
)

// submitter waits for room in the queue.
type submitter struct {
	task *Task
	// room receives the outcome of the wait. Nil for a task that came as a
	// message: an actor does not block, so the router holds its task.
	room chan error
	// awaited says that tasks may wait for this submission: the submitter is a task itself,
	// or it is a task of a group. Not changed after it has joined the others.
	awaited bool
	// at is its place among those that wait.
	at *list.Element
	// answered, guarded by the router's mutex: the wait is over and room is
	// about to say how.
	answered bool
	// letIn, written before room is sent to: there was room, and the next one is
	// let in when this one has come back.
	letIn bool
}

// submitters wait for room, first come first served.
type submitters struct {
	list    list.List
	awaited int // how many of them are
}

func (l *submitters) len() int { return l.list.Len() }

func (l *submitters) push(s *submitter) {
	s.at = l.list.PushBack(s)
	if s.awaited {
		l.awaited++
	}
}

func (l *submitters) remove(s *submitter) {
	l.list.Remove(s.at)
	if s.awaited {
		l.awaited--
	}
}

func (l *submitters) first() *submitter { return l.list.Front().Value.(*submitter) }

// all yields those that wait; each may be removed meanwhile.
func (l *submitters) all() iter.Seq[*submitter] {
	return func(yield func(*submitter) bool) {
		for e := l.list.Front(); e != nil; {
			next := e.Next()
			if !yield(e.Value.(*submitter)) {
				return
			}
			e = next
		}
	}
}
