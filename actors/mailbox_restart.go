package actors

import "github.com/asynkron/protoactor-go/actor"

// This file is about workers that restart since another one does (AllForOne, RestForOne).
// Such a restart is asked for once, and waits for what is decided about a worker that has
// failed: a restart of its own does for both.

// restartWithOthers asks a worker to restart since another one does.
type restartWithOthers struct{}

// restartWithOthers asks for that, unless it was asked for already and has not begun: a
// worker at a long task is restarted once, however many have failed meanwhile.
func (m *mailbox) restartWithOthers() {
	if !m.asked.Swap(true) {
		m.PostSystemMessage(restartWithOthers{})
	}
}

// resumes is told of a ResumeMailbox, and reports whether the worker is to restart now. It
// is what the supervisor has decided about a failure, unless Proto.Actor sends it, as it
// does after each restart.
func (m *mailbox) resumes() (restarts bool) {
	if m.running.restarted > 0 {
		m.running.restarted--
		return false
	}
	m.running.failing = false
	return m.running.owing
}

// restarts counts a restart with others, and is the message for it.
func (m *mailbox) restarts() any {
	m.running.owing = false
	if !m.running.stopped {
		m.router.restarts.Add(1)
	}
	return &actor.Restart{}
}
