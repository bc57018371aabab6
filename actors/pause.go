package actors

// This file makes a pool pause. While it does, workers take up nothing new, and
// nobody is woken for what waits; everything else goes on: tasks are accepted, those
// that run are finished, with what they wait for in their own places.

// Pause makes the workers take up nothing new. What they have not begun goes back to
// the line. It reports false if the pool is not open.
func (r *Router) Pause() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != open {
		return false
	}
	if !r.paused.Swap(true) {
		r.emit(Event{Kind: PoolPaused})
	}
	r.kept = nil // a pool that nobody can resume any more must be noticed
	r.gather()
	return true
}

// Resume ends a pause.
func (r *Router) Resume() {
	var fx effects
	r.mu.Lock()
	r.resume(&fx)
	r.unlock(&fx)
}

// resume has the workers come that are needed: one for the line, which brings the
// next, and those for whom something waits that is for them alone.
func (r *Router) resume(fx *effects) {
	if !r.paused.Load() {
		return
	}
	r.paused.Store(false)
	r.emit(Event{Kind: PoolResumed})
	if r.outstanding > 0 {
		r.keep()
	}
	for number := range r.queue.own {
		if r.queue.ownOf(number).length() > 0 {
			r.rouseWorker(number, fx)
		}
	}
	r.rouse(fx)
	r.admit(fx)
}

// Paused reports whether the pool pauses.
func (r *Router) Paused() bool { return r.paused.Load() }

// IsHeldUp reports whether a long task that can be split shall leave the rest to others,
// or for later: the pool pauses, or the worker's place is closed.
func (t *Task) IsHeldUp() bool {
	return t.router.paused.Load() || t.place > 0 && t.router.slot(t.place).closed.Load()
}
