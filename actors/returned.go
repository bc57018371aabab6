package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/greenroom-go/greenroom/messages"
)

// This file says what it means that a function has returned.

// Finished says how a task ends whose function has returned err; it is to be announced by
// whoever then wins the decision. If the context that it was submitted with has ended
// before, that is the end of the task, as it is for one whose function goes on. The two come
// at the same moment if a function waits for its context; whichever comes first, the outcome
// is the same.
func (t *Task) Finished(err error) (messages.Outcome, error) {
	switch {
	case t.ParentEnded():
		return t.endedWith(err)
	case err != nil:
		return messages.Failed, err
	}
	return messages.Succeeded, nil
}

// ParentEnded reports whether the context that the task was submitted with has ended.
func (t *Task) ParentEnded() bool { return t.parent.Err() != nil }

// endedWith is the end of a task whose parent context has ended, with what its function
// says of that.
func (t *Task) endedWith(err error) (messages.Outcome, error) {
	outcome, end := ContextOutcome(t.parent)
	if err == nil || isOneOf(err, t.parent.Err(), context.Cause(t.parent)) {
		return outcome, end
	}
	return outcome, fmt.Errorf("%w: %w", end, err)
}

// EndedWith ends the task if err says that the context it was submitted with has
// ended, and reports whether it does.
func (t *Task) EndedWith(err error) bool {
	if !t.gaveUp(err) {
		return false
	}
	t.EndWithParent()
	return true
}

// gaveUp reports whether err says that the parent context has ended. err is
// foreign code: a typed nil, say, may panic when it is asked.
func (t *Task) gaveUp(err error) (yes bool) {
	ended := t.parent.Err()
	if err == nil || ended == nil {
		return false
	}
	defer func() { _ = recover() }()
	return errors.Is(err, ended)
}

// Returned is Finished for a map, of which err says what its items returned: it has ended
// with its context only if they gave up because of that.
func (t *Task) Returned(err error) (messages.Outcome, error) {
	switch {
	case err == nil:
		return messages.Succeeded, nil
	case !t.gaveUp(err):
		return messages.Failed, err
	}
	return t.endedWith(err)
}

// isOneOf compares errors, some of which may not be comparable.
func isOneOf(err error, others ...error) (yes bool) {
	defer func() { _ = recover() }()
	return slices.Contains(others, err)
}
