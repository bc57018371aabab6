package pooltest

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/pool"
)

// recorders are those of a kit. The fields other than pools do not change.
type recorders struct {
	deadLetters *Recorder[*actor.DeadLetterEvent]
	supervision *Recorder[*actor.SupervisorEvent]
	pools       map[*pool.Pool]*Recorder[pool.Event] // guarded by the mutex of the kit
}

func newRecorders(k *Kit) recorders {
	return recorders{
		deadLetters: &Recorder[*actor.DeadLetterEvent]{kit: k, what: "dead letters", describe: describeDeadLetter},
		supervision: &Recorder[*actor.SupervisorEvent]{kit: k, what: "supervision events", describe: describeSupervision},
		pools:       map[*pool.Pool]*Recorder[pool.Event]{},
	}
}

// published is called with what comes on the event stream of the actor system, by whoever
// publishes it, who waits meanwhile.
func (k *Kit) published(event any) {
	switch e := event.(type) {
	case *actor.DeadLetterEvent:
		k.deadLettered.Store(true)
		if !ofProtoActor(e.Message) {
			k.recorders.deadLetters.record(e, k.Elapsed())
		}
	case *actor.SupervisorEvent:
		k.recorders.supervision.record(e, k.Elapsed())
	}
}

// ofProtoActor reports whether a message is one by which Proto.Actor itself keeps actors
// going: see DeadLetters.
func ofProtoActor(message any) bool {
	switch message.(type) {
	case actor.SystemMessage, actor.MailboxMessage, *actor.DeadLetterResponse:
		return true
	}
	return false
}

// DeadLetters has the messages that reached nobody, because there was no actor with their
// address any more, since the test began. It has each of them once: Proto.Actor answers
// one with a sender by a DeadLetterResponse, which is a dead letter again if the sender is
// gone, too; and it says Watch, Stop or Terminated to actors that have just stopped, in the
// normal course of things. None of these is recorded.
//
// A message that waits behind a stop, or a poison pill, is dropped by Proto.Actor without a
// dead letter, and so is not here.
//
//	k.DeadLetters().ExpectNone()
func (k *Kit) DeadLetters() *Recorder[*actor.DeadLetterEvent] {
	k.inUse("DeadLetters")
	return k.recorders.deadLetters
}

// SupervisionEvents has what supervisors have decided about actors that failed, workers of
// pools among them, since the test began. That a worker of a pool is ready again is one of
// the [Kit.PoolEvents].
func (k *Kit) SupervisionEvents() *Recorder[*actor.SupervisorEvent] {
	k.inUse("SupervisionEvents")
	return k.recorders.supervision
}

// PoolEvents has what happens in a pool, from when PoolEvents was called with it first until
// the body ends. Calls with one pool return one recorder. Under [Explore] it is recorded by a strand of its own.
//
//	events := k.PoolEvents(p)
//	…
//	events.ExpectCount(2, "restarts of worker 3", func(e pool.Event) bool {
//		return e.Kind == pool.WorkerRestarted && strings.HasSuffix(e.Worker, "/worker-3")
//	})
func (k *Kit) PoolEvents(p *pool.Pool) *Recorder[pool.Event] {
	k.inUse("PoolEvents")
	k.mu.Lock()
	if r := k.recorders.pools[p]; r != nil {
		k.mu.Unlock()
		return r
	}
	r := &Recorder[pool.Event]{kit: k, what: "events of pool " + p.Name(), describe: pool.Event.String}
	k.recorders.pools[p] = r
	events := p.Events(k.context)
	k.mu.Unlock()
	k.Go("events of "+p.Name(), func() {
		for e := range events {
			if e.Kind == pool.EventsLost {
				r.miss(e.Lost)
			}
			r.record(e, e.At.Sub(k.began))
		}
	})
	return r
}

func describeDeadLetter(e *actor.DeadLetterEvent) string {
	s := fmt.Sprintf("%s to %s", show(e.Message), showPID(e.PID))
	if e.Sender != nil {
		s += " from " + showPID(e.Sender)
	}
	return s
}

func describeSupervision(e *actor.SupervisorEvent) string {
	return fmt.Sprintf("%s of %s: %v", e.Directive, showPID(e.Child), e.Reason)
}
