package actors

import "slices"

// This file is about tasks that leave the queue otherwise than to a worker.

// remove is told that a task was decided while it waited.
func (r *Router) remove(t *Task) {
	var fx effects
	r.mu.Lock()
	r.leftPlace(t, &fx)
	r.admit(&fx)
	r.unlock(&fx)
}

// leftPlace accounts for a task that no longer waits though its place is there.
func (r *Router) leftPlace(t *Task, fx *effects) {
	l := t.hasLinks()
	if r.parked.has(t) {
		r.parked.remove(t)
		return
	}
	switch {
	case l != nil && l.in != nil:
		r.queue.take(t)
		r.release(t, fx)
	case l != nil && l.order > 0: // a worker has it in its batch and passes over it
	case l != nil && l.held:
		r.forgetHeld(t)
	case t.exempt && r.unpush(t):
	default:
		if !t.exempt {
			r.uncounted++
		}
		r.leftHole()
	}
}

// leftHole notes that nothing waits any more at a place that stays in the line. Many such
// places are worth a walk.
func (r *Router) leftHole() {
	if r.holes++; r.holes > manyHoles && 2*r.holes > r.line.length+r.queue.all {
		r.compact()
	}
}

// unpush takes a place out of the line that does not count towards the limit, if it
// is the last one and nothing was put into the queue since. Otherwise whoever comes to it
// passes over it.
func (r *Router) unpush(t *Task) bool {
	if r.queue.after >= r.line.pushed || !r.line.unpush(t) {
		return false
	}
	r.movedUp(r.line.pushed + 1)
	return true
}

// oldestInLine is line.oldest. What is gone and stands before it is taken out, so that the
// next look is short.
func (r *Router) oldestInLine() (q *queued, at uint64) {
	gone := r.line.trim()
	r.uncounted -= gone
	r.holes = max(0, r.holes-gone)
	return r.line.oldest()
}

// compact takes the places out of the line at which nothing waits any more. What it walks
// along is less than twice the number of those that have come since the last time.
func (r *Router) compact() {
	r.holes = 0
	r.movedUp(r.line.compact()...)
}

// movedUp follows on places of the line that were taken out, in their order: what comes
// after them has moved up.
func (r *Router) movedUp(gone ...uint64) {
	r.uncounted -= len(gone)
	if len(gone) == 0 {
		return
	}
	r.ages.movedUp(gone)
	if r.queue.after >= gone[0] { // else nothing was put into the queue since
		r.queue.movedUp(gone)
	}
}

// movedUp is which place of the line another one has become, of which some are gone.
func movedUp(place uint64, gone []uint64) uint64 {
	before, _ := slices.BinarySearch(gone, place+1)
	return place - uint64(before)
}

// manyHoles is how many places at which nothing waits are not worth a walk.
const manyHoles = 64

// ClaimFor claims t, or what has to run before it, for a task that waits for it
// on the given worker.
func (r *Router) ClaimFor(t *Task, worker int, nudge *Nudge) *Task {
	if t.phase() != stateQueued {
		return nil
	}
	var fx effects
	r.mu.Lock()
	defer r.unlock(&fx)
	if fixed := t.fixed(); fixed > 0 && fixed != worker {
		return nil
	}
	if c := t.chained(); c != nil && c.holder != t {
		if !c.holder.isLinked() {
			c.nudges.Add(nudge)
			return nil
		}
		t = c.holder
	}
	if !t.claim() {
		nudge.Give() // what t held back may be free now
		return nil
	}
	if t.isLinked() {
		r.queue.take(t)
	} else if !t.pinned() {
		if !t.exempt {
			r.uncounted++
		}
		r.leftHole()
	}
	r.besides(t, worker)
	r.admit(&fx)
	return t
}

// besides takes down that t runs in the place of a task that waits, on a worker, or in
// that of its submitter (0).
func (r *Router) besides(t *Task, worker int) {
	t.outside = true
	t.place = int32(worker)
	r.beside.add(t)
}
