package actors

import (
	"github.com/greenroom-go/greenroom/messages"
)

// perform runs the function of a claimed task, which has the place of another
// one or of its submitter, on the calling goroutine, and gives the task its end
// whatever the function does. As the last thing it calls ended, with the first
// failure of the task or of those run in place in it, or nil. If exiting, the
// goroutine is ending by Goexit; a panic was recovered.
func (t *Task) perform(ended func(failure *Failure, exiting bool)) {
	returned := false
	defer func() {
		var failure *Failure
		if !returned {
			failure = NewFailure(recover())
			t.broke(failure)
		}
		below := t.leavePlace()
		if failure == nil {
			failure = below
		}
		ended(failure, !returned && failure.Kind == TaskExited)
	}()
	t.run()
	returned = true
}

// run calls the function, and ends the task if it takes longer than it may.
func (t *Task) run() {
	if t.more.Load() != nil {
		if limit := t.spec().limit; limit > 0 {
			timer := t.router.AfterFunc("run timeout", limit, func() { t.Settle(messages.TimedOut, messages.ErrTimeout) })
			defer timer.Stop()
		}
	}
	t.body.Run(t.Context())
}

// performApart is perform as the first thing on a goroutine.
func (t *Task) performApart(ended func(failure *Failure, exiting bool)) {
	growStack()
	t.perform(ended)
}

// breaker is a Body that decides the task itself if Run panicked or exited, on the
// same goroutine.
type breaker interface{ Broke(failure *Failure) }

// broke gives a task its end whose function panicked or exited.
func (t *Task) broke(failure *Failure) {
	t.Vacate()
	if body, ok := t.body.(breaker); ok {
		body.Broke(failure)
		return
	}
	if t.DecideLate() {
		outcome := failure.Outcome()
		t.Announce(outcome, t.body.Abandon(outcome, failure.Err, true))
	}
}

// Vacate gives the place of a running task back before its outcome can be seen,
// so that whoever has seen it finds the worker free. To be called by the task's
// own goroutine, when no user code will run on it any more. It has no effect
// while a task is left that runs in place; then the place is given back after
// that one, but the next task with the same key need not wait for it.
func (t *Task) Vacate() {
	if t.vacated {
		return
	}
	if t.tryFinish() {
		t.vacated = true
		t.tellPlace()
	} else if t.key() != "" {
		t.router.releaseKey(t)
	}
}

// VacateForDecision is Vacate for a task that is about to be decided by
// DecideReturned. A task that has no more than a function leaves it to that.
func (t *Task) VacateForDecision() {
	if t.more.Load() != nil {
		t.Vacate()
	}
}

// leavePlace gives the place back at last, and returns the first failure of what
// ran in it.
func (t *Task) leavePlace() *Failure {
	if !t.vacated {
		t.finish()
		t.vacated = true
		t.tellPlace()
	}
	t.endWatch()
	return t.failureBelow()
}

// tellPlace tells the router of a place that is free, if it would not notice.
func (t *Task) tellPlace() {
	if t.outside || t.key() != "" {
		t.router.finished(t)
	}
}
