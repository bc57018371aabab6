package actors

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// graph is that of which running task waits for what, over all pools of the
// process, since a cycle may lead through several. A task has one entry for
// each of its goroutines that waits. Waits that have a deadline do not enter it:
// they end by themselves.
type graph struct {
	waiting atomic.Int32 // entries. Written under mu

	mu sync.Mutex
}

var waitGraph graph

// entry is one wait: it ends when one of the ways has become free. While its
// signal or nudge tells that something has changed, the task is about to look
// for something to run in place, and counts as free. (A signal with a buffer,
// which cannot be looked at, says no more than that one of the ways is ready.)
type entry struct {
	ways   []Wait
	signal <-chan struct{} // may be nil
	nudge  *Nudge          // may be nil
	wake   wakeup          // the waiter's
	// broken makes the waiter, which is woken, look again: a cycle that somebody
	// else has closed leads through it. Guarded by the graph's lock.
	broken   bool
	insisted bool // the waiter cannot give up

	room [2]Wait // for ways
}

func newEntry(signal <-chan struct{}, nudge *Nudge, ways ...Wait) *entry {
	return new(entry).set(newWakeup(), signal, nudge, ways...)
}

// set makes e the entry of another wait. It must not be in the graph.
func (e *entry) set(wake wakeup, signal <-chan struct{}, nudge *Nudge, ways ...Wait) *entry {
	*e = entry{signal: signal, nudge: nudge, wake: wake}
	e.ways = append(e.room[:0], ways...)
	return e
}

func (e *entry) changed() bool {
	return e.nudge != nil && isClosed(e.nudge.given) || cap(e.signal) == 0 && isClosed(e.signal) || e.broken
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// enter records that t waits, unless that could never end: then it reports false
// and records nothing.
func (g *graph) enter(ctx context.Context, t *Task, e *entry) bool {
	if _, finite := ctx.Deadline(); finite {
		return true
	}
	f := t.frame()
	g.mu.Lock()
	defer g.mu.Unlock()
	f.record(e)
	if t.goesOn() {
		return true
	}
	if len(stuck(t)) == 0 {
		return true
	}
	f.forget(len(f.waits) - 1)
	return false
}

// note is enter for a wait that cannot close a cycle.
func (g *graph) note(ctx context.Context, t *Task, e *entry) {
	if _, finite := ctx.Deadline(); finite {
		return
	}
	f := t.frame()
	g.mu.Lock()
	f.record(e)
	g.mu.Unlock()
}

// insist records a wait that cannot be given up. If it closes a cycle, another
// wait there, which can, is broken.
func (g *graph) insist(t *Task, e *entry) {
	f := t.frame()
	g.mu.Lock()
	defer g.mu.Unlock()
	e.insisted = true
	f.record(e)
	breakCycles(t)
}

// recheck breaks the cycles that lead through tasks, which something else than a wait
// has closed.
func (g *graph) recheck(tasks []*Task) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range tasks {
		if !t.goesOn() {
			breakCycles(t)
		}
	}
}

func breakCycles(t *Task) { breakAll(func() []*Task { return stuck(t) }) }

func breakAll(find func() []*Task) {
	for cycle := find(); len(cycle) > 0; cycle = find() {
		if !breakOne(cycle) {
			return
		}
	}
}

// filed is told that t, for which others may wait already, has got a place in the queue, or
// begins to wait for one. If it depends on one of them, a wait on that cycle is broken.
func (g *graph) filed(t *Task) {
	if g.isEmpty() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	breakAll(func() []*Task { return stuckIf(t.keepsPlace) })
}

// isEmpty reports that nothing is to be found in the graph: so it costs next to nothing but
// where tasks wait for tasks. Whoever begins to wait now looks for cycles itself, and sees
// what the caller has done before.
func (g *graph) isEmpty() bool { return g.waiting.Load() == 0 }

// record adds e to the waits of a task. Called with the graph's lock held.
func (f *frame) record(e *entry) {
	if f.waits == nil {
		f.waits = f.room[:0]
	}
	f.waits = append(f.waits, e)
	waitGraph.waiting.Add(1)
}

// breakOne breaks one of the waits of a cycle. Tasks may have others, which will end.
func breakOne(cycle []*Task) bool {
	in := make(map[*Task]bool, len(cycle))
	for _, t := range cycle {
		in[t] = true
	}
	onCycle := func(t *Task) bool { return in[t] }
	for _, t := range cycle {
		for _, e := range t.waits() {
			if !e.insisted && e.inVain(onCycle) {
				e.broken = true
				e.wake.give()
				return true
			}
		}
	}
	return false
}

// leave takes back what enter or insist recorded, if they did.
func (g *graph) leave(t *Task, e *entry) {
	f := t.frame()
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(f.waits, e); i >= 0 {
		f.forget(i)
	}
}

