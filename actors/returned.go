package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/greenroom-go/greenroom/messages"
)

// This file says what the error means that a function returned.

// EndedWith ends the task if err says that the context it was submitted with has
// ended, and reports whether it does.
func (t *Task) EndedWith(err error) bool {
	if !t.gaveUp(err) {
		return false
	}
	t.parentEnded()
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

// Returned says how the task ends whose function returned err; it is to be
// announced by whoever then wins the decision. A function that gives up because
// its context has ended returns at the same moment in which the end of that
// context ends the task; whichever comes first, the outcome is the same.
func (t *Task) Returned(err error) (messages.Outcome, error) {
	switch {
	case err == nil:
		return messages.Succeeded, nil
	case !t.gaveUp(err):
		return messages.Failed, err
	}
	outcome, end := ContextOutcome(t.parent)
	if isOneOf(err, t.parent.Err(), context.Cause(t.parent)) {
		return outcome, end
	}
	return outcome, fmt.Errorf("%w: %w", end, err)
}

// isOneOf compares errors, some of which may not be comparable.
func isOneOf(err error, others ...error) (yes bool) {
	defer func() { _ = recover() }()
	return slices.Contains(others, err)
}
