package actors

import "time"

// This file has workers leave that have been idle for too long. What is idle longest is
// at the far end of the stack of the idle; one timer for all of them looks there. It
// runs only while a worker is idle, and as many as there must be have started.

// idleSteps is how exactly the idle time is kept: to an eighth. So the timer fires a
// few times in it, however many workers become idle at different moments.
const idleSteps = 8

// park takes down that a worker is idle.
//
// Model: park.
func (r *Router) park(s *slot) {
	r.idle.push(s)
	if r.config.IdleTimeout > 0 {
		s.parked = sinceStart()
		r.watchIdle(r.config.IdleTimeout)
	}
}

// watchIdle has the timer fire after d, unless it is going to fire before.
func (r *Router) watchIdle(d time.Duration) {
	if r.idleWatch || r.state != open {
		return
	}
	r.idleWatch = true
	if r.idleTimer == nil {
		r.idleTimer = r.AfterFunc("idle timeout", d, r.expire)
	} else {
		r.idleTimer.Reset(d)
	}
}

// expire has those workers leave that have been idle for long enough, the longest
// first, and keeps the minimum.
//
// Model: expire.
func (r *Router) expire() {
	var fx effects
	r.mu.Lock()
	r.idleWatch = false
	if r.readying > 0 { // none leaves as long as somebody waits for all
		r.mu.Unlock()
		return
	}
	limit := r.config.IdleTimeout
	now := sinceStart()
	spare := r.spareWorkers()
	for s := r.idle.tail; s != nil && spare > 0; s = r.idle.tail {
		if idleFor := now - s.parked; idleFor < limit {
			r.watchIdle(max(limit-idleFor, limit/idleSteps))
			break
		}
		s.leaving = true
		r.wake(s, &fx)
		spare--
	}
	r.unlock(&fx)
}

// watchIdleAgain has the timer fire soon, for workers that have been idle for a while, and
// may go now.
func (r *Router) watchIdleAgain() {
	if r.config.IdleTimeout > 0 && r.idle.tail != nil {
		r.watchIdle(r.config.IdleTimeout / idleSteps)
	}
}

// spareWorkers is how many workers there are beyond the minimum.
func (r *Router) spareWorkers() int {
	n := -r.config.MinWorkers
	for _, s := range r.all() {
		if s.started && !s.leaving && !s.closed.Load() {
			n++
		}
	}
	return n
}

// stopIdleTimer ends the watch when the pool takes no more tasks.
func (r *Router) stopIdleTimer() {
	if r.idleTimer != nil {
		r.idleTimer.Stop()
	}
}
