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
	ended  bool
	cause  error
}

type frameKey struct{}

// Deadline is the parent's: a task's own timeout is part of its parent context.
func (c *taskContext) Deadline() (time.Time, bool) { return c.task.parent.Deadline() }

// Done is closed when the task is cancelled, times out or has ended.
func (c *taskContext) Done() <-chan struct{} { return c.standard().Done() }

// Err is nil until Done is closed.
func (c *taskContext) Err() error {
	if err := c.task.parent.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return context.Canceled
	}
	return nil
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
	case ended:
		// context.Cause looks for the cause this way.
		return c.standard().Value(key)
	default:
		return c.task.parent.Value(key)
	}
}

func (c *taskContext) standard() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.std == nil {
		c.std, c.cancel = context.WithCancelCause(c.task.parent)
		if c.ended && c.task.parent.Err() == nil {
			c.cancel(c.cause)
		}
	}
	return c.std
}

// end cancels the context. A parent that has ended cancels it by itself, with
// its own error and cause.
func (c *taskContext) end(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended, c.cause = true, cause
	if c.cancel != nil && c.task.parent.Err() == nil {
		c.cancel(cause)
	}
}
