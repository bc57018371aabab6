package actors

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// mailbox is that of the pool's actors. A worker's has no queue of tasks: when
// there is nothing else to do, it pulls the next task from the router, and when
// there is none its goroutine ends, so that an idle worker is only bytes.
//
// What it does first: system messages, then other messages (a poison pill, say),
// then tasks. Messages that find the actor gone are dead letters, where
// Proto.Actor's own mailbox would lose those that came before the actor stopped.
//
// Fields below mu are guarded by it; those below running are touched only by the
// goroutine that runs the mailbox, of which there is one at a time.
type mailbox struct {
	router *Router // whose tasks it pulls; nil if it pulls none
	number int     // of the worker
	status atomic.Int32
	asked  atomic.Bool // to restart with others, and has not come to it

	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
	runs       func()        // the method value, made once
	process    actor.Process // of the actor, as registered; another may come to have its name

	mu     sync.Mutex
	posted *posted // nil while there is nothing, as it is most of the time

	running struct {
		suspended bool
		failing   bool     // the supervisor has not decided yet what becomes of the actor
		owing     bool     // a restart with others, when that is decided
		restarted int      // how often, as far as Proto.Actor's own ResumeMailbox is yet to come
		stopped   bool     // pulls no more
		stopping  bool     // has been told to stop: it may be gone
		had       bool     // another actor before the present one
		recycled  bool     // that one was replaced because it was due
		failure   *Failure // what ends this goroutine, if it is a Goexit
		message   any      // what is being handled
	}
}

// The states of a mailbox:
//
//	asleep   → awake            schedule: a goroutine starts
//	awake    → asleep, notified the run ends; or schedule while it runs
//	notified → awake            the run looks once more
const (
	asleep int32 = iota
	awake
	notified
)

func newMailbox(r *Router, number int) *mailbox {
	m := &mailbox{router: r, number: number}
	m.status.Store(notified) // until Start
	m.runs = m.run
	return m
}

// RegisterHandlers is called once, when the worker is spawned.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
	if ctx, ok := invoker.(actor.Context); ok {
		if s := schedulerOf(ctx.ActorSystem()); s != nil {
			m.dispatcher = &scheduledDispatcher{s, ctx.Self().Id}
		}
	}
}

// Start handles what has come so far. Before, a message could find a mailbox
// that has no dispatcher yet.
func (m *mailbox) Start() {
	if ctx, ok := m.invoker.(actor.Context); ok {
		m.process, _ = ctx.ActorSystem().ProcessRegistry.GetLocal(ctx.Self().Id)
	}
	m.dispatcher.Schedule(m.runs)
}

// UserMessageCount counts messages other than tasks, which wait at the router.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.posted == nil {
		return 0
	}
	return len(m.posted.user)
}

// PostUserMessage takes a message that was sent to the worker's own address.
func (m *mailbox) PostUserMessage(message any) {
	m.post(message)
	m.schedule()
}

// PostSystemMessage takes a message of the actor system.
func (m *mailbox) PostSystemMessage(message any) {
	m.postSystem(message)
	m.schedule()
}

// schedule sees to it that the mailbox looks for work after this call.
//
// Model: schedule.
func (m *mailbox) schedule() {
	for {
		switch m.status.Load() {
		case asleep:
			if m.status.CompareAndSwap(asleep, awake) {
				m.dispatcher.Schedule(m.runs)
				return
			}
		case awake:
			if m.status.CompareAndSwap(awake, notified) {
				return
			}
		case notified:
			return
		}
	}
}

// run handles everything there is and then sleeps.
//
// Model: sleep.
func (m *mailbox) run() {
	growStack()
	for {
		m.status.Store(awake)
		if !m.guarded((*mailbox).everything) || m.status.CompareAndSwap(awake, asleep) {
			return
		}
	}
}

