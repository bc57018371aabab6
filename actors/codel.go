package actors

import (
	"fmt"
	"math"
	"time"

	"github.com/greenroom-go/greenroom/messages"
)

// codel decides which tasks are shed, by how long they have waited: the algorithm of K.
// Nichols and V. Jacobson, "Controlling Queue Delay" (2012; RFC 8289). A queue whose delay
// falls below the target now and then is doing its work: it takes up bursts. One whose
// delay stays above it for an interval is only late for everybody; then one task is shed,
// and while that is not enough, more and more often: after the interval divided by the
// square root of how many there were.
//
// Its zero value sheds nothing. Guarded by the router's mutex.
type codel struct {
	target, interval time.Duration

	above    time.Duration // when the delay will have been above the target for long enough; 0: it is not above
	shedding bool
	next     time.Duration // when the next is shed
	count    int           // how many were, in this state
	before   int           // count, when the state was entered last
}

func (c *codel) isOn() bool { return c.target > 0 }

// sheds reports whether the task that a worker would take now is shed. It has waited for
// so long, and others wait behind it. If it is, sheds is asked about the next one.
func (c *codel) sheds(waited, now time.Duration, others int) bool {
	tooLate := c.staysAbove(waited, now, others)
	switch {
	case !tooLate:
		c.shedding = false
	case !c.shedding:
		c.enter(now)
		return true
	case now >= c.next:
		c.count++
		c.next = c.after(c.next)
		return true
	}
	return false
}

// staysAbove reports whether the delay has been above the target for an interval.
func (c *codel) staysAbove(waited, now time.Duration, others int) bool {
	switch {
	case waited < c.target, others == 0: // the last one is served in any case
		c.above = 0
	case c.above == 0:
		c.above = now + c.interval
	default:
		return now >= c.above
	}
	return false
}

// enter begins to shed: where it left off, if that was not long ago.
func (c *codel) enter(now time.Duration) {
	c.shedding = true
	since := c.count - c.before
	if since > 1 && now-c.next < 16*c.interval {
		c.count = since
	} else {
		c.count = 1
	}
	c.before = c.count
	c.next = c.after(now)
}

func (c *codel) after(t time.Duration) time.Duration {
	return t + time.Duration(float64(c.interval)/math.Sqrt(float64(c.count)))
}

// shed takes the tasks out of the queue that are shed instead of being taken by a worker,
// of which t would be the first, and returns what the worker takes.
func (r *Router) shed(s *slot, t *Task, fx *effects) *Task {
	now := sinceStart()
	for t != nil && !t.exempt {
		waited := now - t.linked().put
		if !r.codel.sheds(waited, now, r.queue.length-1) || !t.state.CompareAndSwap(stateQueued, stateDeciding) {
			return t
		}
		r.queue.take(t)
		r.release(t, fx)
		r.outcast = append(r.outcast, outcast{t, waited})
		t = r.candidate(s)
	}
	return t
}

// outcast is a task that is shed.
type outcast struct {
	task   *Task
	waited time.Duration
}

// end gives it its end, without the router's lock.
func (o outcast) end(r *Router) {
	r.emit(Event{Kind: TaskDropped, Task: o.task.Name()})
	o.task.settled(stateQueued, messages.Dropped, fmt.Errorf("%w: it waited for %v; the delay has been above %v for %v",
		messages.ErrDropped, o.waited, r.config.ShedTarget, r.config.ShedInterval))
}
