package pool

import (
	"github.com/greenroom-go/greenroom/actors"
)

// Supervision says what becomes of workers that fail; see [WithSupervision].
// [actors.Supervision] has its fields.
type Supervision = actors.Supervision

// Failure is why a worker failed. [actors.Failure] has its fields.
type Failure = actors.Failure

// FailureKind says what made a worker fail.
type FailureKind = actors.FailureKind

const (
	// TaskPanicked: the function of a task panicked.
	TaskPanicked = actors.TaskPanicked
	// TaskExited: the function of a task called runtime.Goexit.
	TaskExited = actors.TaskExited
	// InitializerFailed: the initializer returned an error, panicked or called Goexit, or
	// has not returned in the time that it had ([WithInitializerTimeout]).
	InitializerFailed = actors.InitializerFailed
)

// Directive says what is done about a failure. The task that failed has its end in
// any case. In an event [Stop] may also say that the worker is stopped since the pool is
// on its way out, or that its place had been closed before.
type Directive = actors.Directive

const (
	// Restart replaces the worker by a new one, which runs the initializer again.
	Restart = actors.Restart
	// Resume has the worker go on with its state as it is. After a failed initializer
	// there is none, and Resume means Restart.
	Resume = actors.Resume
	// Escalate leaves the decision about the whole pool to the parent actor, and
	// replaces the worker meanwhile. A pool that has no parent breaks.
	Escalate = actors.Escalate
	// Break makes the pool refuse tasks for good: those that wait and later ones end
	// with ErrBroken, which wraps the failure. What runs is finished.
	Break = actors.Break
	// Stop stops the worker and closes its place: the pool carries on with one worker
	// fewer, until somebody resizes it ([Pool.Resize]). What waits for this worker alone
	// ends with the failure. A pool that has its minimum of workers ([WithMinWorkers])
	// breaks.
	Stop = actors.Stop
)

// Scope says which workers are restarted because one is.
type Scope = actors.Scope

const (
	// OneForOne restarts the worker that failed. The others do not notice.
	OneForOne = actors.OneForOne
	// AllForOne restarts all workers, for those whose state is shared or depends on one
	// another. Each of the others first finishes the task that it runs. A pool with an
	// initializer and a Scope other than OneForOne does not lend its workers' places to
	// the callers of [Apply] and [Map].
	AllForOne = actors.AllForOne
	// RestForOne restarts, beside the one that failed, those with a higher number, as
	// AllForOne does.
	RestForOne = actors.RestForOne
)
