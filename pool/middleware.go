package pool

import "github.com/asynkron/protoactor-go/actor"

// WithReceiverMiddleware has each task that comes as a message, a [*messages.Task], go
// through middleware of Proto.Actor on the worker that runs it, the first given outermost:
// for logs, for times, to refuse those who may not ask. What is submitted by a method of
// the pool is no message and does not.
//
// The middleware sees the message as it was sent, with its header and its sender. What it
// calls next with is what runs: it may pass on a task with another function. If it does not
// call next before it returns, the task fails with ErrRefused. If it panics, so does the task. It runs for as
// long as the task does, within the task's deadlines, on several goroutines at a time, and
// must not keep the context. The context is that of the worker, as far as a
// [actor.ReceiverContext] goes, but has no Actor, and what is Set there is for this message
// alone.
//
// New refuses a nil one.
func WithReceiverMiddleware(middleware ...actor.ReceiverMiddleware) Option {
	return func(c *config) {
		c.Middleware = middleware
		for i, m := range middleware {
			c.check(m != nil, "WithReceiverMiddleware", "middleware %d is nil", i+1)
		}
	}
}