// growStack has the goroutine's stack grow while there is hardly anything on it.
// A task is a dozen calls deep, beyond the 2 KiB that a goroutine begins with;
// moving the frames of so many to a larger stack would cost more than everything
// else that waking a worker takes (BenchmarkMailboxWake).
//
//go:noinline
func growStack() {
	var room [2 << 10]byte
	touch(&room)
}

//go:noinline
func touch(room *[2 << 10]byte) { room[0] = 0 }

// guarded does work on behalf of an actor that may panic or exit. If it does, the
// supervisor decides, while the mailbox goes on with what it decides on another
// goroutine: this one may be ending, even behind a panic that was recovered. Then
// guarded returns false.
//
// Model: fails.
func (m *mailbox) guarded(work func(*mailbox)) (returned bool) {
	defer func() {
		if returned {
			return
		}
		defer m.dispatcher.Schedule(m.runs)
		failure := recover()
		if failure == nil && m.running.failure != nil { // Goexit
			failure = m.running.failure
		} else if failure == nil {
			failure = NewFailure(nil)
		}
		message := m.running.message
		m.running.failure, m.running.message, m.running.failing = nil, nil, true
		m.invoker.EscalateFailure(failure, message)
	}()
	work(m)
	return true
}

// everything is all there is to do.
func (m *mailbox) everything() {
	for m.step() {
		m.yield("next message")
	}
}

// step handles one message or task and reports false if there is none.
func (m *mailbox) step() bool {
	if message, ok := m.popSystem(); ok {
		m.handleSystem(message)
		return true
	}
	if m.running.suspended && !m.gone() { // of one that has stopped in suspense nothing is kept
		return false
	}
	if message, ok := m.popUser(); ok {
		switch _, pill := message.(*actor.PoisonPill); {
		case m.gone():
			m.reject(message)
		case isAboutLife(message): // nobody else may say that
		case pill && m.router != nil:
			m.takePill()
		default:
			m.handle(message)
		}
		return true
	}
	if m.running.stopped || m.router == nil {
		return false
	}
	b, otherwise := m.pull()
	switch {
	case b != nil:
		m.yield("took tasks") // what others took later may be done before
		m.handle(b)
	case otherwise == leave:
		m.takePill()
	default:
		return false
	}
	return true
}

// pull asks the router for something to do, and, before the worker goes to sleep,
// once more a few times: tasks often come a moment later, and are cheaper for
// everybody if nobody has to be woken for them. Between the looks whoever wants
// to run may run.
//
// Model: pull.
func (m *mailbox) pull() (b *batch, otherwise step) {
	b, otherwise = m.router.next(m.number, true)
	for left := moreLooks; otherwise == lookAgain && m.status.Load() != notified; left-- {
		runtime.Gosched()
		m.yield("look again")
		b, otherwise = m.router.next(m.number, left > 1)
	}
	return b, otherwise
}

// moreLooks is how often a worker looks once more before it sleeps. When nobody
// else wants to run, all of them together take less than a microsecond.
const moreLooks = 4

func (m *mailbox) handle(message any) {
	m.running.message = message
	m.invoker.InvokeUserMessage(message)
	m.running.message = nil
}

func (m *mailbox) handleSystem(message any) {
	switch about := message.(type) {
	case *actor.SuspendMailbox:
		m.running.suspended = true
		if m.router != nil {
			m.router.withdraw(m)
		}
		return
	case *actor.ResumeMailbox:
		m.running.suspended = false
		if !m.resumes() {
			return
		}
		message = m.restarts()
	case restartWithOthers:
		m.asked.Store(false)
		if m.running.owing = m.running.failing; m.running.owing {
			return
		}
		message = m.restarts()
	case *actor.Terminated:
		if m.isForged(about) {
			return // Proto.Actor would no longer take it for our child
		}
	case *actor.Restart:
		m.running.failing, m.running.owing = false, false
	case *actor.Stop:
		m.running.stopping = true
	}
	if _, restarts := message.(*actor.Restart); restarts {
		if m.running.stopped { // it would bring the worker back to life behind the supervisor's back
			return
		}
		m.running.restarted++
	}
	m.running.message = message
	m.invoker.InvokeSystemMessage(message)
	m.running.message = nil
}

