package pooltest

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// owner is the actor of a mailbox under test, as the mailbox sees it. It notes what it is
// given to handle, and whether it may be.
type owner struct {
	k          *Kit
	mailbox    actor.Mailbox
	dispatcher *testDispatcher
	does       func(message any) // with each message, before it is noted; may panic
	fails      func()            // when a failure was escalated

	busy      atomic.Bool
	mu        sync.Mutex
	handled   []any
	escalated []escalation
}

// escalation is a call of EscalateFailure.
type escalation struct{ reason, message any }

// hail is a system message that means nothing.
type hail struct{ n int }

// newOwner makes a mailbox and tells it of its owner, but does not start it.
func newOwner(k *Kit, newMailbox func() actor.Mailbox, how dispatching) *owner {
	o := &owner{k: k, mailbox: newMailbox(), dispatcher: &testDispatcher{how: how, runs: map[uint64]int{}}}
	o.mailbox.RegisterHandlers(o, o.dispatcher)
	return o
}

// started is newOwner and Start.
func started(k *Kit, newMailbox func() actor.Mailbox, how dispatching) *owner {
	o := newOwner(k, newMailbox, how)
	o.mailbox.Start()
	return o
}

func (o *owner) InvokeUserMessage(message any) {
	if _, ok := message.(hail); ok {
		o.k.violate("the system message %v was handled as a user message", message)
	}
	o.invoke(message)
}

func (o *owner) InvokeSystemMessage(message any) {
	if _, ok := message.(hail); !ok {
		o.k.violate("%T %v was handled as a system message", message, message)
	}
	o.invoke(message)
}

func (o *owner) invoke(message any) {
	if !o.busy.CompareAndSwap(false, true) {
		o.k.violate("%v was handled before the actor had returned from the message before", message)
		return
	}
	defer o.busy.Store(false)
	if !o.dispatcher.runsHere() {
		o.k.violate("%v was handled on a goroutine that the dispatcher has not scheduled:\n%s", message, debug.Stack())
	}
	if o.does != nil {
		o.does(message)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.handled = append(o.handled, message)
}

func (o *owner) EscalateFailure(reason, message any) {
	o.mu.Lock()
	o.escalated = append(o.escalated, escalation{reason, message})
	o.mu.Unlock()
	if o.fails != nil {
		o.fails()
	}
}

// postUser posts user messages, one after another.
func (o *owner) postUser(messages ...any) {
	for _, m := range messages {
		o.mailbox.PostUserMessage(m)
	}
}

// mustHandle waits until the mailbox rests, and checks what it has handled.
func (o *owner) mustHandle(when string, want ...any) {
	o.k.Idle()
	o.mu.Lock()
	defer o.mu.Unlock()
	if at := difference(o.handled, want); at >= 0 {
		o.k.violate("%s: handled %v; must have handled %v", when, excerpt(o.handled, at), excerpt(want, at))
	}
}

// difference is the first place where two lists differ, or -1.
func difference(a, b []any) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

// excerpt is what is about one place of a list, if that is long.
func excerpt(list []any, at int) string {
	if len(list) <= 12 {
		return fmt.Sprint(list)
	}
	from, to := max(0, min(at, len(list))-3), min(at+6, len(list))
	return fmt.Sprintf("(%d to %d of %d) %v", from+1, to, len(list), list[from:to])
}

// mustCount checks UserMessageCount.
func (o *owner) mustCount(when string, want int) {
	if n := o.mailbox.UserMessageCount(); n != want {
		o.k.violate("%s: UserMessageCount() is %d; %d user messages wait", when, n, want)
	}
}

// dispatching is when a dispatcher runs what it is given.
type dispatching int

const (
	beside dispatching = iota // on a goroutine, at once
	inline                    // in the call of Schedule
	held                      // when release is called
)

// testDispatcher is an actor.Dispatcher that knows which goroutines it runs.
type testDispatcher struct {
	mu      sync.Mutex
	how     dispatching
	waiting []func()
	runs    map[uint64]int // how many of them a goroutine runs, one inside the other
}

// Throughput is one message: others may run after each.
func (d *testDispatcher) Throughput() int { return 1 }

// Schedule has run called.
func (d *testDispatcher) Schedule(run func()) {
	d.mu.Lock()
	how := d.how
	if how == held {
		d.waiting = append(d.waiting, run)
	}
	d.mu.Unlock()
	switch how {
	case beside:
		go d.run(run)
	case inline:
		d.run(run)
	}
}

func (d *testDispatcher) run(run func()) {
	me := goroutine()
	d.mu.Lock()
	d.runs[me]++
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.runs[me]--; d.runs[me] == 0 {
			delete(d.runs, me)
		}
	}()
	run()
}

// release runs what was scheduled, and whatever is scheduled from then on.
func (d *testDispatcher) release() {
	d.mu.Lock()
	d.how = beside
	waiting := d.waiting
	d.waiting = nil
	d.mu.Unlock()
	for _, run := range waiting {
		go d.run(run)
	}
}

// runsHere reports whether the calling goroutine is one that Schedule has started or
// borrowed.
func (d *testDispatcher) runsHere() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runs[goroutine()] > 0
}

// String shows it among handled messages.
func (h hail) String() string { return fmt.Sprintf("system message %d", h.n) }
