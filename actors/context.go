package actors

import (
	"context"
	"sync"
	"time"
)

// taskContext is a task as the context that its function receives. It costs
// nothing: the standard library's context, which costs more than many tasks, is
// made only when somebody asks for something that needs it.
type taskContext Task

// standard is what a task's context needs once it is used for more than a look.
type standard struct {
	mu     sync.Mutex
	std    context.Context // nil until needed
	cancel context.CancelCauseFunc
	ended  error // what Err says for good, or nil
	cause  error // nil, too, if the parent ended first
}

type taskKey struct{}

// Context is the context that the task's function receives.
func (t *Task) Context() context.Context { return (*taskContext)(t) }

// taskOf returns the task whose context ctx is, or derives from, or nil.
func taskOf(ctx context.Context) *Task {
	if c, ok := ctx.(*taskContext); ok {
		return (*Task)(c)
	}
	t, _ := ctx.Value(taskKey{}).(*Task)
	return t
}

// Deadline is the parent's: a task's own timeout is part of its parent context.
func (c *taskContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }

// Done is closed when the task is cancelled, times out or has ended.
func (c *taskContext) Done() <-chan struct{} { return c.standard().Done() }

// Err is nil until Done is closed.
func (c *taskContext) Err() error {
	if ended := c.ended(); ended != nil {
		return ended
	}
	return c.parent.Err()
}

// Value finds the task, and what the parent holds.
func (c *taskContext) Value(key any) any {
	if _, ok := key.(taskKey); ok {
		return (*Task)(c)
	}
	if s := c.made(); s != nil {
		s.mu.Lock()
		std := s.std
		s.mu.Unlock()
		if std != nil {
			return std.Value(key)
		}
	}
	if c.ended() != nil {
		// context.Cause looks for the cause this way.
		return c.standard().Value(key)
	}
	return c.parent.Value(key)
}

// ended is what Err says for good, or nil while the task has not ended.
func (c *taskContext) ended() error {
	t := (*Task)(c)
	s := c.made()
	if s == nil {
		ended, _ := t.contextEnd()
		return ended
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp(t)
	return s.ended
}

// made is what was made for the context, or nil.
func (c *taskContext) made() *standard {
	if m := c.more.Load(); m != nil {
		return m.ctx.Load()
	}
	return nil
}

// contextEnd says how the context of a task ended, from what the task itself
// knows.
func (t *Task) contextEnd() (ended, cause error) {
	switch word := t.state.Load(); {
	case word&states < stateDecided:
		return nil, nil
	case word&parentEnded != 0:
		return t.parent.Err(), nil
	case t.Err() == nil:
		return context.Canceled, context.Canceled
	default:
		return context.Canceled, t.Err()
	}
}

// catchUp takes over the end of a task that had ended before it had more.
// Called with mu held.
func (s *standard) catchUp(t *Task) {
	if s.ended == nil {
		s.ended, s.cause = t.contextEnd()
	}
}

func (c *taskContext) standard() context.Context {
	t := (*Task)(c)
	s := madeOnce(&t.extra().ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.std != nil {
		return s.std
	}
	s.catchUp(t)
	parent := t.parent
	if s.cause != nil {
		parent = context.WithoutCancel(parent) // ended before the parent did
	}
	s.std, s.cancel = context.WithCancelCause(parent)
	if s.cause != nil {
		s.cancel(s.cause)
	}
	return s.std
}

// endContext ends the context of a task whose outcome is written. A parent that
// has ended cancels it by itself, with its own error and cause.
func (t *Task) endContext(m *more) {
	m.endFamily()
	s := m.ctx.Load()
	if s == nil {
		return
	}
	parentErr := t.parent.Err()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		if s.ended = parentErr; parentErr == nil {
			s.ended, s.cause = context.Canceled, t.Err()
			if t.Err() == nil {
				s.cause = context.Canceled
			}
		}
	}
	if s.cancel != nil && s.cause != nil {
		s.cancel(s.cause)
	}
}
