package pooltest

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// probeLimit is for how long, in virtual time, an expectation waits for a message if
// nobody says otherwise. It is to be longer than any timeout that brings a message about;
// a wait in vain takes no real time but what happens meanwhile.
const probeLimit = time.Hour

// Probe is an address that records what it receives, and with which a test says what that
// should be. It is an actor of the kit: it can be watched, stopped and asked like any
// other, and under [Explore] it handles one message in a turn.
//
// Expectations take the messages one after another, in the order in which the probe has
// received them; a message that has been taken is not looked at again. They wait for a
// message that has not come: until there is one, or the virtual time of [Probe.Within] has
// passed. They are for the body, and for goroutines that [Kit.Go] has started; an actor
// would keep its own messages waiting. Of several goroutines that expect something of one
// probe each takes what the others have left.
//
// What begins with Expect, Next and FishFor end the goroutine of the body when they fail,
// as [Kit.Fatal] does: what follows a message that is missing or one too many would fail,
// too, and say nothing new. The failure is at the line of the caller, and says what the
// probe has received last. Those who want to go on, or like testify better, compare what
// [Probe.Next] or [Probe.Received] return:
//
//	p.Expect(pong{1})                                      // ends the body
//	require.Equal(k, pong{1}, p.Next())                    // so does this
//	assert.Equal(k, []any{pong{1}, pong{2}}, p.Received()) // goes on
//
// Proto.Actor tells an actor that watches its own child twice that the child has stopped,
// with the same [*actor.Terminated]. If an actor forwards these to a probe, or whatever
// happens to bring the same one there twice, expectations pass over the second, and so do
// Next and Received; [Probe.Receipts] has both.
type Probe struct {
	*inbox
	limit time.Duration
}

// Probe spawns a probe. Its name is the id of its PID, and is in the trace of [Explore] and
// in what its expectations report. The test fails if the name is empty or taken.
func (k *Kit) Probe(name string) *Probe {
	k.Helper()
	if name == "" {
		k.Fatalf("Kit.Probe was called without a name; failures name the probe by it")
	}
	b := &inbox{kit: k, name: name}
	b.pid = k.SpawnNamed(actor.PropsFromFunc(b.receive), name)
	return &Probe{inbox: b, limit: probeLimit}
}

// PID is the address of the probe.
func (p *Probe) PID() *actor.PID { return p.pid }

// Within is the same probe, with another limit: its expectations wait until d has passed,
// in virtual time, counted from when each is called. What comes in the very moment in which
// d ends is in time. 0: until nothing can go on at this time. Without Within it is an hour.
//
//	p.Within(time.Second).Expect(pong{1})
func (p *Probe) Within(d time.Duration) *Probe {
	p.check("Within")
	if d < 0 || d > hangLimit {
		p.kit.Fatalf("probe %s: Within was given %v; it must be from 0 to %v", p.name, d, hangLimit)
	}
	return &Probe{inbox: p.inbox, limit: d}
}

// Autopilot has f called with each message that the probe receives from now on, and its
// sender, which is nil for a message without one. It is called on the probe's own strand,
// one message at a time, before expectations see the message, which they do as without f:
// when Expect returns, f has handled the message. f may send, and use what assert does; it
// must not wait for messages of the probe. A panic in f fails the test. nil ends it.
func (p *Probe) Autopilot(f func(p *Probe, message any, sender *actor.PID)) {
	p.check("Autopilot")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.autopilot = nil
	if f != nil {
		p.autopilot = func(message any, sender *actor.PID) { f(p, message, sender) }
	}
}

// Watch has the probe told when an actor stops: see [Probe.ExpectTerminated]. That it is
// to be told reaches the actor before all messages that are sent to it later. An actor that
// is gone already is reported at once, as often as it is watched.
func (p *Probe) Watch(pid *actor.PID) {
	p.check("Watch")
	process, _ := p.kit.seat.system.ProcessRegistry.Get(pid)
	process.SendSystemMessage(pid, &actor.Watch{Watcher: p.pid})
	p.mu.Lock()
	p.watched = append(p.watched, pid)
	p.mu.Unlock()
	p.kit.Yield()
}

// Request sends a message with the probe as its sender, so that answers come to it.
// [Kit.Send] sends one without a sender. Under [Explore] others may go on before Request
// returns.
func (p *Probe) Request(to *actor.PID, message any) {
	p.check("Request")
	p.kit.Root().RequestWithCustomSender(to, message, p.pid)
}

// Reply sends a message to [Probe.LastSender], with the probe as its sender. The test
// fails, and the body ends, if there is none.
func (p *Probe) Reply(message any) {
	p.check("Reply")
	last, ok := p.last()
	switch {
	case !ok:
		p.fatal("Reply was called before an expectation has taken a message")
	case last.Sender == nil:
		p.fatal("Reply has nobody to reply to: %s came without a sender, by Send and not by Request", show(last.Message))
	}
	p.Request(last.Sender, message)
}

// LastSender is the sender of the message that an expectation has taken last. It is nil if
// that had none, and before there is such a message.
func (p *Probe) LastSender() *actor.PID {
	last, _ := p.last()
	return last.Sender
}

// Received are all messages that the probe has received so far, also those that
// expectations have taken. It does not wait: [Kit.Idle] before it has everything handled
// that can be.
func (p *Probe) Received() []any {
	messages := []any{}
	for _, r := range p.Receipts() {
		if !r.Again {
			messages = append(messages, r.Message)
		}
	}
	return messages
}

// Receipts are all messages that the probe has received so far, with their senders and
// times. Like Received it does not wait.
func (p *Probe) Receipts() []Receipt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.receipts)
}