// forget takes out one entry, and keeps nothing of it alive. Called with the graph's lock
// held.
func (f *frame) forget(i int) {
	f.waits = slices.Delete(f.waits, i, i+1)
	waitGraph.waiting.Add(-1)
}

// waits are the entries of t. Called with the graph's lock held.
func (t *Task) waits() []*entry {
	if f := t.framed(); f != nil {
		return f.waits
	}
	return nil
}

// goesOn reports whether it is certain, without much ado, that the function of t is not
// stuck. The task may have ended though the function waits.
func (t *Task) goesOn() bool {
	left := plainSteps
	return len(t.waits()) == 0 || !t.Decided() && t.surelyFree(&left)
}

// plainSteps bounds how far surelyFree goes: forks are seldom nested deeper.
const plainSteps = 64

// surelyFree reports whether it is certain, without a search that has to remember
// where it was, that t is not stuck: each of its waits leads, by waits for single
// tasks, to one that runs and waits for nothing. So it is with most waits of forks.
func (t *Task) surelyFree(left *int) bool {
	if t.Decided() {
		return true
	}
	if *left--; *left < 0 || t.phase() != stateRunning {
		return false
	}
	if _, ok := t.body.(assistant); ok {
		return false
	}
	for _, e := range t.waits() {
		if !slices.ContainsFunc(e.ways, func(way Wait) bool {
			w, ok := way.(TaskWait)
			return ok && w.surelyFree(left)
		}) {
			return false
		}
	}
	return true
}

// stuck returns the tasks of the cycle that t is on, or waits for, if it can go on only
// after itself or another one can that cannot; else none. A task that waits in several
// goroutines is stuck if one of them is, because a function usually waits for what it has
// started.
func stuck(t *Task) (cycle []*Task) {
	return stuckIf(func(isStuck func(*Task) bool) bool { return isStuck(t) })
}

// stuckIf returns the tasks that are stuck of those that holds asks about, if it holds; else
// none. It is the greatest fixpoint: every task is taken for stuck until it turns out that
// what it waits for is not.
func stuckIf(holds func(isStuck func(*Task) bool) bool) (cycle []*Task) {
	var known []*Task
	free := map[*Task]bool{}
	isStuck := func(t *Task) bool {
		if len(t.waits()) == 0 {
			return false
		}
		isFree, found := free[t]
		if !found {
			known = append(known, t)
			free[t] = false
		}
		return !isFree
	}
	for changed := true; changed; {
		changed = false
		if !holds(isStuck) {
			return nil
		}
		for i := 0; i < len(known); i++ {
			if at := known[i]; !free[at] && !at.waitsInVain(isStuck) {
				free[at], changed = true, true
			}
		}
	}
	for _, t := range known {
		if !free[t] {
			cycle = append(cycle, t)
		}
	}
	return cycle
}

func (t *Task) waitsInVain(stuck func(*Task) bool) bool {
	return slices.ContainsFunc(t.waits(), func(e *entry) bool { return e.inVain(stuck) })
}

func (e *entry) inVain(stuck func(*Task) bool) bool {
	return !slices.ContainsFunc(e.ways, func(way Wait) bool {
		return way.Ready() || !way.Blockers().inVain(stuck)
	}) && !e.changed() // last: what the ways show has been signalled before
}

func (b Blockers) inVain(stuck func(*Task) bool) bool {
	neverEnds := func(t *Task) bool { return t.neverEnds(stuck) }
	keepsPlace := func(t *Task) bool { return t.keepsPlace(stuck) }
	return b.place != nil && stuck(b.place) || slices.ContainsFunc(b.All, neverEnds) || slices.ContainsFunc(b.AllPlaces, keepsPlace) ||
		allOf(b.Any, neverEnds) || allOf(b.AnyPlace, keepsPlace)
}

// allOf reports whether there are tasks, and something holds for all of them.
func allOf(tasks []*Task, holds func(*Task) bool) bool {
	return len(tasks) > 0 && !slices.ContainsFunc(tasks, func(t *Task) bool { return !holds(t) })
}

// keepsPlace reports that t will not give its place back: it does not begin, or its function
// does not return.
func (t *Task) keepsPlace(stuck func(*Task) bool) bool {
	return t.neverEnds(stuck) || t.Decided() && stuck(t) // in this order: it may be decided meanwhile
}

func (t *Task) neverEnds(stuck func(*Task) bool) bool {
	phase := t.phase()
	if phase >= stateDeciding {
		return false
	}
	if body, ok := t.body.(assistant); ok {
		return body.Blockers().inVain(stuck)
	}
	if body, ok := t.body.(parker); ok && t.isParked() {
		return body.ParkedBehind().inVain(stuck)
	}
	if phase == stateRunning {
		return stuck(t)
	}
	// It is in the queue, or waits for room there.
	holders := t.router.holders(t)
	return len(holders) > 0 && !slices.ContainsFunc(holders, func(holder *Task) bool { return !stuck(holder) })
}
