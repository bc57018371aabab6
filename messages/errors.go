package messages

import (
	"context"
	"errors"
	"fmt"
)

// The ends of a task that are not its own doing, and the refusals of a pool.
// Match them with errors.Is: most arrive wrapped, with what was wrong.
var (
	// ErrClosed: the pool takes no more tasks, because it was closed or terminated.
	ErrClosed = errors.New("pool not running")
	// ErrTerminated: the pool was terminated before the task ended.
	ErrTerminated = errors.New("pool terminated")
	// ErrBroken: an initializer failed, or the pool's supervision gave up, so the pool
	// cannot work. The error wraps the cause.
	ErrBroken = errors.New("pool broken")
	// ErrTooManyRestarts: workers failed more often than the pool's supervision allows.
	// It is the cause of ErrBroken, and wraps the last failure.
	ErrTooManyRestarts = errors.New("too many restarts")
	// ErrFull: the queue is full and the policy is to reject.
	ErrFull = errors.New("queue full")
	// ErrDropped: the task waited longest in a full queue whose policy is to
	// drop the oldest, or was shed because the queue had been late for too long.
	ErrDropped = errors.New("task dropped from the queue")
	// ErrCancelled: the task was cancelled. Matches context.Canceled too.
	ErrCancelled = fmt.Errorf("task cancelled: %w", context.Canceled)
	// ErrTimeout: the task's deadline passed. Matches context.DeadlineExceeded too.
	ErrTimeout = fmt.Errorf("task timed out: %w", context.DeadlineExceeded)
	// ErrGoexit: the task's function called runtime.Goexit, as t.FailNow does.
	ErrGoexit = errors.New("task called runtime.Goexit")
	// ErrDeadlock: the wait could never end, because what it waits for waits,
	// directly or through others, for the task that would be waiting.
	ErrDeadlock = errors.New("deadlock: the task waits for itself")
	// ErrNoFunction: a Task arrived without a function.
	ErrNoFunction = errors.New("task without a function")
	// ErrRefused: the middleware around a task has not called it.
	ErrRefused = errors.New("task refused by middleware")
	// ErrForeignMessage: the pool does not understand the message.
	ErrForeignMessage = errors.New("message not understood")
	// ErrPrioritiesUnused: a task has a priority and the pool does not use them.
	ErrPrioritiesUnused = errors.New("task has a priority, but the pool uses none (use WithPriorities)")
	// ErrKeysUnused: a task has a key and the pool's routing does not use keys.
	ErrKeysUnused = errors.New("task has a key, but the pool's routing uses none (use KeyOrdered)")
	// ErrInvalid: an argument or option has a value that is not allowed. The error names
	// it and the value.
	ErrInvalid = errors.New("invalid argument")
)

// PanicError is the end of a task whose function panicked.
type PanicError struct {
	// Value is what was passed to panic.
	Value any
	// Stack is the stack of the panicking goroutine, as debug.Stack prints it.
	Stack []byte
}

// Error returns the panic's value and the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("task panicked: %v\n\n%s", e.Value, e.Stack)
}

// Unwrap returns the panic's value if it is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
