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
	kit     *Kit
	invoker actor.MessageInvoker
	name    string

	mu        sync.Mutex
	system    []any
	user      []any
	suspended bool
	running   bool
	started   bool
}

func newMailbox(k *Kit) *mailbox { return &mailbox{kit: k} }

// RegisterHandlers is called once, when the actor is spawned.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.invoker = invoker
	m.name = "?"
	if ctx, ok := invoker.(actor.Context); ok {
		m.name = ctx.Self().Id
	}
}

// Start handles what has come so far.
func (m *mailbox) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.started = true
	m.schedule()
}

// PostUserMessage takes a message.
func (m *mailbox) PostUserMessage(message any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.user = append(m.user, message)
	m.schedule()
}

// PostSystemMessage takes a message of Proto.Actor.
func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.system = append(m.system, message)
	m.schedule()
}

// UserMessageCount is how many messages wait.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.user)
}

// schedule starts the goroutine, if there is something to do. Called with mu held.
func (m *mailbox) schedule() {
	if m.running || !m.started || !m.some() {
		return
	}
	m.running = true
	if s := m.kit.scheduler; s != nil {
		s.Go(m.name, m.run)
	} else {
		go m.run()
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
			defer m.mu.Unlock()
			m.running = false
			m.schedule()
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
			m.invoker.InvokeUserMessage(message)
		}
	}
	returned = true
}

// describe says what kind of a message it is.
func describe(message any) string {
	return fmt.Sprintf("%T", actor.UnwrapEnvelopeMessage(message))
}
