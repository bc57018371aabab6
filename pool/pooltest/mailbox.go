package pooltest

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox is that of an actor under a kit. It handles one message and then takes a turn:
// what others do may come in between. What it handles is otherwise as in Proto.Actor's:
// system messages first, user messages only while the actor is not suspended.
//
// The fields below mu are guarded by it. The goroutine that runs the mailbox, of which
// there is one at a time, is started by whoever posts a message to one that is idle.
type mailbox struct {
	kit        *Kit
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher // runs it in Run; under Explore the scheduler does
	pid        *actor.PID
	name       string

	mu        sync.Mutex
	system    []any
	user      []any
	suspended bool
	running   bool
	started   bool
}

func newMailbox(k *Kit) *mailbox { return &mailbox{kit: k} }

// RegisterHandlers is called once, when the actor is spawned.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
	m.name, m.pid = "?", &actor.PID{}
	if ctx, ok := invoker.(actor.Context); ok {
		m.name, m.pid = ctx.Self().Id, ctx.Self()
	}
}

// Start handles what has come so far.
func (m *mailbox) Start() {
	m.mu.Lock()
	m.started = true
	m.unlockAndSchedule()
}

// PostUserMessage takes a message, or what a fault has left of it. Of a batch it takes each
// message, too, as Proto.Actor's does.
func (m *mailbox) PostUserMessage(message any) {
	if batch, ok := actor.UnwrapEnvelopeMessage(message).(actor.MessageBatch); ok {
		for _, message := range batch.GetMessages() {
			m.PostUserMessage(message)
		}
	}
	m.kit.faults.deliver(m.pid, message, m.post)
}

func (m *mailbox) post(message any) {
	m.mu.Lock()
	m.user = append(m.user, message)
	m.unlockAndSchedule()
}

// PostSystemMessage takes a message of Proto.Actor.
func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	m.system = append(m.system, message)
	m.unlockAndSchedule()
}

// UserMessageCount is how many messages wait.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.user)
}

// unlockAndSchedule unlocks mu and has the mailbox run, if there is something to do. A
// dispatcher may run it at once, so no lock is held then.
func (m *mailbox) unlockAndSchedule() {
	due := m.started && !m.running && m.some()
	m.running = m.running || due
	m.mu.Unlock()
	switch s := m.kit.scheduler; {
	case !due:
	case s != nil:
		s.Go(m.name, m.run)
	default:
		m.dispatcher.Schedule(m.run)
	}
}

// some is called with mu held.
func (m *mailbox) some() bool { return len(m.system) > 0 || len(m.user) > 0 && !m.suspended }

func (m *mailbox) run() {
	for {
		m.mu.Lock()
		if !m.some() {
			m.running = false
			m.mu.Unlock()
			return
		}
		var message any
		system := len(m.system) > 0
		if system {
			message, m.system = m.system[0], m.system[1:]
		} else {
			message, m.user = m.user[0], m.user[1:]
		}
		m.mu.Unlock()
		if s := m.kit.scheduler; s != nil {
			s.note(m.name, "handles "+describe(message))
		}
		m.handle(message, system)
		m.mu.Lock()
		more := m.some()
		m.mu.Unlock()
		if s := m.kit.scheduler; s != nil && more {
			s.YieldAs(m.name, "next message")
		}
	}
}

// handle has the actor handle a message. A panic fails it, as in Proto.Actor; Goexit,
// too, of which Proto.Actor does not know.
func (m *mailbox) handle(message any, system bool) {
	returned := false
	defer func() {
		if returned {
			return
		}
		reason := recover()
		exiting := reason == nil
		if exiting {
			reason = fmt.Errorf("pooltest: runtime.Goexit was called while %s handled %s", m.name, describe(message))
			m.kit.Errorf("%v: it ends the goroutine of an actor; FailNow is for the body only", reason)
		} else {
			m.kit.Logf("%s panicked with %v\n%s", m.name, reason, debug.Stack())
		}
		m.invoker.EscalateFailure(reason, message)
		if exiting { // this goroutine is no more to be had
			m.mu.Lock()
			m.running = false
			m.unlockAndSchedule()
		}
	}()
	switch message.(type) {
	case *actor.SuspendMailbox, *actor.ResumeMailbox:
		_, suspend := message.(*actor.SuspendMailbox)
		m.mu.Lock()
		m.suspended = suspend
		m.mu.Unlock()
	default:
		if system {
			m.invoker.InvokeSystemMessage(message)
		} else {
			m.kit.faults.handle(m.pid, message)
			m.invoker.InvokeUserMessage(message)
		}
	}
	returned = true
}

// describe says what kind of a message it is.
func describe(message any) string {
	return fmt.Sprintf("%T", actor.UnwrapEnvelopeMessage(message))
}
