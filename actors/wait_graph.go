package actors

import (
	"context"
	"slices"
	"sync"
)

// graph is that of which running task waits for what, over all pools of the
// process, since a cycle may lead through several. A frame has one entry for
// each of its goroutines that waits. Waits that have a deadline do not enter it:
// they end by themselves.
type graph struct{ mu sync.Mutex }

var waitGraph graph

// entry is one wait: it ends when one of the ways has become free. While its
// signal or nudge tells that something has changed, the frame is about to look
// for something to run in place, and counts as free. (A signal with a buffer,
// which cannot be looked at, says no more than that one of the ways is ready.)
type entry struct {
	ways   []Wait
	signal <-chan struct{} // may be nil
	nudge  *Nudge          // may be nil
	// broken is closed, under the graph's lock, to make the waiter look again: a
	// cycle that somebody else has closed leads through it.
	broken   chan struct{}
	insisted bool // the waiter cannot give up
}

func newEntry(signal <-chan struct{}, nudge *Nudge, ways ...Wait) *entry {
	return &entry{ways: ways, signal: signal, nudge: nudge, broken: make(chan struct{})}
}

func (e *entry) changed() bool {
	return e.nudge != nil && isClosed(e.nudge.given) || cap(e.signal) == 0 && isClosed(e.signal) || isClosed(e.broken)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// enter records that f waits, unless that could never end: then it reports false
// and records nothing.
func (g *graph) enter(ctx context.Context, f *frame, e *entry) bool {
	if _, finite := ctx.Deadline(); finite {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	f.waits = append(f.waits, e)
	if inVain, _ := stuck(f); !inVain {
		return true
	}
	last := len(f.waits) - 1
	f.waits = slices.Delete(f.waits, last, last+1) // which keeps nothing alive
	return false
}

// insist records a wait that cannot be given up. If it closes a cycle, another
// wait there, which can, is broken.
func (g *graph) insist(f *frame, e *entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.insisted = true
	f.waits = append(f.waits, e)
	for inVain, cycle := stuck(f); inVain; inVain, cycle = stuck(f) {
		if !breakOne(cycle) {
			return
		}
	}
}

func breakOne(cycle []*frame) bool {
	for _, f := range cycle {
		for _, e := range f.waits {
			if !e.insisted && !e.changed() {
				close(e.broken)
				return true
			}
		}
	}
	return false
}

// leave takes back what enter or insist recorded, if they did.
func (g *graph) leave(f *frame, e *entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(f.waits, e); i >= 0 {
		f.waits = slices.Delete(f.waits, i, i+1)
	}
}

// stuck reports whether f can go on only after itself. It is the greatest
// fixpoint: every frame is taken for stuck until it turns out that what it
// waits for is not. A frame that waits in several goroutines is stuck if one of
// them is, because a function usually waits for what it has started. If f is
// stuck, so are the frames of the cycle.
func stuck(f *frame) (inVain bool, cycle []*frame) {
	known := []*frame{f}
	free := map[*frame]bool{f: false}
	isStuck := func(other *frame) bool {
		isFree, found := free[other]
		if !found {
			known = append(known, other)
			free[other] = false
		}
		return !isFree
	}
	for changed := true; changed; {
		changed = false
		for i := 0; i < len(known); i++ {
			if at := known[i]; !free[at] && !at.waitsInVain(isStuck) {
				free[at], changed = true, true
			}
		}
	}
	for _, other := range known {
		if !free[other] {
			cycle = append(cycle, other)
		}
	}
	return !free[f], cycle
}

func (f *frame) waitsInVain(stuck func(*frame) bool) bool {
	return slices.ContainsFunc(f.waits, func(e *entry) bool {
		return !slices.ContainsFunc(e.ways, func(way Wait) bool {
			return way.Ready() || !way.Blockers().inVain(stuck)
		}) && !e.changed() // last: what the ways show has been signalled before
	})
}

func (b Blockers) inVain(stuck func(*frame) bool) bool {
	neverEnds := func(t *Task) bool { return t.neverEnds(stuck) }
	return b.place != nil && stuck(b.place) || slices.ContainsFunc(b.All, neverEnds) ||
		len(b.Any) > 0 && !slices.ContainsFunc(b.Any, func(t *Task) bool { return !neverEnds(t) })
}

func (t *Task) neverEnds(stuck func(*frame) bool) bool {
	if t.Decided() {
		return false
	}
	if body, ok := t.body.(assistant); ok {
		return body.Blockers().inVain(stuck)
	}
	if t.state.Load() == stateRunning {
		return stuck(&t.frame)
	}
	holders := t.router.holders(t)
	return len(holders) > 0 && !slices.ContainsFunc(holders, func(f *frame) bool { return !stuck(f) })
}
