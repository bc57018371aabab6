package pool

import "github.com/greenroom-go/greenroom/messages"

// Outcome says how a task ended; it indexes Stats.Outcomes.
type Outcome = messages.Outcome

const (
	// Succeeded: the function returned without an error.
	Succeeded = messages.Succeeded
	// Failed: the function returned an error.
	Failed = messages.Failed
	// Panicked: the function panicked; the error is a *PanicError.
	Panicked = messages.Panicked
	// Exited: the function called runtime.Goexit; the error is ErrGoexit.
	Exited = messages.Exited
	// Cancelled: the task was cancelled, by its result or by its context.
	Cancelled = messages.Cancelled
	// TimedOut: a deadline passed first.
	TimedOut = messages.TimedOut
	// Dropped: a full queue made room for a newer task.
	Dropped = messages.Dropped
	// Terminated: the pool was terminated first.
	Terminated = messages.Terminated
	// Broken: the pool broke first: an initializer failed, or its supervision gave up.
	Broken = messages.Broken
)
