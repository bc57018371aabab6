package actors

import (
	"time"

	"github.com/greenroom-go/greenroom/messages"
)

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
	// Waiting is how many tasks are in the queue. While workers pass over the places of
	// tasks that ended before their turn, it may be less by one for each of them.
	Waiting int
	// Age is how long the task that has waited longest has waited, at least: as far as
	// the workers, and who called Stats, have looked at the clock since. 0 if that is not
	// known yet. So a queue that moves is known to within a task, and one that does not to
	// within the time between two calls.
	Age time.Duration
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
	now := sinceStart()
	age := r.age(now)
	r.noteAge(now)
	s := Stats{
		Age:      age,
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

// WorkerStats is a snapshot of one worker.
type WorkerStats struct {
	// Name is that of the worker.
	Name string
	// Started says that there is one: workers are started when first needed.
	Started bool
	// Busy says that it has a task in hand.
	Busy bool
	// Leaving says that it is going to stop when it has done what it is at: the pool has
	// fewer workers now, or another one has come in its stead.
	Leaving bool
	// Succeeded is how many tasks with that outcome it has run, and its predecessors of
	// the same name.
	Succeeded int64
}

// WorkerStats lists the workers by number: those that the pool has, and those that leave.
func (r *Router) WorkerStats() (workers []WorkerStats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.all() {
		closed := s.closed.Load()
		if closed && !s.started {
			continue
		}
		workers = append(workers, WorkerStats{
			Name:      r.WorkerName(int(s.number)),
			Started:   s.started,
			Busy:      s.isBusy(),
			Leaving:   s.started && (closed || s.leaving),
			Succeeded: s.succeeded.Load(),
		})
	}
	return workers
}
