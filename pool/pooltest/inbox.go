package pooltest

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Receipt is a message that a probe has received.
type Receipt struct {
	Message any
	Sender  *actor.PID    // nil: none
	At      time.Duration // virtual time since the test began
	// Again says that it is an [*actor.Terminated] that the probe had received before.
	Again bool
}

// String is a line about it.
func (r Receipt) String() string {
	s := show(r.Message)
	if r.Sender != nil {
		s += " from " + showPID(r.Sender)
	}
	if r.Again {
		s += ", again"
	}
	return fmt.Sprintf("%s at %v", s, r.At)
}

// inbox is what a probe has received. The actor adds to it, expectations take from it, in
// any goroutine.
type inbox struct {
	kit  *Kit
	name string
	pid  *actor.PID

	mu        sync.Mutex
	receipts  []Receipt     // are only added
	next      int           // the first receipt that has not been taken
	taken     int           // 1 + the index of the one that was taken last; 0: none
	changed   chan struct{} // nil, or closed when a message comes or the actor stops
	stopped   bool
	watched   []*actor.PID
	autopilot func(message any, sender *actor.PID)
}

// receive is the actor.
func (b *inbox) receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started, *actor.Stopping, *actor.Restarting:
	case *actor.Stopped:
		b.change(func() { b.stopped = true })
	default:
		b.accept(Receipt{Message: c.Message(), Sender: c.Sender(), At: b.kit.Elapsed()})
	}
}

func (b *inbox) accept(r Receipt) {
	b.mu.Lock()
	fly := b.autopilot
	b.mu.Unlock()
	if fly != nil {
		b.fly(fly, r)
	}
	b.change(func() {
		if told, ok := r.Message.(*actor.Terminated); ok {
			r.Again = slices.ContainsFunc(b.receipts, func(before Receipt) bool { return before.Message == told })
		}
		b.receipts = append(b.receipts, r)
	})
}

// fly calls the autopilot. Its panic is reported here: as a failure of the actor it would
// be dealt with by restarting the probe, and nobody would know.
func (b *inbox) fly(autopilot func(any, *actor.PID), r Receipt) {
	defer func() {
		if reason := recover(); reason != nil {
			b.kit.note(failure{
				where:   "autopilot of probe " + b.name,
				message: fmt.Sprintf("panic: %v, with %v\n%s", reason, r, debug.Stack()),
			})
		}
	}()
	autopilot(r.Message, r.Sender)
}

// change makes a change and wakes those that wait for one.
func (b *inbox) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// look takes the next message, if it came by a time; or returns what will be closed when
// there may be one. That is nil when none will come by that time.
func (b *inbox) look(deadline time.Duration) (r Receipt, ok bool, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.next < len(b.receipts) && b.receipts[b.next].Again {
		b.next++
	}
	if b.next < len(b.receipts) && b.receipts[b.next].At <= deadline {
		b.next++
		b.taken = b.next
		return b.receipts[b.taken-1], true, nil
	}
	if b.stopped || b.kit.Elapsed() > deadline {
		return r, false, nil
	}
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return r, false, b.changed
}

// take waits until there is a message, and takes it; or until none has come by a time.
// What came at that very time is there a nanosecond later: time passes only when nobody
// has anything to do.
func (b *inbox) take(deadline time.Duration) (Receipt, bool) {
	var over <-chan time.Time
	for {
		r, ok, changed := b.look(deadline)
		if ok || changed == nil {
			return r, ok
		}
		if over == nil {
			timer := time.NewTimer(deadline - b.kit.Elapsed() + 1)
			defer timer.Stop()
			over = timer.C
		}
		b.await(changed, over)
	}
}

// await waits for either, and under Explore lets it be chosen who goes on.
func (b *inbox) await(changed <-chan struct{}, over <-chan time.Time) {
	select {
	case <-changed:
	case <-over:
	}
	if s := b.kit.scheduler; s != nil {
		s.Yield("woken by probe " + b.name)
	}
}

// last is the message that was taken last.
func (b *inbox) last() (Receipt, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken == 0 {
		return Receipt{}, false
	}
	return b.receipts[b.taken-1], true
}

// shownReceipts is how many of the last messages a failure lists.
const shownReceipts = 10

// fatal fails the test, with the last messages of the probe, and ends the body.
func (b *inbox) fatal(format string, args ...any) {
	b.kit.Fatalf("probe %s: %s\n%s", b.name, fmt.Sprintf(format, args...), b.history())
}

// history lists the last messages. What shows them may call methods of theirs, so it does
// not hold the lock.
func (b *inbox) history() string {
	b.mu.Lock()
	receipts, next, stopped := b.receipts, b.next, b.stopped
	b.mu.Unlock()
	var text strings.Builder
	if len(receipts) == 0 {
		text.WriteString("it has received nothing")
	} else {
		fmt.Fprintf(&text, "the last of %d messages that it has received, those that nothing has taken with +:", len(receipts))
	}
	for i := max(0, len(receipts)-shownReceipts); i < len(receipts); i++ {
		mark := ' '
		if i >= next && !receipts[i].Again {
			mark = '+'
		}
		fmt.Fprintf(&text, "\n  %c %v", mark, receipts[i])
	}
	if stopped {
		text.WriteString("\nthe probe has stopped")
	}
	return text.String()
}

// check panics when the test is over.
func (b *inbox) check(method string) {
	b.kit.mu.Lock()
	over := b.kit.over
	b.kit.mu.Unlock()
	if over {
		panic(fmt.Sprintf("pooltest: Probe.%s was called, on probe %s, after its test, %s, had ended", method, b.name, b.kit.Name()))
	}
}
