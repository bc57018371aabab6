package pooltest

import (
	"errors"
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// cast is an actor in the system, with the mailbox under test. It notes what it handles.
type cast struct {
	k   *Kit
	pid *actor.PID

	mu      sync.Mutex
	handled []string
}

// hire spawns an actor that does something with each user message.
func hire(k *Kit, newMailbox func() actor.Mailbox, does func(message string)) *cast {
	c := &cast{k: k}
	note := func(what string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.handled = append(c.handled, what)
	}
	// The plain root: the kit's would give the actor a mailbox of the kit.
	c.pid = k.seat.plain.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case string:
			does(m)
			note(m)
		case *actor.Started:
			note("started")
		case *actor.Restarting:
			note("restarting")
		case *actor.Stopping:
			note("stopping")
		case *actor.Stopped:
			note("stopped")
		}
	}, actor.WithMailbox(newMailbox)))
	k.mu.Lock()
	k.roots = append(k.roots, c.pid)
	k.mu.Unlock()
	return c
}

func (c *cast) send(messages ...string) {
	for _, m := range messages {
		c.k.seat.plain.Send(c.pid, m)
	}
}

// mustHandle waits until the actor rests, and checks what it has handled.
func (c *cast) mustHandle(when string, want ...string) {
	c.k.Idle()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.handled, want) {
		c.k.violate("%s: the actor handled %q; must have handled %q", when, c.handled, want)
	}
}

func outlivesARestart(k *Kit, newMailbox func() actor.Mailbox) {
	ready := make(chan struct{})
	c := hire(k, newMailbox, func(message string) {
		switch message {
		case "wait":
			<-ready
		case "fail":
			panic(errors.New("failed"))
		}
	})
	c.send("wait", "fail", "a", "b")
	k.Idle()
	close(ready)
	c.mustHandle("the actor panicked on a message, and a and b waited",
		"started", "wait", "restarting", "started", "a", "b")
	c.send("c")
	c.mustHandle("one more after the restart",
		"started", "wait", "restarting", "started", "a", "b", "c")
}

func stopsAfterThePill(k *Kit, newMailbox func() actor.Mailbox) {
	c := hire(k, newMailbox, func(string) {})
	c.send("a", "b")
	k.seat.plain.Poison(c.pid)
	c.mustHandle("a, b and a poison pill were sent", "started", "a", "b", "stopping", "stopped")
	if k.registered(c.pid) {
		k.violate("the actor is registered after a poison pill")
	}
}
