package pooltest

import (
	"math/rand/v2"
)

// strategy chooses who goes on. Its methods are called one at a time.
type strategy interface {
	// choose returns which of those that can go on does, in the given step; last is
	// who ran before, or nil.
	choose(step int, last *strand, candidates []*turn) int
	// met is told of each strand once, before its first turn.
	met(*strand)
}

// walk chooses among all with equal chances.
type walk struct{ random *rand.Rand }

func newWalk(seed uint64) *walk { return &walk{rand.New(rand.NewPCG(seed, 1))} }

func (w *walk) met(*strand) {}
func (w *walk) choose(_ int, _ *strand, candidates []*turn) int {
	return w.random.IntN(len(candidates))
}

// pct is probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and
// Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs,
// ASPLOS 2010). Each strand has a priority, drawn at random, and the highest goes on. At
// depth-1 steps, drawn at random among the first of a run, the one that would go on gets
// a priority below all others.
type pct struct {
	random  *rand.Rand
	changes map[int]int // step → the low priority that is given there
	taken   map[int]bool
}

func newPCT(seed uint64, depth, steps int) *pct {
	p := &pct{random: rand.New(rand.NewPCG(seed, 2)), changes: map[int]int{}, taken: map[int]bool{}}
	for i := 1; i < depth; i++ {
		p.changes[p.random.IntN(max(1, steps))] = depth - i
	}
	return p
}

// met gives a strand its place among the priorities, all of which are higher than those
// of the changes.
func (p *pct) met(st *strand) {
	for {
		if st.priority = maxDepth + p.random.IntN(1<<30); !p.taken[st.priority] {
			p.taken[st.priority] = true
			return
		}
	}
}

func (p *pct) choose(step int, _ *strand, candidates []*turn) int {
	best := highest(candidates)
	if low, ok := p.changes[step]; ok {
		candidates[best].of.priority = low
		best = highest(candidates)
	}
	return best
}

func highest(candidates []*turn) (best int) {
	for i, t := range candidates {
		if t.of.priority > candidates[best].of.priority {
			best = i
		}
	}
	return best
}

// maxDepth is above every Depth.
const maxDepth = 1 << 10

// script makes no context switch without need, but those that it is told: in a step the
// strand with a number, if it can go on.
type script map[int]int

func (script) met(*strand) {}
func (s script) choose(step int, last *strand, candidates []*turn) int {
	if number, ok := s[step]; ok {
		for i, t := range candidates {
			if t.of.number == number {
				return i
			}
		}
	}
	return byDefault(last, candidates)
}

// misfit is the first step of a script that a run has not made.
func (s script) misfit(t Trace) (step int, ok bool) {
	for _, step := range s.steps() {
		if step >= len(t) || t[step].number != s[step] {
			return step, true
		}
	}
	return 0, false
}
