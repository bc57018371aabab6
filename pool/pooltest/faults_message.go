package pooltest

import (
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// MessageRule is a fault on messages in the making. Without Nth, Every and Once it strikes
// each of them. A rule without an effect fails the test.
type MessageRule struct {
	rule *rule
	to   *actor.PID     // nil: anybody
	is   func(any) bool // nil: anything
	when func(any) bool // the same
	kind effect
	wait time.Duration
	with any // the value of a panic
}

// effect is what becomes of a message.
type effect int

const (
	passes effect = iota
	dropped
	delayed
	duplicated
	reordered
	panicked
)

// When has the fault look only at messages for which a predicate holds, which is called by
// whoever sends, or for Panic by who receives. It must not block.
func (r *MessageRule) When(holds func(message any) bool) *MessageRule {
	r.rule.faults.kit.Helper()
	if holds == nil {
		r.rule.refuse("When was given no predicate")
	}
	r.when = holds
	return r
}

// Nth has the fault strike the nth message at its place, counted from 1 and from when the
// fault was placed, and no other. The test fails if n is less than 1.
func (r *MessageRule) Nth(n int) *MessageRule {
	r.rule.faults.kit.Helper()
	r.rule.setNth(n)
	return r
}

// Once is Nth(1).
func (r *MessageRule) Once() *MessageRule {
	r.rule.faults.kit.Helper()
	return r.Nth(1)
}

// Every has the fault strike each nth message at its place. The test fails if n is less
// than 1.
func (r *MessageRule) Every(n int) *MessageRule {
	r.rule.faults.kit.Helper()
	r.rule.setEvery(n)
	return r
}

// Drop has the message never arrive. Nobody is told, and it is no dead letter.
func (r *MessageRule) Drop() *Fault {
	r.rule.faults.kit.Helper()
	return r.place(dropped, "drop")
}

// Delay has the message arrive a virtual time later, behind those that come meanwhile. If
// there is no receiver then, it is a dead letter. The test fails if d is not positive.
func (r *MessageRule) Delay(d time.Duration) *Fault {
	r.rule.faults.kit.Helper()
	if d <= 0 {
		r.rule.refuse("Delay(%v): it must be positive", d)
	}
	r.wait = d
	return r.place(delayed, fmt.Sprintf("delay by %v", d))
}

// Duplicate has the message arrive twice, one right behind the other.
func (r *MessageRule) Duplicate() *Fault {
	r.rule.faults.kit.Helper()
	return r.place(duplicated, "duplicate")
}

// Reorder has the message arrive right behind the next one to the same address, whoever
// sends that, which no Reorder strikes. If none comes within a second of virtual time, it
// arrives then.
func (r *MessageRule) Reorder() *Fault {
	r.wait = reorderLimit
	return r.place(reordered, "reorder")
}

// reorderLimit is how long a message waits for the one that is to overtake it.
const reorderLimit = time.Second

// Panic has the receiver panic when it is about to handle the message, which is lost. It
// is for actors under the kit, of which the supervisor then decides; the test fails if
// value is nil, and if the fault is on a pool: its workers fail with [Faults.OnWorker].
func (r *MessageRule) Panic(value any) *Fault {
	f := r.rule.faults
	f.kit.Helper()
	switch {
	case value == nil:
		r.rule.refuse("Panic was given nil")
	case r.to != nil && f.isPool(r.to):
		r.rule.refuse("Panic: it is a pool, which handles no message itself; use OnWorker for its workers")
	}
	r.with = value
	return r.place(panicked, fmt.Sprintf("panic(%v)", value))
}

func (r *MessageRule) place(kind effect, name string) *Fault {
	f := r.rule.faults
	f.kit.Helper()
	return f.place(r.rule, name, func() {
		r.kind = kind
		f.messages = append(f.messages, r)
	})
}

// strikes reports whether the fault strikes a message, and counts it.
func (r *MessageRule) strikes(to *actor.PID, message any) bool {
	if r.to != nil && r.to.Id != to.Id || r.is != nil && !r.is(message) || r.when != nil && !r.when(message) {
		return false
	}
	return r.rule.sees(fmt.Sprintf("%T for %s", message, to.Id))
}

// struck is the fault that strikes a message which is sent, or handled; nil if none does.
func (f *Faults) struck(to *actor.PID, message any, handled bool) *MessageRule {
	message = actor.UnwrapEnvelopeMessage(message)
	switch message.(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage:
		return nil // which Proto.Actor sends in another way than by Send
	}
	f.mu.Lock()
	rules, over := f.messages, f.over
	f.mu.Unlock()
	if over {
		return nil
	}
	for _, r := range rules {
		if (r.kind == panicked) != handled || r.kind == reordered && f.isOvertaken(to) {
			continue
		}
		if r.strikes(to, message) {
			return r
		}
	}
	return nil
}

// deliver posts a message to an address, as the faults have it.
func (f *Faults) deliver(to *actor.PID, message any, post func(any)) {
	if !f.some.Load() {
		post(message)
		return
	}
	kind := passes
	r := f.struck(to, message, false)
	if r != nil {
		kind = r.kind
	}
	switch kind {
	case dropped:
		return
	case delayed, reordered:
		f.postpone(&lateMessage{to: to, message: message, post: post, overtaken: kind == reordered}, r.wait)
		return
	case duplicated:
		post(message)
	}
	post(message)
	for l := f.takeOvertaken(to); l != nil; l = f.takeOvertaken(to) {
		l.post(l.message)
	}
}

// handle panics if a fault says so.
func (f *Faults) handle(by *actor.PID, message any) {
	if !f.some.Load() {
		return
	}
	if r := f.struck(by, message, true); r != nil {
		panic(r.with)
	}
}

// lateMessage is one that has not been delivered when it was sent.
type lateMessage struct {
	to        *actor.PID
	message   any
	post      func(any)
	overtaken bool // it waits for the next message to the address
	timer     *time.Timer
}

// postpone delivers a message later.
func (f *Faults) postpone(l *lateMessage, by time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.timer = time.AfterFunc(by, func() {
		arrive := func() {
			if f.take(l) {
				f.arrive(l)
			}
		}
		if s := f.kit.scheduler; s != nil {
			s.Go("late message to "+l.to.Id, arrive)
		} else {
			arrive()
		}
	})
	f.late = append(f.late, l)
}

// arrive delivers a message that was late to who is there now.
func (f *Faults) arrive(l *lateMessage) {
	system := f.kit.seat.system
	if _, ok := system.ProcessRegistry.GetLocal(l.to.Id); !ok {
		system.DeadLetter.SendUserMessage(l.to, l.message)
		return
	}
	l.post(l.message)
}

// take takes a message from those that are late. It reports false if somebody else has.
func (f *Faults) take(l *lateMessage) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.late, l)
	if i >= 0 {
		f.late = slices.Delete(f.late, i, i+1)
	}
	return i >= 0
}

// isOvertaken reports whether a message waits for the next one to an address.
func (f *Faults) isOvertaken(to *actor.PID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.overtakenLocked(to) >= 0
}

func (f *Faults) overtakenLocked(to *actor.PID) int {
	return slices.IndexFunc(f.late, func(l *lateMessage) bool { return l.overtaken && l.to.Id == to.Id })
}

// takeOvertaken takes the message that waits for the next one to an address, or nil.
func (f *Faults) takeOvertaken(to *actor.PID) *lateMessage {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.overtakenLocked(to)
	if i < 0 {
		return nil
	}
	l := f.late[i]
	l.timer.Stop()
	f.late = slices.Delete(f.late, i, i+1)
	return l
}

// isPool reports whether an address is that of a pool.
func (f *Faults) isPool(pid *actor.PID) bool {
	process, _ := f.kit.seat.system.ProcessRegistry.GetLocal(pid.Id)
	_, ok := process.(*poolProcess)
	return ok
}
