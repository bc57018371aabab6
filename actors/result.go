package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is the side of a Task that faces those who wait for it.

// Ready reports whether the outcome can be read.
func (t *Task) Ready() bool { return t.phase() == stateReady }

// Decided reports whether the outcome is certain, though perhaps not readable yet.
func (t *Task) Decided() bool { return t.phase() >= stateDeciding }

// Running reports whether the task's function has been started and the task has
// not ended.
func (t *Task) Running() bool {
	if t.phase() != stateRunning {
		return false
	}
	body, ok := t.body.(starter)
	return !ok || body.Started()
}

// Err is the task's error. Call it when the task is ready.
func (t *Task) Err() error {
	if m := t.more.Load(); m != nil {
		return m.err
	}
	return nil
}

// Outcome says how the task ended. Call it when the task is ready.
func (t *Task) Outcome() messages.Outcome { return t.outcome }

// Name is the name the task was given, or "".
func (t *Task) Name() string { return t.spec().name }

// Router is where the task was submitted.
func (t *Task) Router() *Router { return t.router }

// closedChannel is the Done of every task that was ready before it was asked.
var closedChannel = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done returns a channel that is closed when the task is ready.
func (t *Task) Done() <-chan struct{} {
	if t.Ready() {
		return closedChannel
	}
	m := t.extra()
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.Ready() {
		return closedChannel
	}
	if m.done == nil {
		m.done = make(chan struct{})
	}
	return m.done
}

// watcher is told when a task is ready.
type watcher struct{ ready func() }

// Notify calls ready once the task is ready, at once if it is. It runs on the
// goroutine that makes the task ready and must not block. stop takes it back.
func (t *Task) Notify(ready func()) (stop func()) {
	w, m := &watcher{ready}, t.extra()
	m.mu.Lock()
	if t.Ready() {
		m.mu.Unlock()
		ready()
		return func() {}
	}
	m.watchers = append(m.watchers, w)
	m.mu.Unlock()
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.watchers = slices.DeleteFunc(m.watchers, func(other *watcher) bool { return other == w })
	}
}

// OnDone has f called on the callback lane once the task is ready; if it is
// ready already, f is called before OnDone returns.
func (t *Task) OnDone(f func()) {
	m := t.extra()
	m.mu.Lock()
	if !t.Ready() {
		m.callbacks = append(m.callbacks, f)
		m.mu.Unlock()
		return
	}
	m.mu.Unlock()
	t.router.lane.call(f)
}

// Cancel decides the task as cancelled and reports whether that was in time.
func (t *Task) Cancel() bool {
	return t.Settle(messages.Cancelled, messages.ErrCancelled)
}

// PID returns the reply-to address of the task, made on first use.
func (t *Task) PID() *actor.PID {
	m := t.extra()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requestID == 0 {
		m.requestID = t.router.desk.assign(t, t.Ready())
	}
	return t.router.desk.address(m.requestID)
}

// accept takes an outcome that arrived as a message. It reports false, and
// changes nothing, if the value is of the wrong type; an outcome that comes
// late counts as taken.
func (t *Task) accept(m *messages.Result) bool {
	body, ok := t.body.(accepter)
	if !ok {
		return false
	}
	outcome, err := messages.Failed, m.Err
	publish := func() {}
	if err == nil {
		outcome = messages.Succeeded
		var mismatch error
		if publish, mismatch = body.Accept(m.Value); mismatch != nil {
			return false
		}
	}
	from, won := t.decide(0)
	if !won {
		t.router.late.Add(1)
		return true
	}
	publish()
	t.settled(from, outcome, err)
	return true
}

// ContextOutcome says how a task ends whose context ended.
func ContextOutcome(ctx context.Context) (messages.Outcome, error) {
	err, cause := ctx.Err(), context.Cause(ctx)
	outcome, end := messages.Cancelled, messages.ErrCancelled
	if errors.Is(err, context.DeadlineExceeded) {
		outcome, end = messages.TimedOut, messages.ErrTimeout
	}
	if cause == nil || cause == err || errors.Is(end, cause) {
		return outcome, end
	}
	return outcome, fmt.Errorf("%w: %w", end, cause)
}
