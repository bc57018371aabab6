package pooltest

import (
	"errors"
	"runtime"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

func returnsAMailbox(k *Kit, newMailbox func() actor.Mailbox) {
	for range 2 {
		if newMailbox() == nil {
			k.violate("newMailbox returned nil; it must return a mailbox each time it is called")
		}
	}
}

func handlesWhatCameBeforeStart(k *Kit, newMailbox func() actor.Mailbox) {
	o := newOwner(k, newMailbox, beside)
	o.mailbox.PostSystemMessage(hail{1}) // as Proto.Actor does with *actor.Started
	k.Idle()                             // may be handled, or not yet
	o.mailbox.Start()
	o.mustHandle("a system message, Start", hail{1})
	o = newOwner(k, newMailbox, beside)
	o.postUser("a", "b")
	k.Idle()
	o.mailbox.Start()
	o.mustHandle("two user messages, Start", "a", "b")
	o.postUser("c")
	o.mustHandle("two user messages, Start, one more", "a", "b", "c")
}

func runsByTheDispatcher(k *Kit, newMailbox func() actor.Mailbox) {
	o := started(k, newMailbox, held)
	o.postUser("a", "b")
	o.mailbox.PostSystemMessage(hail{1})
	o.mustHandle("before the dispatcher ran what was scheduled")
	o.dispatcher.release()
	o.mustHandle("after the dispatcher ran what was scheduled", hail{1}, "a", "b")
}

func runsInPost(k *Kit, newMailbox func() actor.Mailbox) {
	o := started(k, newMailbox, inline)
	o.postUser("a")
	o.mustHandle("one message", "a")
	o.mailbox.PostSystemMessage(hail{1})
	o.postUser("b")
	o.mustHandle("three messages", "a", hail{1}, "b")
}

func postsToItself(k *Kit, newMailbox func() actor.Mailbox) {
	for _, how := range []dispatching{inline, beside} {
		o := newOwner(k, newMailbox, how)
		o.does = func(message any) {
			if message == "a" {
				o.postUser("b")
				o.mailbox.PostSystemMessage(hail{1})
			}
		}
		o.mailbox.Start()
		o.postUser("a")
		o.mustHandle("a message whose handler posts b and a system message", "a", hail{1}, "b")
	}
}

func keepsOrder(k *Kit, newMailbox func() actor.Mailbox) {
	o := started(k, newMailbox, held)
	var want []any
	for i := range 1000 {
		o.mailbox.PostSystemMessage(hail{i})
		want = append(want, hail{i})
	}
	for i := range 1000 {
		o.postUser(i)
		want = append(want, i)
	}
	o.dispatcher.release()
	o.mustHandle("1000 system and then 1000 user messages", want...)
}

func prefersSystemMessages(k *Kit, newMailbox func() actor.Mailbox) {
	o := newOwner(k, newMailbox, held)
	o.does = func(message any) {
		if message == "b" {
			o.mailbox.PostSystemMessage(hail{3})
		}
	}
	o.mailbox.Start()
	o.postUser("a")
	o.mailbox.PostSystemMessage(hail{1})
	o.postUser("b", "c")
	o.mailbox.PostSystemMessage(hail{2})
	o.dispatcher.release()
	o.mustHandle("a, 1, b, c, 2 were posted, and 3 while b was handled", hail{1}, hail{2}, "a", "b", hail{3}, "c")
}

func suspends(k *Kit, newMailbox func() actor.Mailbox) {
	o := started(k, newMailbox, beside)
	for round := range 2 {
		o.mu.Lock()
		o.handled = nil
		o.mu.Unlock()
		o.mailbox.PostSystemMessage(&actor.SuspendMailbox{})
		o.postUser("a", "b")
		o.mailbox.PostSystemMessage(hail{round})
		o.mustHandle("suspended", hail{round})
		o.mustCount("suspended", 2)
		o.mailbox.PostSystemMessage(&actor.ResumeMailbox{})
		o.mustHandle("suspended and resumed", hail{round}, "a", "b")
		o.postUser("c")
		o.mustHandle("suspended and resumed, one more", hail{round}, "a", "b", "c")
	}
}

func suspendsAtOnce(k *Kit, newMailbox func() actor.Mailbox) {
	o := newOwner(k, newMailbox, held)
	o.does = func(message any) {
		if message == "a" {
			o.mailbox.PostSystemMessage(&actor.SuspendMailbox{})
		}
	}
	o.mailbox.Start()
	o.postUser("a", "b")
	o.dispatcher.release()
	o.mustHandle("suspended while a was handled", "a")
	o.mailbox.PostSystemMessage(&actor.ResumeMailbox{})
	o.mustHandle("suspended while a was handled, and resumed", "a", "b")
}

// errBoom is what the actor of the suite panics with.
var errBoom = errors.New("boom")

// panicsOn makes the actor panic with errBoom.
func (o *owner) panicsOn(bad ...any) {
	o.does = func(message any) {
		for _, b := range bad {
			if message == b {
				panic(errBoom)
			}
		}
	}
}

func (o *owner) mustEscalate(want ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.escalated) != len(want) {
		o.k.violate("the actor panicked with %v; EscalateFailure was called %d times; it must be called once for each panic", want, len(o.escalated))
		return
	}
	for i, e := range o.escalated {
		if e.reason != error(errBoom) || e.message != want[i] {
			o.k.violate("EscalateFailure(%v, %v) was called; the actor panicked with %v in the message %v", e.reason, e.message, errBoom, want[i])
		}
	}
}

