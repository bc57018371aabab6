package pool

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/actors"
)

// AsyncResult is where the outcome of a task, or of a whole map, goes. It gets
// exactly one, and everybody who asks is told the same. All methods may be
// called from any goroutine, any number of times. The zero AsyncResult is no
// result: only submissions make them.
//
// A wait from inside of a task, made with that task's context or one derived
// from it, never deadlocks: what has not started is run in the place of the
// waiting task, and a true cycle ends with ErrDeadlock. The package's
// documentation has the limits.
type AsyncResult[R any] struct {
	task actors.Task
	// value is written by whoever decides the task, before it is announced.
	value R
}

// Get blocks until the outcome is there and returns it: the value, or the error
// the task ended with, the very same one each time. If ctx ends first, the
// error matches ErrNotReady and ctx's error, and Get may be called again; a ctx
// that has ended already makes Get a poll.
func (r *AsyncResult[R]) Get(ctx context.Context) (R, error) {
	if err := r.wait(ctx, "Get"); err != nil {
		var zero R
		return zero, err
	}
	return r.value, r.task.Fetch()
}

// Wait blocks until the outcome is there, whatever it is, and returns nil. If
// ctx ends first, it returns an error as Get does.
func (r *AsyncResult[R]) Wait(ctx context.Context) error { return r.wait(ctx, "Wait") }

func (r *AsyncResult[R]) wait(ctx context.Context, call string) error {
	switch {
	case ctx == nil:
		return errNilContext(call)
	case r.task.Ready():
		return nil
	case r.task.Router() == nil:
		return fmt.Errorf("%w: %s on a zero AsyncResult; only submissions make results", ErrInvalid, call)
	}
	return await(ctx, actors.TaskWait{Task: &r.task})
}

// await is actors.Await with the errors of this package.
func await(ctx context.Context, w actors.Wait) error {
	err := actors.Await(ctx, w)
	if err == nil || errors.Is(err, ErrDeadlock) {
		return err
	}
	return notReady(ctx, err)
}

// Ready reports whether the outcome is there.
func (r *AsyncResult[R]) Ready() bool { return r.task.Ready() }

// Running reports whether work on the task has begun and its outcome is not
// there.
func (r *AsyncResult[R]) Running() bool { return r.task.Running() }

// Successful reports whether the task ended without an error. Before it has
// ended, the error is ErrNotReady.
func (r *AsyncResult[R]) Successful() (bool, error) {
	if !r.Ready() {
		return false, ErrNotReady
	}
	return r.task.Fetch() == nil, nil
}

// Done returns a channel that is closed when the outcome is there.
func (r *AsyncResult[R]) Done() <-chan struct{} { return r.task.Done() }

// Cancel ends the task with ErrCancelled, unless it has ended. A task that waits
// leaves the queue at once. One that runs sees its context cancelled; its result
// ends at once, and what its function returns later is dropped. Cancel reports
// whether it was in time; if not, the result may become ready a moment later, behind
// its callback for one.
func (r *AsyncResult[R]) Cancel() bool { return r.task.Cancel() }

// OnDone has fn called with the result when the outcome is there: on the
// goroutine of the pool's callbacks (see [WithCallback]), after the result has
// become ready, in the order in which the functions were added before that. If
// the outcome is there already, fn is called before OnDone returns. A panic in
// fn is logged and has no other effect. A nil fn panics.
func (r *AsyncResult[R]) OnDone(fn func(*AsyncResult[R])) {
	mustHave(fn != nil, "OnDone", "function")
	r.task.Asked()
	r.task.OnDone(func() { fn(r) })
}

// Name is the name given by [WithTaskName], or "".
func (r *AsyncResult[R]) Name() string { return r.task.Name() }

// Outcome says how the task ended. Before it has ended, the error is ErrNotReady.
func (r *AsyncResult[R]) Outcome() (Outcome, error) {
	if !r.Ready() {
		return 0, ErrNotReady
	}
	_ = r.task.Fetch()
	return r.task.Outcome(), nil
}

// PID is the reply-to address of the task. Any actor can send a
// [*messages.Result] there, with a Value of type R or an Err: the first outcome
// to arrive wins, the function's or the message's, and later ones are counted
// in [Stats]. If a message wins, the task is cancelled. A message of another
// kind, or with a value of another type, is a dead letter. The address is made
// at the first call and stays the same; compare PIDs with Equal.
func (r *AsyncResult[R]) PID() *actor.PID { return r.task.PID() }

func (r *AsyncResult[R]) awaited() *actors.Task { return &r.task }

// refuse makes the result of a submission that was not accepted.
func (r *AsyncResult[R]) refuse(err error) *AsyncResult[R] {
	r.task.Refuse(err)
	return r
}

// finish takes what the function returned, on the goroutine that ran it.
func (r *AsyncResult[R]) finish(value R, err error) {
	outcome := Succeeded
	if err != nil || r.task.ParentEnded() {
		outcome, err = r.task.Finished(err)
	}
	if r.task.DecideReturned() {
		if err == nil || outcome == Failed {
			r.value = value
		}
		r.task.Conclude(outcome, err)
	}
}

// accept takes a value that came as a message.
func (r *AsyncResult[R]) accept(value any) (publish func(), err error) {
	v, ok := value.(R)
	if want := reflect.TypeFor[R](); !ok && (value != nil || !canBeNil(want)) {
		return nil, fmt.Errorf("%w: %T is no %v", ErrInvalid, value, want)
	}
	return func() { r.value = v }, nil
}
