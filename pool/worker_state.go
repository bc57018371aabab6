package pool

import (
	"context"
	"errors"
	"time"

	"github.com/greenroom-go/greenroom/actors"
)

// hooks are what a worker calls at the beginning and at the end of its life.
type hooks struct {
	begin     func(context.Context) error
	end       func(context.Context) error
	makeState func(context.Context) (any, error)
	endState  func(any) error
}

// initializer is what a worker calls at the beginning, or nil.
func (h hooks) initializer() func(context.Context) (any, error) {
	if h.begin == nil && h.makeState == nil {
		return nil
	}
	return func(ctx context.Context) (state any, err error) {
		if h.begin != nil {
			if err := h.begin(ctx); err != nil {
				return nil, err
			}
		}
		if h.makeState != nil {
			return h.makeState(ctx)
		}
		return nil, nil
	}
}

// cleanup is what a worker calls at the end, or nil.
func (h hooks) cleanup() func(context.Context, any) error {
	if h.end == nil && h.endState == nil {
		return nil
	}
	return func(ctx context.Context, state any) (err error) {
		if h.end != nil {
			defer func() { err = errors.Join(err, h.end(ctx)) }()
		}
		if h.endState != nil {
			return h.endState(state)
		}
		return nil
	}
}

// WithInitializer has init called once on each worker before its first task,
// and again when the worker was restarted because a task panicked or called
// Goexit. Its context ends when the pool is terminated and carries the worker's
// name. If init fails, whichever way, the pool is broken, unless its supervision says
// otherwise ([WithSupervision]): all tasks that wait and all later ones fail with
// ErrBroken, which wraps the failure. init must not wait for tasks of its own pool. A
// nil init panics.
func WithInitializer(init func(ctx context.Context) error) Option {
	mustHave(init != nil, "WithInitializer", "function")
	return func(c *config) { c.begin = init }
}

// WithInitializerTimeout bounds how long an initializer may take, that of
// [WithInitializer] and that of [WithState] together. After d its context ends, with
// DeadlineExceeded and the cause ErrTimeout, and if it has not returned by then, it has
// failed, whatever it returns later: the worker fails at that moment, as
// InitializerFailed with an error that wraps ErrTimeout and names the worker and d.
// Supervision decides as about any initializer that fails. Default: any time. New rejects
// d that is not positive, and a pool without an initializer.
//
// A function that does not return is abandoned: it goes on, on a goroutine of its own,
// perhaps beside the initializer of the worker's successor, which is called by the same
// name. When it returns, that is logged. If it has succeeded, what it made is ended on
// the same goroutine, by the end of WithState and by [WithCleanup]. Join waits for that;
// the workers do not. Each restart may leave one more such function behind:
// [Supervision] should bound how many, by MaxRestarts or MinBackoff.
func WithInitializerTimeout(d time.Duration) Option {
	return func(c *config) {
		c.InitTimeout = d
		c.check(d > 0, "WithInitializerTimeout", "%v; it must be positive", d)
	}
}

// WithCleanup has end called by each worker that was initialized and ends: it is
// stopped, or replaced after a failure. Its context carries the worker's name and does
// not end. No task runs on the worker any more; a function that has outlived its task's
// result is waited for first. Join waits for end, which must not wait for the pool. An
// error, a panic and a Goexit are logged. A nil end panics.
//
// A pool with it does not lend its workers' places to the callers of [Apply] and [Map].
func WithCleanup(end func(ctx context.Context) error) Option {
	mustHave(end != nil, "WithCleanup", "function")
	return func(c *config) { c.end = end }
}

// WithState gives each worker a state of its own, which its tasks read with [State]: a
// connection, a parser, a buffer. make is an initializer in every respect
// ([WithInitializer], which is called before it if there are both), and end, which may
// be nil, is a clean-up hook ([WithCleanup], which is called after it), so that methods
// like (*os.File).Close fit. A nil make panics.
func WithState[S any](make func(ctx context.Context) (S, error), end func(S) error) Option {
	mustHave(make != nil, "WithState", "function")
	return func(c *config) {
		c.makeState = func(ctx context.Context) (any, error) { return make(ctx) }
		c.endState = nil
		if end != nil {
			c.endState = func(state any) error { s, _ := state.(S); return end(s) } // nil is no S that is an interface
		}
	}
}

// State is the state of the worker that runs the task to which ctx belongs. It is the
// task's alone, and that of tasks that run in its place while it waits for them. It
// reports false elsewhere, if the pool has no state of type S, and for a task that its
// submitter runs ([CallerRuns]).
func State[S any](ctx context.Context) (state S, ok bool) {
	state, ok = actors.WorkerState(ctx).(S)
	return state, ok
}
