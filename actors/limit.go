package actors

// This file says how many tasks wait, and whether one more may.

// surelyHasRoom is room without a look at the workers: it may say no too often,
// for it counts tasks in batches until the worker reports.
func (r *Router) surelyHasRoom() bool {
	return r.config.Limit == Unlimited ||
		r.line.length+r.queue.length+r.loaned-r.uncounted+r.active < r.config.Limit+r.places()
}

// room reports whether one more task may wait. Tasks that a free worker is
// about to take do not count as waiting.
func (r *Router) room() bool {
	if r.paused.Load() {
		return r.waiting() < r.config.Limit
	}
	return r.surelyHasRoom() || r.hasRoomUnpaused()
}

// hasRoomUnpaused is room for a pool in which every free worker takes a task.
func (r *Router) hasRoomUnpaused() bool { return r.waiting()+r.busyOpen() < r.config.Limit+r.Workers() }

// places is how many tasks run, or would be taken up at once.
func (r *Router) places() int {
	if r.paused.Load() {
		return r.active
	}
	return r.Workers()
}

// roomForWaiter is room for those who wait if there is none: they need not be
// told of a worker that is between two tasks and about to come and let them in.
// Others only have room to give away if they have a batch of several.
func (r *Router) roomForWaiter() bool {
	return r.surelyHasRoom() || r.loaned > 0 && r.room()
}

// waiting counts the tasks that wait, those that enter a full queue excepted. A worker
// that has come to a place at which nothing waits any more, and has yet to say so, makes
// it one less than it is, for that moment.
func (r *Router) waiting() int {
	n := r.line.length + r.queue.length - r.uncounted
	for s := r.sharing.head; s != nil; s = s.next {
		n += s.batch.rest()
	}
	return max(0, n)
}
