package pooltest

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Expect expects the next message to be equal to one: as by [reflect.DeepEqual], but for
// what Proto.Actor and protobuf keep in their messages beside what these say. A PID is
// equal to another that is the same address.
func (p *Probe) Expect(message any) {
	p.check("Expect")
	p.nextAs(func() string { return show(message) }, func(m any) bool { return equal(message, m) })
}

// ExpectType expects the next message to be of type T, or to implement it, and returns it.
func ExpectType[T any](p *Probe) T {
	p.check("ExpectType")
	m := p.nextAs(func() string { return "a " + reflect.TypeFor[T]().String() }, func(m any) bool { _, ok := m.(T); return ok })
	return m.(T)
}

// ExpectMatch expects the next message to be one for which match returns true, and returns
// it. What says in a failure what was expected: "an even number".
func (p *Probe) ExpectMatch(what string, match func(message any) bool) any {
	p.check("ExpectMatch")
	mustHave(match != nil, "Probe.ExpectMatch", "match")
	return p.nextAs(func() string { return what }, match)
}

// ExpectTerminated expects the next message to tell that an actor has stopped which the
// probe has been told to watch, and returns it. Once for each actor that stops: see
// [Probe] for those of which Proto.Actor tells twice.
func (p *Probe) ExpectTerminated(pid *actor.PID) *actor.Terminated {
	p.check("ExpectTerminated")
	what := func() string {
		if !p.watches(pid) {
			return "that " + showPID(pid) + " has stopped (Watch was not called with it)"
		}
		return "that " + showPID(pid) + " has stopped"
	}
	m := p.nextAs(what, func(m any) bool {
		told, ok := m.(*actor.Terminated)
		return ok && samePID(told.Who, pid)
	})
	return m.(*actor.Terminated)
}

// Next returns the next message, whatever it is.
func (p *Probe) Next() any {
	p.check("Next")
	return p.nextAs(func() string { return "a message" }, func(any) bool { return true })
}

// nextAs takes the next message, which must match.
func (p *Probe) nextAs(what func() string, match func(any) bool) any {
	r, ok := p.take(p.deadline())
	if !ok {
		p.fatal("expected %s, and %s", what(), p.nothing())
	}
	if !match(r.Message) {
		p.fatal("expected %s, and got %v", what(), r)
	}
	return r.Message
}

// ExpectInAnyOrder expects the next messages to be equal to these, in any order. The limit
// is for all of them together. It fails with the first that is none of them.
func (p *Probe) ExpectInAnyOrder(messages ...any) {
	p.check("ExpectInAnyOrder")
	if len(messages) == 0 {
		p.fatal("ExpectInAnyOrder was called without messages; ExpectNothing expects none")
	}
	missing := append([]any(nil), messages...)
	for deadline := p.deadline(); len(missing) > 0; {
		r, ok := p.take(deadline)
		if !ok {
			p.fatal("expected %s, and %s; missing: %s", inAnyOrder(messages), p.nothing(), showAll(missing))
		}
		if missing, ok = remove(missing, r.Message); !ok {
			p.fatal("expected %s, and got %v; missing: %s", inAnyOrder(messages), r, showAll(missing))
		}
	}
}

func inAnyOrder(messages []any) string {
	return fmt.Sprintf("%d messages in any order", len(messages))
}

// remove is messages without one that is equal to m, if there is one.
func remove(messages []any, m any) ([]any, bool) {
	for i, other := range messages {
		if equal(other, m) {
			return append(messages[:i:i], messages[i+1:]...), true
		}
	}
	return messages, false
}

// FishFor takes messages until one comes for which match returns true, and returns that.
// What says in a failure what it fishes for; the failure lists what it has passed over.
// The limit is for all of them together.
func (p *Probe) FishFor(what string, match func(message any) bool) any {
	p.check("FishFor")
	mustHave(match != nil, "Probe.FishFor", "match")
	var passed []any
	for deadline := p.deadline(); ; {
		r, ok := p.take(deadline)
		switch {
		case !ok:
			p.fatal("fished for %s, and %s; passed over: %s", what, p.nothing(), showAll(passed))
		case match(r.Message):
			return r.Message
		}
		passed = append(passed, r.Message)
	}
}

// ExpectNothing expects that no message comes until d has passed, in virtual time, nor in
// the very moment in which it ends, and that none is there. It lets exactly d pass, and
// then waits until nothing can go on at that time, as [Kit.Advance] does; with 0, only
// that. It fails as soon as a message comes.
func (p *Probe) ExpectNothing(d time.Duration) {
	p.check("ExpectNothing")
	if d < 0 {
		p.fatal("ExpectNothing was given %v; it must not be negative", d)
	}
	deadline := p.kit.Elapsed() + d
	timer := time.NewTimer(d)
	defer timer.Stop()
	for idle := false; ; {
		r, ok, changed := p.look(deadline)
		switch {
		case ok:
			p.fatal("expected nothing for %v, and got %v", d, r)
		case idle:
			return
		case p.kit.Elapsed() < deadline:
			p.await(changed, timer.C)
		default:
			p.kit.Idle()
			idle = true
		}
	}
}

// deadline is when an expectation that begins now ends.
func (p *Probe) deadline() time.Duration { return p.kit.Elapsed() + p.limit }

// nothing says that none came.
func (p *Probe) nothing() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return "nothing will come"
	}
	return fmt.Sprintf("nothing came within %v", p.limit)
}

func (p *Probe) watches(pid *actor.PID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.watched {
		if samePID(w, pid) {
			return true
		}
	}
	return false
}

// showAll lists the last messages out of many.
func showAll(messages []any) string {
	if len(messages) == 0 {
		return "nothing"
	}
	var list []string
	for _, m := range messages[max(0, len(messages)-shownReceipts):] {
		list = append(list, show(m))
	}
	if more := len(messages) - len(list); more > 0 {
		return fmt.Sprintf("%d others, and %s", more, strings.Join(list, ", "))
	}
	return strings.Join(list, ", ")
}

// mustHave panics if an argument that there must be is nil.
func mustHave(has bool, method, argument string) {
	if !has {
		panic(fmt.Sprintf("pooltest: %s was called without %s", method, argument))
	}
}
