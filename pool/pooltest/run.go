package pooltest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// Run runs a test in virtual time, with a kit of its own. Its goroutines run as Go has
// them run, several at a time; [Explore] has them run in one order after another.
//
// When body returns, or ends with FailNow, the kit stops the pools and the actors that it
// has made and reports, as failures, what does not stop: pools and actors by name,
// goroutines by their stacks. What was logged is shown if the test fails. Run does not
// return before; it takes no real time but what the test computes. It must not be called
// in Run, Explore or synctest.Test.
func Run(t *testing.T, body func(k *Kit)) {
	t.Helper()
	mustBegin(t, "Run", body)
	s := takeSeat()
	var k *Kit
	left := inBubble(t, func(t *testing.T) {
		k = newKit(t, s, nil)
		defer func() {
			if reason := recover(); reason != nil {
				k.panicked(reason)
			}
			k.finish()
			s.rise()
			if t.Failed() {
				if log := k.log.String(); log != "" {
					fmt.Fprintf(t.Output(), "what was logged, by virtual time:\n%s\n", log)
				}
			}
		}()
		body(k)
	})
	if len(left) > 0 {
		if log := k.log.String(); log != "" && !t.Failed() { // else it has been shown
			fmt.Fprintf(t.Output(), "what was logged, by virtual time:\n%s\n", log)
		}
		t.Fatalf("%d goroutines wait for ever, the body or what it has left:\n%s", len(left), strings.Join(left, "\n\n"))
	}
	giveSeat(s)
}

// inBubble calls f in a bubble and waits for all its goroutines. If some of them wait for
// ever it returns their stacks.
func inBubble(t *testing.T, f func(t *testing.T)) (left []string) {
	over := make(chan any, 1)
	var bubble string
	go func() {
		defer func() {
			reason := recover()
			if reason != nil && bubble != "" {
				left = stacksIn(bubble)
			}
			over <- reason
		}()
		synctest.Test(t, func(t *testing.T) {
			bubble = bubbleOf()
			kitBubbles.Store(bubble, true)
			defer kitBubbles.Delete(bubble)
			f(t)
		})
	}()
	reason := <-over
	if reason != nil && len(left) == 0 {
		panic(reason)
	}
	return left
}

// kitBubbles are those that inBubble has made.
var kitBubbles sync.Map

// mustBegin ends a test that is to begin where it cannot. In a bubble of the kit the test
// is not the one whose goroutine calls, so FailNow would be wrong; a panic is reported by
// the kit.
func mustBegin(t *testing.T, function string, body func(*Kit)) {
	t.Helper()
	if body == nil {
		t.Fatalf("pooltest: %s needs a body; it is nil", function)
	}
	bubble := bubbleOf()
	if bubble == "" {
		return
	}
	if _, ok := kitBubbles.Load(bubble); ok {
		panic(fmt.Sprintf("pooltest: %s was called inside of Run or Explore; a body has one Kit, and begins no test of its own", function))
	}
	t.Fatalf("pooltest: %s was called inside of synctest.Test; it has virtual time of its own, so call it outside", function)
}