// poison gives a worker a poison pill, which it takes when the function that it
// runs has returned.
func (m *mailbox) poison() {
	if m.router.config.Cleanup != nil || !m.stopIdle() { // each cleans up on a goroutine of its own
		m.PostUserMessage(&actor.PoisonPill{})
	}
}

// stopIdle stops an actor that has nothing to do, on the calling goroutine, and
// reports whether it did. Nobody has to be woken for it; and what the actor tells
// its supervisor waits in a mailbox that is awake, if the supervisor is who calls.
// Only the actor's own end runs here: whatever else has come runs where it always
// does.
//
// Model: stopIdle.
func (m *mailbox) stopIdle() bool {
	if !m.status.CompareAndSwap(asleep, awake) {
		return false
	}
	idle := !m.running.suspended && !m.hasMail()
	if idle && !m.guarded((*mailbox).takePill) {
		return true // it goes on elsewhere
	}
	if !idle || !m.status.CompareAndSwap(awake, asleep) {
		m.dispatcher.Schedule(m.runs)
	}
	return idle
}

// takePill is what Proto.Actor does with a poison pill: the actor stops. It saves
// the way through the registry and the mailbox. Where Proto.Actor counts the
// actors that are stopped, the pill goes its way.
func (m *mailbox) takePill() {
	ctx, ok := m.invoker.(actor.Context)
	if ok && ctx.ActorSystem().Config.MetricsProvider == nil {
		m.handleSystem(stop)
	} else {
		m.handle(&actor.PoisonPill{})
	}
}

var stop = &actor.Stop{}

// stop makes the mailbox pull no more tasks. Called by the worker, in a message.
//
// Model: stops.
func (m *mailbox) stop() {
	m.running.stopped = true
	m.router.withdraw(m)
}

// self is the actor's address.
func (m *mailbox) self() *actor.PID { return m.invoker.(actor.Context).Self() }

// gone reports whether the actor has stopped.
func (m *mailbox) gone() bool {
	if !m.running.stopping {
		return false
	}
	ctx := m.invoker.(actor.Context)
	process, registered := ctx.ActorSystem().ProcessRegistry.GetLocal(ctx.Self().Id)
	return !registered || process != m.process
}

// isForged reports whether somebody is said to have terminated who is there: a stranger has
// had us watch the address before it was somebody's. Who terminates loses the address
// before anybody is told, and gets a successor only after we were.
func (m *mailbox) isForged(t *actor.Terminated) bool {
	ctx, ok := m.invoker.(actor.Context)
	if !ok || t.Who == nil {
		return false
	}
	_, registered := ctx.ActorSystem().ProcessRegistry.GetLocal(t.Who.Id)
	return registered
}

// isAboutLife reports whether a message is one of those by which Proto.Actor tells an
// actor about its own life and that of others. It does not post them as user messages,
// so somebody else has sent it, and whoever believed it might think that it has stopped.
func isAboutLife(message any) bool {
	switch actor.UnwrapEnvelopeMessage(message).(type) {
	case *actor.PoisonPill:
		return false
	case actor.SystemMessage, actor.AutoReceiveMessage:
		return true
	}
	return false
}

// reject makes a dead letter of a message, unless the end of the actor is the
// answer to it.
func (m *mailbox) reject(message any) {
	switch actor.UnwrapEnvelopeMessage(message).(type) {
	case *actor.PoisonPill, messages.ToSupervisor, messages.ToRouter, lentFailure, *rest:
		return
	}
	ctx := m.invoker.(actor.Context)
	deadLetter(ctx.ActorSystem(), ctx.Self(), message)
}