func escalates(k *Kit, newMailbox func() actor.Mailbox) {
	o := newOwner(k, newMailbox, held)
	o.panicsOn(hail{1}, "a", "b")
	o.mailbox.Start()
	o.mailbox.PostSystemMessage(hail{1})
	o.mailbox.PostSystemMessage(hail{2})
	o.postUser("a", "b", "c")
	o.dispatcher.release()
	o.mustHandle("the actor panicked on the system message 1, and on a and b", hail{2}, "c")
	o.mustEscalate(hail{1}, "a", "b")
	o.postUser("d")
	o.mustHandle("one more after the panics", hail{2}, "c", "d")
}

func waitsAfterAFailure(k *Kit, newMailbox func() actor.Mailbox) {
	o := newOwner(k, newMailbox, held)
	o.panicsOn("a")
	o.fails = func() { o.mailbox.PostSystemMessage(&actor.SuspendMailbox{}) } // as Proto.Actor does
	o.mailbox.Start()
	o.postUser("a", "b")
	o.dispatcher.release()
	o.mustHandle("EscalateFailure suspended the mailbox")
	o.mailbox.PostSystemMessage(hail{1})
	o.mustHandle("EscalateFailure suspended the mailbox, and a system message came", hail{1})
	o.mailbox.PostSystemMessage(&actor.ResumeMailbox{})
	o.mustHandle("resumed after a failure", hail{1}, "b")
	o.mustEscalate("a")
}

func counts(k *Kit, newMailbox func() actor.Mailbox) {
	o := started(k, newMailbox, held)
	o.mustCount("nothing was posted", 0)
	o.postUser("a", "b", "c")
	o.mailbox.PostSystemMessage(hail{1})
	o.mustCount("three user messages and a system message were posted, and none handled", 3)
	o.dispatcher.release()
	k.Idle()
	o.mustCount("all were handled", 0)
}

// batch is an actor.MessageBatch.
type batch []any

func (b batch) GetMessages() []any { return b }

func unpacks(k *Kit, newMailbox func() actor.Mailbox) {
	for _, wrapped := range []bool{false, true} {
		o := started(k, newMailbox, beside)
		b := &batch{"a", "b", "c"}
		var message any = b
		if wrapped {
			message = &actor.MessageEnvelope{Message: b}
		}
		o.postUser(message, "d")
		o.mustHandle("a batch of a, b and c, and then d, were posted", "a", "b", "c", message, "d")
	}
}

// senders and posts are how many post at the same time, and how much each.
const senders, posts = 8, 500

// post is a message of a sender, the n-th.
type post struct{ sender, n int }

func takesFromMany(k *Kit, newMailbox func() actor.Mailbox) {
	o := started(k, newMailbox, beside)
	next, nextSystem := make([]int, senders), -1
	o.does = func(message any) { // by the one goroutine that has the actor
		switch m := message.(type) {
		case post:
			if m.n != next[m.sender] {
				k.violate("message %d of sender %d was handled where its message %d had to be", m.n, m.sender, next[m.sender])
			}
			next[m.sender] = m.n + 1
		case hail:
			if m.n != nextSystem+1 {
				k.violate("system message %d was handled where %d had to be", m.n, nextSystem+1)
			}
			nextSystem = m.n
		}
		runtime.Gosched()
	}
	var group sync.WaitGroup
	for sender := range senders {
		group.Go(func() {
			for n := range posts {
				o.postUser(post{sender, n})
				if n%64 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	group.Go(func() {
		for n := range posts {
			o.mailbox.PostSystemMessage(hail{n})
		}
	})
	group.Wait()
	k.Idle()
	o.mu.Lock()
	defer o.mu.Unlock()
	if want := (senders + 1) * posts; len(o.handled) != want {
		k.violate("%d messages were posted, and %d handled", want, len(o.handled))
	}
}

// wakes posts each message at about the time when the mailbox, having handled the one
// before, goes to rest.
func wakes(k *Kit, newMailbox func() actor.Mailbox) {
	const rounds = 3000
	o := newOwner(k, newMailbox, beside)
	handled := make(chan struct{}, 1)
	o.does = func(any) { handled <- struct{}{} }
	o.mailbox.Start()
	lost := make(chan int, 1)
	go func() {
		defer close(lost)
		for i := range rounds {
			if i%3 == 2 {
				o.mailbox.PostSystemMessage(hail{i})
			} else {
				o.postUser(i)
			}
			for range i % 7 {
				runtime.Gosched()
			}
			select {
			case <-handled:
			case <-k.Context().Done():
				lost <- i
				return
			}
		}
	}()
	k.Idle()
	k.cancel()
	if i, ok := <-lost; ok {
		k.violate("message %d of %d was posted when the mailbox was about to rest, and nobody handles it", i+1, rounds)
	}
}
