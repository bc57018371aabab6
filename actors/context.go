package actors

import (
	"context"
	"sync"
	"time"
)

// taskContext is the context that a task's function receives. It is part of the
// task's allocation; the standard library's context, which costs more than many
// tasks, is made only when the function asks for something that needs it.
type taskContext struct {
	task *Task

	mu     sync.Mutex
	std    context.Context // nil until needed
	cancel context.CancelCauseFunc
	ended  error // what Err says for good, or nil
	cause  error // nil, too, if the parent ended first
}

type frameKey struct{}

// Deadline is the parent's: a task's own timeout is part of its parent context.
func (c *taskContext) Deadline() (time.Time, bool) { return c.task.parent.Deadline() }

// Done is closed when the task is cancelled, times out or has ended.
func (c *taskContext) Done() <-chan struct{} { return c.standard().Done() }

// Err is nil until Done is closed.
func (c *taskContext) Err() error {
	c.mu.Lock()
	ended := c.ended
	c.mu.Unlock()
	if ended != nil {
		return ended
	}
	return c.task.parent.Err()
}

// Value finds the frame in which the task runs, and what the parent holds.
func (c *taskContext) Value(key any) any {
	if _, ok := key.(frameKey); ok {
		return &c.task.frame
	}
	c.mu.Lock()
	std, ended := c.std, c.ended
	c.mu.Unlock()
	switch {
	case std != nil:
		return std.Value(key)
	case ended != nil:
		// context.Cause looks for the cause this way.
		return c.standard().Value(key)
	default:
		return c.task.parent.Value(key)
	}
}

func (c *taskContext) standard() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.std != nil {
		return c.std
	}
	parent := c.task.parent
	if c.cause != nil {
		parent = context.WithoutCancel(parent) // ended before the parent did
	}
	c.std, c.cancel = context.WithCancelCause(parent)
	if c.cause != nil {
		c.cancel(c.cause)
	}
	return c.std
}

// end cancels the context. A parent that has ended cancels it by itself, with
// its own error and cause.
func (c *taskContext) end(cause error) {
	ended := c.task.parent.Err()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended = ended; ended == nil {
		c.ended, c.cause = context.Canceled, cause
		if cause == nil {
			c.cause = context.Canceled
		}
	}
	if c.cancel != nil && c.cause != nil {
		c.cancel(c.cause)
	}
}
