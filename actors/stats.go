package actors

import "github.com/greenroom-go/greenroom/messages"

// Stats is a snapshot of a pool.
type Stats struct {
	// Workers is how many the pool has, whether started or not.
	Workers int
	// Started is how many workers there are now: they are started when first needed,
	// leave when they have been idle for too long, and after a Resize to fewer when
	// they have done what they were at.
	Started int
	// Running is how many of them have a task in hand.
	Running int
	// Paused says that the workers take up nothing new.
	Paused bool
	// Waiting is how many tasks are in the queue.
	Waiting int
	// Accepted counts tasks, maps and streams taken on so far.
	Accepted int64
	// Outcomes counts those that have ended, by how they did.
	Outcomes [messages.Outcomes]int64
	// Late counts outcomes that came after their task had ended otherwise, and
	// were dropped.
	Late int64
	// Overrun counts functions that were still at work a while after their task had
	// ended; Replaced is in whose stead other workers have come, of those that still are.
	Overrun  int64
	Replaced int
	// Restarts counts workers that were restarted or replaced.
	Restarts int64
	// Retried counts attempts at tasks that failed and were followed by another one.
	Retried int64
	// Recycled counts workers that began anew because they had worked enough.
	Recycled int64
}

// Stats returns a snapshot. It looks at every worker with the router's lock held. The
// outcomes add up to Accepted whenever nothing waits or runs.
func (r *Router) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.statsLocked()
}

func (r *Router) statsLocked() Stats {
	s := Stats{
		Workers:  r.Workers(),
		Running:  r.busy(),
		Paused:   r.paused.Load(),
		Waiting:  r.waiting(),
		Accepted: r.accepted,
		Late:     r.late.Load(),
		Overrun:  r.overruns,
		Replaced: r.replaced,
		Restarts: r.restarts.Load(),
		Retried:  r.retried.Load(),
		Recycled: r.recycled.Load(),
	}
	for i := range s.Outcomes {
		s.Outcomes[i] = r.outcomes[i].Load()
	}
	for _, slot := range r.all() {
		if slot.started {
			s.Started++
		}
		s.Outcomes[messages.Succeeded] += slot.succeeded.Load()
	}
	return s
}
