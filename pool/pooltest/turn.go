package pooltest

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// strand is an actor or a goroutine.
type strand struct {
	name     string
	number   int             // in the order in which they first came; -1: has not come
	priority int             // see pct
	labels   context.Context // of its goroutines, and of those that they start
}

// turn is a strand that may go on.
type turn struct {
	of     *strand
	what   string
	begin  func()        // nil: somebody waits at resume
	resume chan struct{} // closed
	idle   bool          // is chosen when there is no other
}

// choose takes the next turn out of those that are ready, or says that none ever will be.
func (s *scheduler) choose() (next *turn, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.wake: // what it tells is seen here
	default:
	}
	// Those that came in one step may have come at once.
	slices.SortStableFunc(s.fresh, func(a, b *turn) int {
		return cmp.Or(strings.Compare(a.of.name, b.of.name), strings.Compare(a.what, b.what))
	})
	for _, t := range s.fresh {
		if t.of.number < 0 {
			t.of.number = s.met
			s.met++
			s.strategy.met(t.of)
		}
	}
	s.ready = append(s.ready, s.fresh...)
	s.fresh = s.fresh[:0]
	candidates := s.candidates()
	if len(candidates) == 0 {
		return nil, s.bodyOver
	}
	i := 0
	if s.quiet {
		i = byDefault(s.last, candidates)
	} else {
		i = s.strategy.choose(len(s.trace), s.last, candidates)
	}
	next = candidates[i]
	if !s.quiet {
		s.trace = append(s.trace, Step{
			At:        s.now(),
			Strand:    next.of.name,
			What:      next.what,
			Switch:    next.of != s.last,
			number:    next.of.number,
			deviates:  i != byDefault(s.last, candidates),
			preempted: next.of != s.last && indexOf(s.last, candidates) >= 0,
		})
	}
	s.last = next.of
	s.ready = slices.DeleteFunc(s.ready, func(t *turn) bool { return t == next })
	return next, false
}

// candidates are the turns that can be chosen: the first of each strand, and those that
// are for idle times only if there is no other.
func (s *scheduler) candidates() (those []*turn) {
	var idle []*turn
	for _, t := range s.ready {
		switch {
		case t.idle:
			idle = append(idle, t)
		case indexOf(t.of, those) < 0:
			those = append(those, t)
		}
	}
	if len(those) == 0 {
		return idle
	}
	return those
}

func indexOf(st *strand, turns []*turn) int {
	return slices.IndexFunc(turns, func(t *turn) bool { return t.of == st })
}

// byDefault is the choice of whoever makes no context switch without need: the strand
// that ran, or else the one that has waited longest.
func byDefault(last *strand, candidates []*turn) int { return max(0, indexOf(last, candidates)) }
