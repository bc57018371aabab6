package actors

import (
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// posted are the messages that a mailbox has not handled. A mailbox has it only
// as long as there are any: an idle actor is only bytes, and should be few.
type posted struct {
	system, user []any
	first        [2]any // the places of the first of each
}

var sparePosted = sync.Pool{New: func() any { return new(posted) }}

// hasMail reports whether there are any.
func (m *mailbox) hasMail() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.posted != nil
}

func (m *mailbox) post(message any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.posts()
	p.user = append(p.user, message)
}

// postSystem takes the first message of an actor's life in front of those that have
// come before it: an actor has its address, at which a Stop may come, before
// Proto.Actor posts Started.
func (m *mailbox) postSystem(message any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.posts()
	if _, first := message.(*actor.Started); first {
		p.system = slices.Insert(p.system, 0, message)
	} else {
		p.system = append(p.system, message)
	}
}

// posts is where messages are put. Called with mu held.
func (m *mailbox) posts() *posted {
	if m.posted == nil {
		p := sparePosted.Get().(*posted)
		p.system, p.user = p.first[:0:1], p.first[1:1:2]
		m.posted = p
	}
	return m.posted
}

func (m *mailbox) popSystem() (any, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.posted == nil {
		return nil, false
	}
	message, ok := pop(&m.posted.system)
	m.tidy()
	return message, ok
}

func (m *mailbox) popUser() (any, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.posted == nil {
		return nil, false
	}
	message, ok := pop(&m.posted.user)
	m.tidy()
	return message, ok
}

func (m *mailbox) tidy() {
	if p := m.posted; len(p.system) == 0 && len(p.user) == 0 {
		*p = posted{} // first may still hold one that was moved to a longer slice
		m.posted = nil
		sparePosted.Put(p)
	}
}

func pop(queue *[]any) (message any, ok bool) {
	q := *queue
	if len(q) == 0 {
		return nil, false
	}
	message, q[0] = q[0], nil
	*queue = q[1:]
	return message, true
}
