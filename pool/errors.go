package pool

import (
	"context"
	"errors"
	"fmt"

	"github.com/greenroom-go/greenroom/messages"
)

// What ends a task besides its own return, and what a pool refuses. Match them
// with errors.Is: they arrive wrapped, with what was wrong.
var (
	// ErrClosed: the pool takes no more tasks; it was closed or terminated.
	ErrClosed = messages.ErrClosed
	// ErrTerminated: the pool was terminated before the task ended.
	ErrTerminated = messages.ErrTerminated
	// ErrBroken: an initializer failed, or the pool's supervision gave up. The error
	// wraps the failure.
	ErrBroken = messages.ErrBroken
	// ErrTooManyRestarts: workers failed more often than the pool's [Supervision]
	// allows. It comes within ErrBroken, and wraps the last failure.
	ErrTooManyRestarts = messages.ErrTooManyRestarts
	// ErrFull: the queue is full and its policy is Reject.
	ErrFull = messages.ErrFull
	// ErrDropped: the queue was full and its policy is DropOldest, or the task was shed
	// ([WithShedding]).
	ErrDropped = messages.ErrDropped
	// ErrCancelled: the task was cancelled, by Cancel or by the context it was
	// submitted with. Matches context.Canceled too.
	ErrCancelled = messages.ErrCancelled
	// ErrTimeout: the task's timeout, or the deadline of the context it was
	// submitted with, passed. Matches context.DeadlineExceeded too.
	ErrTimeout = messages.ErrTimeout
	// ErrGoexit: the task's function called runtime.Goexit, as t.FailNow does.
	ErrGoexit = messages.ErrGoexit
	// ErrDeadlock: the wait could never have ended, because what it waits for
	// waits, directly or through others, for the waiting task.
	ErrDeadlock = messages.ErrDeadlock
	// ErrNotReady: the result has no outcome yet.
	ErrNotReady = errors.New("result not ready")
	// ErrRunning: Join was called on a pool that is neither closed nor terminated.
	ErrRunning = errors.New("pool still running: call Close or Terminate first")
	// ErrStreamEnd: Next was called at the end of a stream.
	ErrStreamEnd = errors.New("end of stream")
	// ErrRefused: the middleware around a task has not called it
	// ([WithReceiverMiddleware]).
	ErrRefused = messages.ErrRefused
	// ErrPrioritiesUnused: a task has a priority and the pool was made without
	// [WithPriorities].
	ErrPrioritiesUnused = messages.ErrPrioritiesUnused
	// ErrKeysUnused: a task has a key and the pool's routing does not use keys.
	ErrKeysUnused = messages.ErrKeysUnused
	// ErrInvalid: an argument or option has a value that is not allowed. The
	// error names it.
	ErrInvalid = messages.ErrInvalid
)

// PanicError is the error of a task whose function panicked. It unwraps to the
// panic's value if that is an error. Its text has several lines: the value, and
// the stack of the panic.
type PanicError = messages.PanicError

// ItemError is the error of one item of a map or a stream. It unwraps to what
// the function returned.
type ItemError struct {
	// Index is the position of the item in the input, from 0.
	Index int
	// Err is what the function returned, a *PanicError, or ErrGoexit.
	Err error
}

// Error names the item and its error.
func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *ItemError) Unwrap() error { return e.Err }

// MapError is the error of a map of which not every item has a result. The
// slice that comes with it has the input's length and holds the results there
// are; the other places have the zero value.
type MapError struct {
	// Err is the *ItemError that came first in time, or what ended the map:
	// ErrCancelled, ErrTimeout, ErrTerminated, ErrBroken, ErrDropped.
	Err error
	// Completed tells for each item whether its result is in the slice.
	Completed []bool
}

// Error is that of Err.
func (e *MapError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *MapError) Unwrap() error { return e.Err }

// notReady is the error of a wait that ended before the outcome came. It
// matches ErrNotReady and the context's error.
func notReady(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w: %w", ErrNotReady, err, cause)
	}
	return fmt.Errorf("%w: %w", ErrNotReady, err)
}

func errNilContext(call string) error {
	return fmt.Errorf("%w: %s was given a nil context; use context.Background()", ErrInvalid, call)
}

func errNilItems(call string) error {
	return fmt.Errorf("%w: %s was given nil items", ErrInvalid, call)
}

// mustHave panics for a caller's bug at the boundary.
func mustHave(present bool, call, what string) {
	if !present {
		panic(fmt.Sprintf("greenroom/pool: %s was given a nil %s", call, what))
	}
}
