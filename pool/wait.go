package pool

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/actors"
)

// Awaitable is an [AsyncResult] of any type.
type Awaitable interface {
	Name() string
	Wait(ctx context.Context) error
	Done() <-chan struct{}
	Ready() bool
	Running() bool
	Successful() (bool, error)
	Outcome() (Outcome, error)
	Cancel() bool
	PID() *actor.PID
	awaited() *actors.Task
}

// When says what [WaitFor] waits for. The names are those of Python's
// concurrent.futures.
type When uint8

const (
	// AllCompleted: every result is ready.
	AllCompleted When = iota
	// FirstCompleted: at least one result is ready.
	FirstCompleted
	// FirstException: a result is ready with an error, or all are ready.
	FirstException
)

// WaitFor blocks until the results have come as far as when says, and then
// divides them into those that are ready and those that are not, each in the
// order given. It returns the two also with an error, which is that of Get if
// ctx ends first, or ErrInvalid for a nil result or an unknown when. With no
// results it returns at once. Inside of a task it deadlocks as little as Get.
func WaitFor(ctx context.Context, when When, results ...Awaitable) (done, pending []Awaitable, err error) {
	if ctx == nil {
		return nil, results, errNilContext("WaitFor")
	}
	if when > FirstException {
		return nil, results, fmt.Errorf("%w: WaitFor: unknown condition %d", ErrInvalid, when)
	}
	for i, r := range results {
		if isNil(r) {
			return nil, results, fmt.Errorf("%w: WaitFor: result %d is nil", ErrInvalid, i+1)
		}
	}
	if len(results) > 0 {
		w := newGroupWait(results, when)
		defer w.stop()
		err = await(ctx, w)
	}
	for _, r := range results {
		if r.Ready() {
			done = append(done, r)
		} else {
			pending = append(pending, r)
		}
	}
	return done, pending, err
}

// AsCompleted returns the results as they become ready; those that are ready at
// the start come first, in the order given. If ctx ends, or waiting for the
// rest would be a deadlock, it yields that error with a nil result and ends. A
// nil result panics.
func AsCompleted[R any](ctx context.Context, results ...*AsyncResult[R]) iter.Seq2[*AsyncResult[R], error] {
	for _, r := range results {
		mustHave(r != nil, "AsCompleted", "result")
	}
	return func(yield func(*AsyncResult[R], error) bool) {
		if ctx == nil {
			yield(nil, errNilContext("AsCompleted"))
			return
		}
		left := make([]Awaitable, len(results))
		for i, r := range results {
			left[i] = r
		}
		if len(left) == 0 {
			return
		}
		w := newGroupWait(left, FirstCompleted)
		defer w.stop()
		for len(w.results) > 0 {
			if err := await(ctx, w); err != nil {
				yield(nil, err)
				return
			}
			i := slices.IndexFunc(w.results, Awaitable.Ready)
			r := w.results[i].(*AsyncResult[R])
			w.results = slices.Delete(slices.Clone(w.results), i, i+1)
			if !yield(r, nil) {
				return
			}
		}
	}
}

// groupWait waits for several results.
type groupWait struct {
	results []Awaitable
	when    When
	changed chan struct{} // holds a token when a result has become ready
	stops   []func()
}

func newGroupWait(results []Awaitable, when When) *groupWait {
	w := &groupWait{results: results, when: when, changed: make(chan struct{}, 1)}
	for _, r := range results {
		w.stops = append(w.stops, r.awaited().Notify(func() {
			select {
			case w.changed <- struct{}{}:
			default:
			}
		}))
	}
	return w
}

func (w *groupWait) stop() {
	for _, stop := range w.stops {
		stop()
	}
}

// Ready reports whether the condition holds.
func (w *groupWait) Ready() bool {
	ready := 0
	for _, r := range w.results {
		if !r.Ready() {
			continue
		}
		ready++
		if w.when == FirstCompleted {
			return true
		}
		if w.when == FirstException && r.awaited().Err() != nil {
			return true
		}
	}
	return ready == len(w.results)
}

// Router is that of the first result's pool.
func (w *groupWait) Router() *actors.Router { return w.results[0].awaited().Router() }

// Signal receives a token when a result has become ready.
func (w *groupWait) Signal() <-chan struct{} { return w.changed }

// Piece claims one of the tasks that have not started.
func (w *groupWait) Piece(f *actors.Frame, nudge *actors.Nudge) *actors.Task {
	for _, r := range w.results {
		if r.Ready() {
			continue
		}
		if piece := (actors.TaskWait{Task: r.awaited()}).Piece(f, nudge); piece != nil {
			return piece
		}
	}
	return nil
}

// Blockers are the tasks that are not ready: all of them, or any. A wait for the
// first error can end with any, and then looks again.
func (w *groupWait) Blockers() (b actors.Blockers) {
	var tasks []*actors.Task
	for _, r := range w.results {
		if !r.Ready() {
			tasks = append(tasks, r.awaited())
		}
	}
	if w.when == AllCompleted {
		b.All = tasks
	} else {
		b.Any = tasks
	}
	return b
}

func isNil(r Awaitable) bool {
	if r == nil {
		return true
	}
	n, ok := r.(interface{ isNil() bool })
	return ok && n.isNil()
}

func (r *AsyncResult[R]) isNil() bool { return r == nil }
