package actors

import (
	"runtime/debug"

	"github.com/greenroom-go/greenroom/messages"
)

// Failure is why a worker fails: what a task's function did to it, or the
// initializer. It is what the supervisor decides about.
type Failure struct {
	Kind FailureKind
	// Err is a *PanicError, ErrGoexit, or the error of the initializer.
	Err error
	// Worker is the name of the worker.
	Worker string

	// passing: it is on its way to the supervisor. A function can panic with a
	// *Failure of its own; that is a panic like any other.
	passing bool
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

func (f *Failure) Outcome() messages.Outcome {
	if f.Kind == TaskExited {
		return messages.Exited
	}
	return messages.Panicked
}

// NewFailure tells a panic from a Goexit by what recover returned: since Go
// 1.21 it is never nil for a panic. Must be called in the deferred function.
func NewFailure(recovered any) *Failure {
	if recovered == nil {
		return &Failure{Kind: TaskExited, Err: messages.ErrGoexit, passing: true}
	}
	if failure, ok := recovered.(*Failure); ok && failure != nil && failure.passing {
		return failure
	}
	return &Failure{Kind: TaskPanicked, Err: NewPanicError(recovered), passing: true}
}

// NewPanicError wraps what recover returned. Call it in the deferred function,
// so that the stack is the one that panicked.
func NewPanicError(recovered any) *messages.PanicError {
	return &messages.PanicError{Value: recovered, Stack: debug.Stack()}
}
