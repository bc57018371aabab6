package actors

// This file is the router's side towards the workers: who takes which task, who
// is idle, and who is woken. What holds at every moment in which the lock is
// free: if a task waits that an idle worker may take, then some worker has been
// woken, or is about to come for its next task.

// idleList is a stack of the workers that wait for tasks, so that the one that
// worked last, whose memory is still in the cache, works next.
type idleList struct{ head *slot }

func (l *idleList) push(s *slot) {
	s.parked = true
	s.next = l.head
	if l.head != nil {
		l.head.prev = s
	}
	l.head = s
}

func (l *idleList) remove(s *slot) {
	if !s.parked {
		return
	}
	if s.prev == nil {
		l.head = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.prev, s.next, s.parked = nil, nil, false
}

// installed gives a worker's place the mailbox through which it is woken.
func (r *Router) installed(number int, box *mailbox) {
	r.mu.Lock()
	r.slots[number].box = box
	r.mu.Unlock()
}

// next returns a claimed task for a worker that is free, or nil; then the
// worker is idle and will be woken.
func (r *Router) next(number int) *Task {
	var fx effects
	r.mu.Lock()
	s := &r.slots[number]
	var t *Task
	for t = r.queue.next(number); t != nil; t = r.queue.next(number) {
		r.queue.take(t)
		if t.claim() {
			break
		}
		r.queue.release(t) // it was cancelled just now
	}
	if t == nil {
		if !s.parked {
			r.idle.push(s)
		}
	} else {
		r.idle.remove(s)
		t.frame.worker = number
		s.running = t
		r.busy++
		r.rouse(&fx)
	}
	r.admit(&fx)
	r.unlock(&fx)
	return t
}

// finished is told when the function of a claimed task has returned, by the
// goroutine that ran it, after the task was decided.
func (r *Router) finished(t *Task) {
	var fx effects
	r.mu.Lock()
	if s := &r.slots[t.frame.worker]; s.running == t {
		s.running = nil
		r.busy--
	} else {
		delete(r.beside, t)
	}
	if r.queue.release(t) {
		r.rouse(&fx)
	}
	r.admit(&fx)
	r.unlock(&fx)
}

// releaseKey lets the next task with the key of t go ahead.
func (r *Router) releaseKey(t *Task) {
	var fx effects
	r.mu.Lock()
	if r.queue.release(t) {
		r.rouse(&fx)
	}
	r.unlock(&fx)
}

// OthersWait reports whether tasks wait that the worker on which t runs could
// take. A long task that can be split makes room for them.
func (t *Task) OthersWait() bool {
	r := t.router
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.queue.next(t.frame.worker) != nil
}

// withdraw takes a worker that fails or stops off the idle list. If it had been
// woken for a task, another one is woken in its stead. A worker that has been
// replaced has no place in the list.
func (r *Router) withdraw(box *mailbox) {
	var fx effects
	r.mu.Lock()
	if s := &r.slots[box.number]; s.box == box {
		r.idle.remove(s)
	}
	r.rouse(&fx)
	r.unlock(&fx)
}

// rouse sees to it that a worker comes for the first task that any may take.
func (r *Router) rouse(fx *effects) {
	if r.queue.shared.head == nil {
		return
	}
	if s := r.idle.head; s != nil {
		r.idle.remove(s)
		fx.wake = append(fx.wake, s.box)
		return
	}
	for ; r.unstarted < len(r.slots); r.unstarted++ {
		if s := &r.slots[r.unstarted]; !s.started {
			r.start(s, fx)
			return
		}
	}
}

// rouseWorker sees to it that one certain worker comes.
func (r *Router) rouseWorker(number int, fx *effects) {
	s := &r.slots[number]
	switch {
	case s.parked:
		r.idle.remove(s)
		fx.wake = append(fx.wake, s.box)
	case !s.started:
		r.start(s, fx)
	}
}

func (r *Router) start(s *slot, fx *effects) {
	s.started = true
	fx.start = append(fx.start, s.number)
}

// StartAll starts the workers that have not been needed so far.
func (r *Router) StartAll() {
	var fx effects
	r.mu.Lock()
	for ; r.unstarted < len(r.slots); r.unstarted++ {
		if s := &r.slots[r.unstarted]; !s.started {
			r.start(s, &fx)
		}
	}
	r.unlock(&fx)
}

// remove takes a task out of the queue that was decided while it waited.
func (r *Router) remove(t *Task) {
	var fx effects
	r.mu.Lock()
	if t.in != nil {
		r.queue.take(t)
		if r.queue.release(t) {
			r.rouse(&fx)
		}
		r.admit(&fx)
	} else {
		r.forgetHeld(t)
	}
	r.unlock(&fx)
}

// ClaimFor claims t, or what has to run before it, for a task that waits for it
// on the given worker.
func (r *Router) ClaimFor(t *Task, worker int, nudge *Nudge) *Task {
	var fx effects
	r.mu.Lock()
	defer r.unlock(&fx)
	if t.in == nil || t.worker > 0 && t.worker != worker {
		return nil
	}
	if c := t.chain; c != nil && c.holder != t {
		if c.holder.in == nil {
			c.nudges = append(c.nudges, nudge)
			return nil
		}
		t = c.holder
	}
	r.queue.take(t)
	if !t.claim() {
		if r.queue.release(t) {
			r.rouse(&fx)
		}
		nudge.give() // what t held back may be free now
		t = nil
	} else {
		r.beside[t] = struct{}{}
	}
	r.admit(&fx)
	return t
}

// holders are the running tasks of which one must go on before t, which waits
// in the queue, can start. None if a worker is free for it.
func (r *Router) holders(t *Task) []*frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.in == nil {
		return nil
	}
	if c := t.chain; c != nil && c.holder != t {
		if c.holder.in == nil {
			return []*frame{&c.holder.frame}
		}
		t = c.holder
	}
	if t.assigned > 0 {
		if running := r.slots[t.assigned].running; running != nil {
			return []*frame{&running.frame}
		}
		return nil
	}
	if r.busy < r.config.Workers {
		return nil
	}
	frames := make([]*frame, 0, r.busy)
	for _, running := range r.runningLocked() {
		frames = append(frames, &running.frame)
	}
	return frames
}

// runningLocked lists the tasks that occupy workers.
func (r *Router) runningLocked() []*Task {
	tasks := make([]*Task, 0, r.busy)
	for i := range r.slots {
		if t := r.slots[i].running; t != nil {
			tasks = append(tasks, t)
		}
	}
	return tasks
}
