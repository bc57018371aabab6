package pooltest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// hung is where a run fails that does not end.
const hung = "hung"

// defaultLength is the length of runs before there was one.
const defaultLength = 100

// outcome is what came of a run.
type outcome struct {
	trace    Trace
	failures []failure
	log      string
	left     []string // stacks of goroutines that wait for ever
	stuck    string   // why the run was given up, and cannot be run again
	skipped  bool
}

func (o *outcome) failed() bool { return o.is() != "" }

// is is what a failure is recognised by, in another run; "" if there is none.
func (o *outcome) is() string {
	switch {
	case len(o.failures) > 0:
		return o.failures[0].where
	case len(o.left) > 0:
		return "waits for ever"
	case o.stuck != "":
		return "stuck"
	}
	return ""
}

// run runs the body once.
func (e *explorer) run(p plan) *outcome {
	e.runs++
	if e.seat == nil {
		e.seat = takeSeat()
	}
	seat := e.seat // a run that is given up has it for itself
	o := &outcome{}
	failedBefore := e.t.Failed()
	over := make(chan struct{})
	var mu sync.Mutex // of what the watchdog reads
	var bubble string
	go func() {
		defer close(over)
		left := inBubble(e.t, func(*testing.T) {
			mu.Lock()
			bubble = bubbleOf()
			mu.Unlock()
			e.once(p, o, seat)
		})
		o.left = left
	}()
	if stuck := e.await(over); stuck {
		mu.Lock()
		defer mu.Unlock()
		e.seat = nil
		// What the run writes to o it may write yet.
		return &outcome{stuck: fmt.Sprintf("a run has made no step for %v: somebody waits for what the harness does not know of, a lock, say, whose holder waits for a turn. The goroutines of the run:\n%s",
			e.options.Patience, strings.Join(stacksIn(bubble), "\n\n"))}
	}
	if len(o.left) > 0 {
		e.seat = nil // they may still use it
	}
	if e.t.Failed() && !failedBefore {
		o.stuck = "the body has failed the test itself, by its testing.T, where it should have told the Kit: give the Kit to assertions"
	}
	return o
}

// await waits for the end of a run, and reports true if that does not come.
func (e *explorer) await(over <-chan struct{}) (stuck bool) {
	before := e.steps.Load()
	timer := time.NewTimer(e.options.Patience)
	defer timer.Stop()
	for {
		select {
		case <-over:
			return false
		case <-timer.C:
			now := e.steps.Load()
			if now == before {
				return true
			}
			before = now
			timer.Reset(e.options.Patience)
		}
	}
}

// once runs the body in the bubble that the goroutine is in.
func (e *explorer) once(p plan, o *outcome, seat *seat) {
	s := newScheduler(e.strategy(p), p.seed, e.options.Steps, func() { e.steps.Add(1) })
	k := newKit(e.t, seat, s)
	why := s.loop(func() {
		returned := false
		defer func() {
			switch reason := recover(); {
			case reason != nil:
				k.panicked(reason)
			case !returned && !k.Failed() && !k.Skipped():
				k.fail("the body has ended its goroutine without the Kit: by runtime.Goexit, or by FailNow or SkipNow of a testing.T; call those of the Kit")
			}
			k.finish()
		}()
		e.body(k)
		returned = true
	})
	s.mu.Lock()
	o.trace = s.trace
	s.mu.Unlock()
	switch why {
	case "":
	case waitTaken:
		o.stuck = why
	default:
		k.mu.Lock()
		k.failures = append(k.failures, failure{where: hung, message: why + ":\n" + strings.Join(stacksIn(bubbleOf()), "\n\n")})
		k.mu.Unlock()
		s.giveUp()
		k.faults.conclude()
	}
	s.release()
	seat.rise()
	k.mu.Lock()
	defer k.mu.Unlock()
	o.failures, o.skipped = k.failures, k.skipped
	if len(o.failures) > 0 {
		o.log = k.log.String()
	}
}

// waitTaken is what is said of a body that waits as only the scheduler can.
const waitTaken = "synctest.Wait was called in a body of Explore, which itself waits by it: a body calls Kit.Idle in its stead"

// settled waits until nobody in the bubble can go on, and reports false if somebody else
// waits for that.
func settled() (ok bool) {
	defer func() { ok = recover() == nil }()
	synctest.Wait()
	return true
}
