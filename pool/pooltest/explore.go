package pooltest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// Strategy says how [Explore] chooses who goes on.
type Strategy int

const (
	// PCT is probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and
	// Nagarakatte, ASPLOS 2010): actors and goroutines have random priorities, and a few
	// times in a run, at random, the one that would go on gets the lowest. A run finds a
	// bug that needs d such changes at most with a probability of at least 1/(n·s^(d-1)),
	// where n is the number of actors and goroutines, s that of steps, and d is
	// [Options].Depth. It is good at what happens only if somebody is held back for long.
	PCT Strategy = 1 + iota
	// RandomWalk chooses among all that can go on with equal chances, in each step. It is
	// good at what many orders show. It has no bound.
	RandomWalk
)

// String is the name of the strategy, as in a replay.
func (s Strategy) String() string {
	switch s {
	case PCT:
		return "pct"
	case RandomWalk:
		return "walk"
	}
	return fmt.Sprintf("Strategy(%d)", int(s))
}

// Options say what [Explore] tries. The zero value is of use.
type Options struct {
	// Seeds is how many runs there are, with the seeds from First on. 0: 1000, or 100
	// with -short.
	Seeds int
	// First is the first seed. 0: 1.
	First uint64
	// Strategy is how a run chooses. 0: one after the other, each for every second seed.
	Strategy Strategy
	// Depth is that of PCT: the number of ordering constraints that a bug may need. 0: 3.
	Depth int
	// Steps is how many a run may have; one that has more counts as one that does not end.
	// 0: 100,000.
	Steps int
	// Patience is for how long, in real time, a run may make no step before it counts as
	// blocked on something of which the harness does not know. 0: 10 s.
	Patience time.Duration
	// Replay, if not empty, is the one run to make instead: the Replay of a [Finding].
	// The flag -pooltest.replay comes before it.
	Replay string
	// NoShrink has the finding be the run as the seed gave it. Else it is the simplest that
	// fails like it, for which the body is run some hundred times more.
	NoShrink bool
}

func (o *Options) check() error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf("pooltest.Options: "+format, args...))
		}
	}
	wrong(o.Seeds < 0, "Seeds is %d; it must not be negative", o.Seeds)
	wrong(o.Strategy < 0 || o.Strategy > RandomWalk, "Strategy is %d; it must be 0, PCT or RandomWalk", int(o.Strategy))
	wrong(o.Depth < 0 || o.Depth >= maxDepth, "Depth is %d; it must be from 0 to %d", o.Depth, maxDepth-1)
	wrong(o.Steps < 0, "Steps is %d; it must not be negative", o.Steps)
	if o.Replay != "" {
		_, err := parsePlan(o.Replay)
		wrong(err != nil, "Replay: %v", err)
	}
	wrong(o.Patience < 0, "Patience is %v; it must not be negative", o.Patience)
	return errors.Join(errs...)
}

func (o *Options) defaults() {
	if o.Seeds == 0 {
		o.Seeds = 1000
		if testing.Short() {
			o.Seeds = 100
		}
	}
	o.First = max(o.First, 1)
	if o.Depth == 0 {
		o.Depth = 3
	}
	if o.Steps == 0 {
		o.Steps = 100_000
	}
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
}

// Explore runs a test body under many seeds. Each stands for one order in which the
// actors and goroutines go on that the kit knows of: message by message, task by task,
// waiter by waiter, timer by timer. All are legal: each could come about on a real
// machine. The same seed gives the same order, on any machine.
//
// If a run fails, Explore looks for the shortest deviation from the simplest order that
// still fails, and the test fails with what the body reported, the steps of that run, and
// a line that repeats it. The line is a flag of the test:
//
//	go test example.com/bank -run '^TestX$' -pooltest.replay=…
//
// The body must do the same in each run, but for the order: what depends on the order of
// a map, on real time, or on a global makes a test that cannot be repeated, and Explore
// says so, with the first step that differs. It runs once for each seed, in virtual time.
// It must not call Explore or Run.
//
// A body that waits for something in which the harness has no part, as for a lock that
// somebody holds who waits for a turn, is reported with the stacks of all.
func Explore(t *testing.T, options Options, body func(k *Kit)) {
	t.Helper()
	if f := Search(t, options, body); f != nil {
		fmt.Fprint(t.Output(), f)
		t.FailNow()
	}
}

// Search is Explore for those who expect a failure: it returns what it has found, or nil,
// and does not fail the test. A test can so show that it would notice a certain bug.
func Search(t *testing.T, options Options, body func(k *Kit)) *Finding {
	t.Helper()
	if err := options.check(); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, "Explore", body)
	options.defaults()
	e := &explorer{t: t, options: options, body: body}
	replay, err := replayed(options.Replay)
	switch {
	case err != nil:
		t.Fatal(err)
	case replay != nil:
		return e.replay(*replay)
	}
	return e.explore()
}

// explorer is one call of Explore. Its fields are touched by the goroutine of the test
// only, but for steps.
type explorer struct {
	t       *testing.T
	options Options
	body    func(*Kit)
	seat    *seat
	runs    int
	length  int           // of the first run, in steps
	steps   atomic.Uint64 // of all runs; the watchdog reads it
}

func (e *explorer) explore() *Finding {
	defer e.leave()
	e.length = defaultLength
	first := e.run(e.plan(e.options.First))
	switch {
	case first.skipped:
		e.t.SkipNow()
	case first.stuck != "":
		return e.finding(e.plan(e.options.First), first, 1)
	}
	if len(first.trace) > 0 {
		e.length = len(first.trace)
		first = e.run(e.plan(e.options.First))
	}
	for i := range uint64(e.options.Seeds) {
		p := e.plan(e.options.First + i)
		o := e.run(p)
		if i == 0 && !o.skipped {
			if f := e.differ(p, first, o); f != nil {
				return f
			}
		}
		switch {
		case o.skipped:
			e.t.SkipNow()
		case o.failed():
			return e.found(p, o)
		}
	}
	return nil
}

// leave gives the actor system back, if nothing was left in it.
func (e *explorer) leave() {
	if e.seat != nil {
		giveSeat(e.seat)
	}
}

// plan is a way of choosing that can be repeated.
type plan struct {
	strategy Strategy // 0: script
	seed     uint64
	depth    int // of PCT
	steps    int // among which PCT draws its changes
	script   script
}

func (e *explorer) plan(seed uint64) plan {
	p := plan{strategy: e.options.Strategy, seed: seed, depth: e.options.Depth, steps: e.length}
	if p.strategy == 0 {
		p.strategy = PCT + Strategy(seed%2)
	}
	return p
}

func (e *explorer) strategy(p plan) strategy {
	switch p.strategy {
	case PCT:
		return newPCT(p.seed, p.depth, p.steps)
	case RandomWalk:
		return newWalk(p.seed)
	}
	return p.script
}

// found makes the simplest out of a run that failed.
func (e *explorer) found(p plan, o *outcome) *Finding {
	runs := e.runs - 2 // the first seed was run three times
	if o.stuck == "" {
		if f := e.differ(p, o, e.run(p)); f != nil {
			return f
		}
	}
	if o.stuck == "" && len(o.left) == 0 && !e.options.NoShrink { // else each run would leave goroutines
		p.script, o = e.shrink(o)
		p.strategy = 0
		if f := e.differ(p, o, e.run(p)); f != nil {
			return f
		}
	}
	return e.finding(p, o, runs)
}
