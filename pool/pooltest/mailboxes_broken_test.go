package pooltest_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// simpleMailbox is a mailbox that conforms, but for its fault.
type simpleMailbox struct {
	fault      string
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher

	mu        sync.Mutex
	system    []any
	user      []any
	suspended bool
	running   bool
	started   bool
	posted    int
}

func (m *simpleMailbox) is(fault string) bool { return m.fault == fault }

func (m *simpleMailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
}

func (m *simpleMailbox) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.started = true
}

func (m *simpleMailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.is("counts system messages") {
		return len(m.user) + len(m.system)
	}
	return len(m.user)
}

func (m *simpleMailbox) PostUserMessage(message any) {
	if batch, ok := actor.UnwrapEnvelopeMessage(message).(actor.MessageBatch); ok && !m.is("takes a batch as one message") {
		for _, message := range batch.GetMessages() {
			m.PostUserMessage(message)
		}
	}
	m.mu.Lock()
	m.posted++
	switch {
	case m.is("loses a message") && m.posted == 300:
	case m.is("handles a message twice") && m.posted == 300:
		m.user = append(m.user, message, message)
	case m.is("handles the last message first"):
		m.user = append([]any{message}, m.user...)
	case m.is("blocks when 100 messages wait") && len(m.user) == 100:
		m.mu.Unlock()
		<-make(chan int)
	default:
		m.user = append(m.user, message)
	}
	m.wake()
}

func (m *simpleMailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	m.system = append(m.system, message)
	m.wake()
}

// wake unlocks mu.
func (m *simpleMailbox) wake() {
	due := !m.running && m.some() && (m.started || !m.is("forgets what came before Start")) || m.is("runs twice at a time")
	m.running = m.running || due
	if m.is("schedules with its lock held") {
		defer m.mu.Unlock()
	} else {
		m.mu.Unlock()
	}
	switch {
	case !due:
	case m.is("has a goroutine of its own"):
		go m.run()
	default:
		m.dispatcher.Schedule(m.run)
	}
}

func (m *simpleMailbox) some() bool {
	return len(m.system) > 0 || len(m.user) > 0 && (!m.suspended || m.is("does not suspend"))
}

// next takes a message, with mu held.
func (m *simpleMailbox) next() (message any, system bool) {
	userFirst := m.is("handles user messages first") && len(m.user) > 0 && !m.suspended
	if len(m.system) > 0 && !userFirst {
		message, m.system = m.system[0], m.system[1:]
		return message, true
	}
	message, m.user = m.user[0], m.user[1:]
	return message, false
}

func (m *simpleMailbox) run() {
	for {
		m.mu.Lock()
		if !m.some() {
			if m.is("sleeps through a message") {
				m.mu.Unlock()
				runtime.Gosched()
				m.mu.Lock()
			}
			m.running = false
			m.mu.Unlock()
			return
		}
		message, system := m.next()
		m.mu.Unlock()
		if !m.handle(message, system) {
			return
		}
	}
}

func (m *simpleMailbox) handle(message any, system bool) (goesOn bool) {
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		goesOn = !m.is("stops after a panic")
		switch m.fault {
		case "hides panics":
		case "escalates without the message":
			m.invoker.EscalateFailure(reason, nil)
		case "escalates twice":
			m.invoker.EscalateFailure(reason, message)
			fallthrough
		default:
			m.invoker.EscalateFailure(reason, message)
		}
	}()
	_, suspend := message.(*actor.SuspendMailbox)
	_, resume := message.(*actor.ResumeMailbox)
	switch {
	case suspend, resume && !m.is("does not resume"):
		m.mu.Lock()
		m.suspended = suspend
		m.mu.Unlock()
	case system && !resume && !m.is("has no system messages"):
		m.invoker.InvokeSystemMessage(message)
	case resume:
	default:
		m.invoker.InvokeUserMessage(message)
	}
	return true
}

var brokenMailboxes = []struct{ fault, requirement, says string }{
	{"has a goroutine of its own", "It runs only when the dispatcher says so", "before the dispatcher ran what was scheduled"},
	{"forgets what came before Start", "What was posted before Start is handled after it", "two user messages, Start: handled []; must have handled [a b]"},
	{"schedules with its lock held", "A dispatcher may run it at once", "sync.Mutex.Lock"},
	{"handles the last message first", "Messages are handled in the order in which they were posted", "; must have handled (998 to 1006 of 2000) [system message 997 system message 998 system message 999 0 1 2 3 4 5]"},
	{"handles user messages first", "System messages are handled before user messages", "while b was handled: handled [a b c system"},
	{"has no system messages", "It runs only when the dispatcher says so", "the system message system message 1 was handled as a user message"},
	{"does not suspend", "A suspended mailbox keeps user messages and handles system messages", "suspended: handled [system message 0 a b]; must have handled [system message 0]"},
	{"does not resume", "An actor that failed waits until it is resumed", "resumed after a failure: handled [system message 1]"},
	{"hides panics", "A panic is escalated once, with its message, and the mailbox goes on", "EscalateFailure was called 0 times"},
	{"escalates twice", "A panic is escalated once, with its message, and the mailbox goes on", "EscalateFailure was called 6 times"},
	{"escalates without the message", "A panic is escalated once, with its message, and the mailbox goes on", "EscalateFailure(boom, <nil>) was called"},
	{"stops after a panic", "A panic is escalated once, with its message, and the mailbox goes on", "handled []; must have handled [system message 2 c]"},
	{"counts system messages", "UserMessageCount is how many user messages wait", "UserMessageCount() is 4; 3 user messages wait"},
	{"takes a batch as one message", "The messages of a batch are handled one by one", "must have handled [a b c"},
	{"loses a message", "With many senders no message is lost, or handled twice, or before an earlier one", "4500 messages were posted, and 4499 handled"},
	{"handles a message twice", "With many senders no message is lost, or handled twice, or before an earlier one", "4500 messages were posted, and 4501 handled"},
	{"runs twice at a time", "With many senders no message is lost, or handled twice, or before an earlier one", "before the actor had returned"},
	{"sleeps through a message", "A message to an idle mailbox wakes it", "nobody handles it"},
	{"blocks when 100 messages wait", "Messages are handled in the order in which they were posted", "mailboxes_broken_test.go"},
}

func TestMailboxThatIsBrokenDoesNotConform(t *testing.T) {
	inFull(t)
	for _, broken := range brokenMailboxes {
		t.Run(broken.fault, func(t *testing.T) {
			patience := 10 * time.Second // in real time
			if broken.says == "sync.Mutex.Lock" {
				patience = 200 * time.Millisecond
			}
			found := pooltest.MailboxFindings(t, patience, func() actor.Mailbox { return &simpleMailbox{fault: broken.fault} })
			require.Contains(t, found, broken.requirement)
			require.Contains(t, found[broken.requirement].String(), broken.says)
		})
	}
}

func TestMailboxWithoutAFaultConforms(t *testing.T) {
	pooltest.TestMailbox(t, func() actor.Mailbox { return &simpleMailbox{} })
}

func TestMailboxOfNilDoesNotConform(t *testing.T) {
	found := pooltest.MailboxFindings(t, time.Second, func() actor.Mailbox { return nil })
	require.Contains(t, found["The constructor returns a mailbox"].String(), "newMailbox returned nil")
}
