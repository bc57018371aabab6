package actors

import (
	"github.com/greenroom-go/greenroom/messages"
)

// This file is a task's way through its states, after task.go has put it into
// the first.

// claim moves a queued task to running. The winner must run it.
//
// Model: claim.
func (t *Task) claim() bool { return t.state.CompareAndSwap(stateQueued, stateRunning) }

// Decide moves the task to deciding. The winner must write what belongs to the
// outcome and then call Announce. Losers must drop what they have.
func (t *Task) Decide() bool {
	_, ok := t.decide(0)
	return ok
}

// decide notes a fact in the same step.
//
// Model: endTask.
func (t *Task) decide(fact uint32) (from uint32, ok bool) {
	for {
		word := t.state.Load()
		from = word & states
		if from != stateQueued && from != stateRunning {
			return from, false
		}
		if t.state.CompareAndSwap(word, word-from+stateDeciding|fact) {
			return from, true
		}
	}
}

// DecideReturned is Decide for the goroutine that ran the function, which has
// returned: whoever sees the outcome sees that the place is free, too. An outcome
// that comes late is counted.
func (t *Task) DecideReturned() bool {
	if _, ok := t.decide(returned); ok {
		return true
	}
	t.tooLate()
	return false
}

// DecideLate is Decide for an outcome that counts as late if it lost.
func (t *Task) DecideLate() bool {
	if t.Decide() {
		return true
	}
	t.tooLate()
	return false
}

func (t *Task) tooLate() {
	if !t.internal {
		t.router.late.Add(1)
	}
}

// Settle decides the task in place of its function: cancelled, terminated, and
// so on. It reports whether this call decided.
//
// Model: settle.
func (t *Task) Settle(outcome messages.Outcome, err error) bool {
	from, ok := t.decide(0)
	if !ok {
		return false
	}
	t.settled(from, outcome, err)
	return true
}

// settled follows on a decision that was made in place of the function.
func (t *Task) settled(from uint32, outcome messages.Outcome, err error) {
	if from == stateQueued {
		t.router.remove(t)
	}
	t.Announce(outcome, t.body.Abandon(outcome, err, from == stateRunning))
	if from == stateRunning {
		t.watchOverrun()
	}
}

// cancelUnstarted is Cancel for a task that nobody has claimed.
func (t *Task) cancelUnstarted() bool {
	if !t.state.CompareAndSwap(stateQueued, stateDeciding) && !t.state.CompareAndSwap(stateQueued|parked, stateDeciding|parked) {
		return false
	}
	t.settled(stateQueued, messages.Cancelled, messages.ErrCancelled)
	return true
}

// Announce publishes the outcome that Decide's winner prepared.
func (t *Task) Announce(outcome messages.Outcome, err error) { t.announce(outcome, err, nil) }

// Conclude is Announce for the goroutine that ran the function. If that is a
// worker's, it costs no lock of the router, whom the worker tells of several
// tasks at once.
func (t *Task) Conclude(outcome messages.Outcome, err error) {
	if t.outside || t.place == 0 {
		t.announce(outcome, err, nil)
	} else {
		t.announce(outcome, err, t.router.slot(t.place))
	}
}

// announce is told the slot of the worker on whose goroutine it is called, if it
// is that of the task.
func (t *Task) announce(outcome messages.Outcome, err error, s *slot) {
	t.outcome = outcome
	if err != nil {
		m := t.extra()
		m.err = err
		t.unfetched(m)
	}
	m := t.more.Load()
	if m == nil {
		t.count(s)
		t.publish()
		t.leave(s)
		return
	}
	t.noteParentEnd()
	t.state.Add(stateDecided - stateDeciding)
	t.endContext(m)
	if m.release != nil {
		m.release()
	}
	callback := m.callback
	m.callback, m.release = nil, nil // what they refer to can be collected
	if callback != nil {
		t.router.lane.post(laneJob{run: callback, task: t})
		return
	}
	t.makeReady(s)
}

// publish makes the outcome of a task ready that had nobody to tell before.
// Somebody who came just now is told after.
func (t *Task) publish() {
	t.noteParentEnd()
	t.state.Add(stateReady - stateDeciding)
	if m := t.more.Load(); m != nil {
		t.endContext(m)
		t.tell(m)
	}
	t.report()
}

// noteParentEnd keeps what the task's context must say for good.
func (t *Task) noteParentEnd() {
	if t.parent.Err() != nil {
		t.state.Or(parentEnded)
	}
}

// count counts the outcome, before it can be read.
func (t *Task) count(s *slot) {
	switch {
	case !t.entered:
	case s != nil && t.outcome == messages.Succeeded:
		s.succeeded.Add(1)
	default:
		t.router.outcomes[t.outcome].Add(1)
	}
}

// leave ends what enter began. Called when the outcome can be read.
func (t *Task) leave(s *slot) {
	switch {
	case !t.entered:
	case s != nil:
		s.ended++
	default:
		t.router.leave(t)
	}
}

// makeReady lets everybody see the outcome of a decided task. Only the first
// call has an effect: with a callback, the lane and Terminate may both call it.
func (t *Task) makeReady(s *slot) {
	m := t.extra()
	m.mu.Lock()
	if t.phase() == stateReady {
		m.mu.Unlock()
		return
	}
	t.count(s)
	t.state.Add(stateReady - stateDecided)
	defer t.leave(s)
	t.tellAndUnlock(m)
	t.report()
}

// tell wakes those who wait for a task that is ready. Whoever comes later sees
// that it is.
func (t *Task) tell(m *more) {
	m.mu.Lock()
	t.tellAndUnlock(m)
}

func (t *Task) tellAndUnlock(m *more) {
	done, watchers, callbacks, unhook, id := m.done, m.watchers, m.callbacks, m.unhook, m.requestID
	m.done, m.watchers, m.callbacks, m.unhook = nil, nil, nil, nil
	if m.whenReady != nil {
		m.whenReady.give()
		m.whenReady = nil
	}
	m.mu.Unlock()
	if m.adopted.Load() {
		(*Task)(t.parent.(*taskContext)).release(m)
	}
	if unhook != nil {
		unhook()
	}
	if id != 0 {
		t.router.desk.forget(id)
	}
	if done != nil {
		close(done)
	}
	for _, w := range watchers {
		w.ready()
	}
	for _, f := range callbacks {
		t.router.lane.post(laneJob{run: f})
	}
}

// report tells the body that the outcome can be read.
func (t *Task) report() {
	if body, ok := t.body.(readier); ok {
		body.Ready()
	}
}

// WatchParent makes the end of the parent context the end of the task. Called
// after the task was accepted.
func (t *Task) WatchParent() {
	if t.unwatch {
		return
	}
	if parent, ok := t.parent.(*taskContext); ok {
		t.unwatch = true
		(*Task)(parent).adopt(t)
		return
	}
	if t.parent.Done() == nil {
		return
	}
	t.unwatch = true
	unhook := t.router.AfterEnd(t.parent, "end of a context", t.EndWithParent)
	m := t.extra()
	m.mu.Lock()
	if !t.Ready() {
		m.unhook = unhook
		unhook = nil
	}
	m.mu.Unlock()
	if unhook != nil {
		unhook()
	}
}

// EndWithParent ends the task as its parent context has ended.
func (t *Task) EndWithParent() { t.Settle(ContextOutcome(t.parent)) }
