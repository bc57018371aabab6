package actors

import "slices"

// This file says which tasks occupy the workers.

// holders are the running tasks of which one must go on before t, which waits
// in the queue, can start, or, if it waits for room there, can enter it. None if a worker
// is free for it, or may be soon. A pause makes no difference: it may end at any time.
func (r *Router) holders(t *Task) []*Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.phase() == stateCreated {
		return r.beforeRoom()
	}
	return r.holdersLocked(t)
}

// beforeRoom are the running tasks of which one must go on before a task can leave the
// full queue. None if one may soon. It looks at one task of each list in the queue: the same
// keeps the others of the list waiting.
func (r *Router) beforeRoom() []*Task {
	if r.hasRoomUnpaused() {
		return nil
	}
	all := r.holdersOfAll()
	if r.queue.length == 0 || len(all) == 0 && r.line.length > 0 {
		return all
	}
	before, free := all, false
	r.queue.lists(func(l *queueList) {
		t := l.first()
		if t == nil {
			return
		}
		switch holder, own := r.ownHolder(t); {
		case !own:
			free = free || len(all) == 0
		case holder == nil:
			free = true
		case !slices.Contains(before, holder):
			before = append(before, holder)
		}
	})
	if free {
		return nil
	}
	return before
}

func (r *Router) holdersLocked(t *Task) []*Task {
	switch holder, own := r.ownHolder(t); {
	case !own:
		return r.holdersOfAll()
	case holder == nil:
		return nil
	default:
		return []*Task{holder}
	}
}

// ownHolder is the holder of a task in the queue that not any worker can take next, or nil.
func (r *Router) ownHolder(t *Task) (holder *Task, own bool) {
	if c := t.chained(); c != nil && c.holder != t {
		if !c.holder.isLinked() {
			return c.holder, true
		}
		t = c.holder
	}
	if assigned := t.assignedWorker(); assigned > 0 {
		return r.slot(int32(assigned)).running(), true
	}
	return nil, false
}

// holdersOfAll are the tasks that keep all workers. None if a worker is free, is
// between two tasks, or has a function of which nobody can know what it waits for.
func (r *Router) holdersOfAll() []*Task {
	if r.active < r.Workers() {
		return nil
	}
	tasks := make([]*Task, 0, r.active)
	for _, s := range r.all() {
		if s.closed.Load() {
			continue
		}
		holder := s.running()
		if holder == nil {
			return nil
		}
		tasks = append(tasks, holder)
	}
	return tasks
}

// hasFree reports whether there are no holders of all.
func (r *Router) hasFree() bool {
	return r.active < r.Workers() || slices.ContainsFunc(r.all(), func(s *slot) bool { return !s.closed.Load() && s.running() == nil })
}

func (t *Task) assignedWorker() int {
	if l := t.hasLinks(); l != nil {
		return l.assigned
	}
	return 0
}

// running is the task that occupies the place, or nil.
func (s *slot) running() *Task {
	t := s.lent
	if t == nil && s.batch != nil {
		at, _ := s.batch.current()
		t = at.task
	}
	if t == nil || t.outside || !t.hasPlace() {
		return nil
	}
	return t
}

// busy counts the workers that are not about to ask for something to do. One that
// is at a place where there is nothing to run counts, too, until it goes on: the
// place is not counted among those that wait.
func (r *Router) busy() (n int) {
	for _, s := range r.all() {
		if s.isBusy() {
			n++
		}
	}
	return n
}

// busyOpen is busy without the workers whose place is closed.
func (r *Router) busyOpen() (n int) {
	for _, s := range r.all() {
		if s.isBusy() && !s.closed.Load() {
			n++
		}
	}
	return n
}

func (s *slot) isBusy() bool {
	switch {
	case s.lent != nil:
		return s.lent.hasPlace()
	case s.batch != nil:
		at, ok := s.batch.current()
		return ok && (at.task == nil || at.task.outside || at.task.hasPlace())
	}
	return false
}

// runningLocked lists the tasks that occupy workers.
func (r *Router) runningLocked() []*Task {
	var tasks []*Task
	for _, s := range r.all() {
		if t := s.running(); t != nil {
			tasks = append(tasks, t)
		}
	}
	return tasks
}
