package messages

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Task asks a pool to call a function. Any actor sends it to the pool's PID,
// best with Request, so that the pool knows the sender. It is answered by
// exactly one [*Result]. If the pool has ended, it is a dead letter and
// Proto.Actor answers the sender with *actor.DeadLetterResponse.
//
// A Task must not be changed after it was sent.
type Task struct {
	// Func is what the worker calls. It runs on one of the pool's workers; its
	// context ends when the task is cancelled, times out or the pool is
	// terminated. A Task without Func is answered with ErrNoFunction.
	Func func(context.Context) (any, error)

	// ReplyTo receives the Result. Nil means the sender of the message. With
	// neither, values are discarded and errors become dead letters.
	ReplyTo *actor.PID

	// Correlation comes back in the Result as it was given. It lets an actor
	// with many tasks under way tell their results apart.
	Correlation any

	// Name appears in logs and in the Result.
	Name string

	// Key orders tasks in pools whose routing uses keys; elsewhere a task with
	// a key is answered with ErrKeysUnused.
	Key string

	// Priority has the task overtake those with a lower one, in pools that use
	// priorities; elsewhere a task with one that is not 0 is answered with
	// ErrPrioritiesUnused. From -100 to 100; others are answered with ErrInvalid.
	Priority int

	// Context is the parent of the context that Func receives, and cancels the
	// task when it ends. Nil means context.Background().
	Context context.Context

	// Timeout, if not zero, ends the task with ErrTimeout that long after the
	// pool received it. A negative one is answered with ErrInvalid.
	Timeout time.Duration

	// RunTimeout is Timeout counted from the moment in which Func starts.
	RunTimeout time.Duration
}

// Result tells how a task ended. The pool sends it to the task's reply-to
// address. An actor may also send one itself, to the PID of an AsyncResult: the
// first outcome to arrive wins and later ones are counted. A lost Result is
// never sent again.
type Result struct {
	// Value is what the function returned. It is nil unless Outcome is
	// Succeeded or Failed.
	Value any
	// Err is nil exactly if Outcome is Succeeded.
	Err error
	// Outcome says how the task ended. It is ignored in a Result that is sent
	// to an AsyncResult: there Err decides.
	Outcome Outcome
	// Name and Correlation are those of the task.
	Name        string
	Correlation any
}

// Outcome says how a task ended. All of them are final: a task has one outcome.
type Outcome uint8

const (
	// Succeeded: the function returned without an error.
	Succeeded Outcome = iota
	// Failed: the function returned an error.
	Failed
	// Panicked: the function panicked; the error is a *PanicError.
	Panicked
	// Exited: the function called runtime.Goexit; the error is ErrGoexit.
	Exited
	// Cancelled: the task was cancelled, by its handle or by its context.
	Cancelled
	// TimedOut: a deadline passed before the function returned.
	TimedOut
	// Dropped: a full queue made room for a newer task.
	Dropped
	// Terminated: the pool was terminated first.
	Terminated
	// Broken: the pool broke first: an initializer failed, or its supervision gave up.
	Broken

	// Outcomes is how many there are.
	Outcomes = int(Broken) + 1
)

// String returns the outcome in lower case, as it appears in logs.
func (o Outcome) String() string {
	names := [Outcomes]string{
		"succeeded", "failed", "panicked", "exited", "cancelled",
		"timed out", "dropped", "terminated", "broken",
	}
	if int(o) >= len(names) {
		return "unknown"
	}
	return names[o]
}
