package pool

import (
	"context"
	"errors"
	"runtime"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// Apply calls fn on a worker and returns what it returns: ApplyAsync and Get in
// one. If ctx ends first, the task is cancelled and the error is ErrCancelled
// or ErrTimeout.
//
// If ctx cannot be cancelled (its Done is nil), there are no options, and a
// worker is idle, that worker lends its place: fn runs on the caller's goroutine,
// and counts as the worker's in every other way. It saves waking two goroutines.
// What is different then is what cannot be otherwise: a runtime.Goexit in fn ends
// the task and then the caller's goroutine, and after Terminate, which cancels
// the context that fn receives, Apply returns when fn does. With a context that
// can be cancelled fn always has a goroutine of the pool.
func Apply[R any](ctx context.Context, p *Pool, fn func(context.Context) (R, error), opts ...TaskOption) (R, error) {
	r := submit(ctx, "Apply", p, fn, opts, true)
	return r.getOrCancel(ctx)
}

// ApplyAsync has fn called on a worker and returns the result to come. Tasks
// start in the order of submission, unless the pool's routing says otherwise.
//
// ctx bounds the wait for room in a full queue, is the parent of the context
// that fn receives, and cancels the task when it ends. Inside of a task, pass
// that task's context. If the task is not accepted, the result already carries
// the error: ErrClosed, ErrBroken, ErrFull, ErrCancelled, ErrTimeout,
// ErrKeysUnused or ErrInvalid. A nil fn or p panics.
func ApplyAsync[R any](ctx context.Context, p *Pool, fn func(context.Context) (R, error), opts ...TaskOption) *AsyncResult[R] {
	return submit(ctx, "ApplyAsync", p, fn, opts, false)
}

// call is a task that calls one function: the body, the task and its result in
// one allocation.
type call[R any] struct {
	AsyncResult[R]
	// fn is cleared by whoever claims or abandons the task, so that its
	// arguments can be collected.
	fn func(context.Context) (R, error)
}

func submit[R any](ctx context.Context, name string, p *Pool, fn func(context.Context) (R, error),
	opts []TaskOption, waits bool,
) *AsyncResult[R] {
	mustHave(p != nil, name, "pool")
	mustHave(fn != nil, name, "function")
	if ctx == nil {
		return refused[R](p, name, errNilContext(name))
	}
	defer runtime.KeepAlive(p) // while it waits for room, or runs in a borrowed place
	c := &call[R]{fn: fn}
	if len(opts) == 0 {
		c.task.InitPlain(p.router, c, ctx)
		if waits {
			c.task.WaiterCancels()
			if ctx.Done() == nil && !actors.IsInside(ctx) && p.router.Lend(&c.task) {
				return &c.AsyncResult
			}
		}
		if err := p.router.Submit(ctx, &c.task); err != nil {
			c.fn = nil
			return c.refuse(err)
		}
		p.router.Yield(submitted)
		return &c.AsyncResult
	}
	return submitWith(ctx, p, c, opts, waits)
}

// submitWith submits a task that has options.
func submitWith[R any](ctx context.Context, p *Pool, c *call[R], opts []TaskOption, waits bool) *AsyncResult[R] {
	config := newTaskConfig(opts)
	if config.retry.Attempts > 0 {
		return submitRetried(ctx, p, c.fn, &config, waits)
	}
	callback, mismatch := callback(&config, &c.AsyncResult)
	parent, release := config.parent(ctx)
	options := config.options(callback, release)
	options.WaiterCancels = waits && release == nil
	c.task.Init(p.router, c, parent, options)
	err := errors.Join(config.err(), mismatch)
	if err == nil {
		err = p.router.Submit(parent, &c.task)
	}
	if err != nil {
		c.fn = nil
		return c.refuse(err)
	}
	p.router.Yield(submitted)
	return &c.AsyncResult
}

// submitted is what a submitter is about to go on from when others may go first.
const submitted = "submitted"

// refused is the result of a submission that never became a task.
func refused[R any](p *Pool, name string, err error) *AsyncResult[R] {
	mustHave(p != nil, name, "pool")
	c := &call[R]{}
	c.task.Init(p.router, c, context.Background(), actors.TaskOptions{})
	return c.refuse(err)
}

// getOrCancel is Get for a submitter that nobody else knows the result of.
func (r *AsyncResult[R]) getOrCancel(ctx context.Context) (R, error) {
	value, err := r.Get(ctx)
	if r.Ready() {
		return r.value, r.task.Fetch()
	}
	if errors.Is(err, ErrDeadlock) {
		r.task.Settle(messages.Failed, err)
		return value, err
	}
	outcome, err := actors.ContextOutcome(ctx)
	r.task.Settle(outcome, err)
	if r.Ready() {
		return r.value, r.task.Fetch()
	}
	return value, err // it has ended, but its callback is still at work
}

// Run calls the function.
func (c *call[R]) Run(ctx context.Context) {
	fn := c.fn
	c.fn = nil
	c.task.Inject()
	value, err := fn(ctx)
	c.task.VacateForDecision()
	c.finish(value, err)
}

// Abandon drops what will not be needed.
func (c *call[R]) Abandon(_ messages.Outcome, err error, started bool) error {
	if !started {
		c.fn = nil
	}
	return err
}

// Accept takes a value that came as a message.
func (c *call[R]) Accept(value any) (func(), error) { return c.accept(value) }
