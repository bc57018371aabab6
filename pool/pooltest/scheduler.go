package pooltest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/pprof"
	"sync"
	"time"
	"unsafe"
)

// scheduler lets the goroutines of one run of a test body go on one at a time, in an
// order that a strategy chooses. It implements actors.Scheduler.
//
// A strand is what runs one after another: an actor, the body, a goroutine that the kit
// has started. Where another strand may go first a strand takes a turn: it waits until
// it is chosen. The goroutine of the bubble (loop) chooses when nothing runs, which it
// learns from synctest: every goroutine waits for a turn, or for something else that
// only another can give.
//
//	ready → chosen → running → ready       takes its next turn
//	                         → waiting     for a message, a result, a time
//	                         → over
//
// Whoever waits for something else than a turn is not chosen when it comes, but by the
// kit and the pool takes a turn as the first thing then.
//
// What ends each wait: that of a strand for its turn, loop, which chooses all in the end,
// or release; that of loop, synctest, or its limit of virtual time. In a run that was given
// up nothing does: who goes on might do so without an end.
type scheduler struct {
	strategy strategy
	random   *rand.Rand
	progress func() // tells the watchdog that a step was made
	most     int    // steps of a run
	begun    time.Time
	wake     chan struct{} // a turn is being waited for, or the body has ended

	mu       sync.Mutex
	strands  map[string]*strand
	marked   map[unsafe.Pointer]*strand // by the mark of their goroutines
	ready    []*turn                    // in the order in which they came
	fresh    []*turn                    // those that came since the last step
	met      int                        // strands that have a number
	last     *strand
	trace    Trace
	released bool // nobody waits for a turn any more
	given    bool // up: nobody gets one any more
	bodyOver bool
	quiet    bool // what is chosen is not noted any more
}

func newScheduler(s strategy, seed uint64, most int, progress func()) *scheduler {
	return &scheduler{
		strategy: s,
		random:   rand.New(rand.NewPCG(seed, 3)),
		progress: progress,
		most:     most,
		begun:    time.Now(),
		wake:     make(chan struct{}, 1),
		strands:  map[string]*strand{},
		marked:   map[unsafe.Pointer]*strand{},
	}
}

// Go has f called as a turn of the strand with that name.
func (s *scheduler) Go(name string, f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.strand(name)
	t := &turn{of: st, what: "runs", begin: func() {
		pprof.SetGoroutineLabels(st.labels)
		s.mu.Lock()
		s.marked[mark()] = st
		s.mu.Unlock()
		f()
	}}
	switch {
	case s.given:
	case s.released:
		go t.begin()
	default:
		s.add(t)
	}
}

// Yield takes a turn of the strand that calls.
func (s *scheduler) Yield(what string) { s.yield("", what, false) }

// YieldAs takes a turn of the strand with that name, which is the caller's.
func (s *scheduler) YieldAs(name, what string) { s.yield(name, what, false) }

// idle takes a turn that comes when nothing else can go on at this time.
func (s *scheduler) idle(what string) { s.yield("", what, true) }

func (s *scheduler) yield(name, what string, idle bool) {
	s.mu.Lock()
	if s.given {
		s.mu.Unlock()
		select {}
	}
	if s.released {
		s.mu.Unlock()
		return
	}
	t := &turn{what: what, resume: make(chan struct{}), idle: idle}
	if name == "" {
		t.of = s.caller()
	} else {
		t.of = s.strand(name)
	}
	s.add(t)
	s.mu.Unlock()
	<-t.resume
}

// note says more of what a strand does in its turn.
func (s *scheduler) note(name, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.trace); !s.quiet && !s.released && n > 0 && s.strand(name) == s.last {
		s.trace[n-1].What = what
	}
}

// IntN draws a number below n.
func (s *scheduler) IntN(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.IntN(n)
}

// now is the virtual time since the run began.
func (s *scheduler) now() time.Duration { return time.Since(s.begun) }

// add is called with mu held.
func (s *scheduler) add(t *turn) {
	s.fresh = append(s.fresh, t)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// strand is called with mu held.
func (s *scheduler) strand(name string) *strand {
	st := s.strands[name]
	if st == nil {
		st = &strand{name: name, number: -1}
		st.labels = pprof.WithLabels(context.Background(), pprof.Labels("strand", name))
		s.strands[name] = st
	}
	return st
}

// caller is the strand of the calling goroutine, with mu held: that whose turn it is, if
// the goroutine has none.
func (s *scheduler) caller() *strand {
	if st := s.marked[mark()]; st != nil {
		return st
	}
	if s.last == nil {
		return s.strand(bodyName)
	}
	return s.last
}

// hangLimit is how long, in virtual time, a run may stand still. Longer than any timeout
// that a test would wait for.
const hangLimit = 10 * 365 * 24 * time.Hour

// loop runs the body, and everything that it starts, until both have ended, or says why
// that does not come.
func (s *scheduler) loop(body func()) (why string) {
	s.Go(bodyName, func() {
		defer func() {
			s.mu.Lock()
			s.bodyOver = true
			s.mu.Unlock()
			select {
			case s.wake <- struct{}{}:
			default:
			}
		}()
		body()
	})
	for steps := 0; ; steps++ {
		if steps > s.most {
			return fmt.Sprintf("the run has not ended after %d steps", s.most)
		}
		if !settled() {
			return waitTaken
		}
		s.progress()
		t, over := s.choose()
		switch {
		case t != nil && t.begin != nil:
			go t.begin()
		case t != nil:
			close(t.resume)
		case over:
			return ""
		default:
			timer := time.NewTimer(hangLimit)
			select {
			case <-s.wake:
				timer.Stop()
			case <-timer.C:
				return "everybody waits, and nothing will come"
			}
		}
	}
}

// bodyName is the name of the strand of the test body.
const bodyName = "body"

// calm ends the choosing: what is left runs in the default order, and is not noted.
func (s *scheduler) calm() {
	s.mu.Lock()
	s.quiet = true
	s.mu.Unlock()
}

// giveUp leaves everybody where they are.
func (s *scheduler) giveUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given = true
	s.ready, s.fresh = nil, nil
}

// release lets everybody go on at once.
func (s *scheduler) release() {
	s.mu.Lock()
	s.released = true
	turns := append(s.ready, s.fresh...)
	s.ready, s.fresh = nil, nil
	s.mu.Unlock()
	for _, t := range turns {
		if t.begin != nil {
			go t.begin()
		} else {
			close(t.resume)
		}
	}
}
