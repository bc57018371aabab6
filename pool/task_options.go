package pool

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/greenroom-go/greenroom/actors"
)

// MaxChunkSize is the largest chunk that a map or a stream accepts.
const MaxChunkSize = 1 << 30

// TaskOption sets up one task.
type TaskOption interface{ applyTask(*taskConfig) }

// MapOption sets up one map or stream.
type MapOption interface{ applyMap(*mapConfig) }

// SharedOption sets up a task, a map or a stream.
type SharedOption interface {
	TaskOption
	MapOption
}

type taskConfig struct {
	name, key   string
	priority    int
	timeout     time.Duration // 0: none
	limit       time.Duration // of the function; 0: none
	retry       Retry         // Attempts 0: none
	onSuccess   any           // a func(R)
	onError     func(error)
	hasCallback bool
	optionErrors
}

type mapConfig struct {
	taskConfig
	chunk    int // 0: the default
	window   int // 0: the default
	failFast bool
}

type (
	taskOption   func(*taskConfig)
	mapOption    func(*mapConfig)
	sharedOption func(*taskConfig)
)

func (o taskOption) applyTask(c *taskConfig)   { o(c) }
func (o mapOption) applyMap(c *mapConfig)      { o(c) }
func (o sharedOption) applyTask(c *taskConfig) { o(c) }
func (o sharedOption) applyMap(c *mapConfig)   { o(&c.taskConfig) }

func newTaskConfig(opts []TaskOption) (c taskConfig) {
	for i, opt := range opts {
		if opt == nil {
			c.isNil("task option", i)
			continue
		}
		opt.applyTask(&c)
	}
	return c
}

func newMapConfig(opts []MapOption) (c mapConfig) {
	for i, opt := range opts {
		if opt == nil {
			c.isNil("map option", i)
			continue
		}
		opt.applyMap(&c)
	}
	return c
}

// parent adds the timeout to the context a task is submitted with. release may
// be nil.
func (c *taskConfig) parent(ctx context.Context) (_ context.Context, release context.CancelFunc) {
	if c.timeout == 0 {
		return ctx, nil
	}
	return context.WithTimeoutCause(ctx, c.timeout, ErrTimeout)
}

// callback makes of the two callbacks one that runs between decision and
// readiness, or nil.
func callback[R any](c *taskConfig, r *AsyncResult[R]) (func(), error) {
	if !c.hasCallback {
		return nil, nil
	}
	var onSuccess func(R)
	if c.onSuccess != nil {
		var ok bool
		if onSuccess, ok = c.onSuccess.(func(R)); !ok {
			return nil, fmt.Errorf("%w: WithCallback: the callback is a %T, but the result, of type %v, needs a %T", ErrInvalid, c.onSuccess, reflect.TypeFor[R](), onSuccess)
		}
	}
	onError := c.onError
	return func() {
		switch err := r.task.Err(); {
		case err == nil && onSuccess != nil:
			onSuccess(r.value)
		case err != nil && onError != nil:
			r.task.Asked()
			onError(err)
		}
	}, nil
}

// WithCallback has fn called with the value if the task succeeds. R must be the
// type of the result ([]R for a map); otherwise the submission fails with
// ErrInvalid. A nil fn panics.
//
// Of this callback and that of [WithErrorCallback] exactly one is called, once,
// before the result is ready. Callbacks of a pool run one at a time, in the
// order of completion, on a goroutine that is neither the submitter's nor a
// worker's. A slow callback therefore delays its own result and those of later
// tasks that have callbacks too, but no others, and none once the pool is
// terminated. A panic in it is logged and has no other effect. Join waits for
// callbacks, so a callback must not call Join, nor wait for a result that has a
// callback or for room in a full queue: it may be what others wait for.
func WithCallback[R any](fn func(R)) SharedOption {
	mustHave(fn != nil, "WithCallback", "function")
	return sharedOption(func(c *taskConfig) { c.onSuccess, c.hasCallback = fn, true })
}

// WithErrorCallback has fn called with the error if the task was accepted and
// does not succeed, whatever the reason. See [WithCallback]. A nil fn panics.
func WithErrorCallback(fn func(error)) SharedOption {
	mustHave(fn != nil, "WithErrorCallback", "function")
	return sharedOption(func(c *taskConfig) { c.onError, c.hasCallback = fn, true })
}

// WithTimeout ends the task with ErrTimeout d after its submission, whether it
// waits or runs; a map or stream as a whole. Its context ends at the same moment, and
// its cause is ErrTimeout; what the function returns after that is dropped, but for an
// error, which is wrapped beside ErrTimeout. The function is not interrupted: one that
// ignores its context keeps the worker until it returns. d <= 0 is refused.
func WithTimeout(d time.Duration) SharedOption {
	return sharedOption(func(c *taskConfig) {
		c.timeout = d
		c.check(d > 0, "WithTimeout", "%v is not positive", d)
	})
}

// WithRunTimeout is [WithTimeout] counted from the moment in which the function starts:
// how long the task waits does not matter. The context of the function then ends with
// context.Canceled, and its cause is ErrTimeout. d <= 0 is refused.
func WithRunTimeout(d time.Duration) TaskOption {
	return taskOption(func(c *taskConfig) {
		c.limit = d
		c.check(d > 0, "WithRunTimeout", "%v is not positive", d)
	})
}

// WithTaskName names the task in logs and results.
func WithTaskName(name string) SharedOption {
	return sharedOption(func(c *taskConfig) { c.name = name })
}

// WithKey gives the task a key, for pools whose routing uses keys, such as
// [KeyOrdered]; other pools refuse it with ErrKeysUnused. The empty key is none.
func WithKey(key string) TaskOption {
	return taskOption(func(c *taskConfig) { c.key = key })
}

// WithPriority has the task overtake those with a lower priority, in a pool with
// [WithPriorities]; other pools refuse it with ErrPrioritiesUnused. Tasks have priority 0
// otherwise. Values below -[MaxPriority] and above [MaxPriority] are refused.
func WithPriority(p int) TaskOption {
	return taskOption(func(c *taskConfig) {
		c.priority = p
		c.check(p >= -MaxPriority && p <= MaxPriority, "WithPriority", "%d; it must be from -%d to %d", p, MaxPriority, MaxPriority)
	})
}

// MaxPriority is the highest priority that a task can have.
const MaxPriority = actors.MaxPriority

// WithChunkSize sets how many items a worker takes at once. Default for maps:
// the number of items divided by four times the number of workers, rounded up;
// for streams: 1. While the items of a stream are short, a worker takes several
// chunks at once; others take those that it has not begun. n < 1 and n >
// [MaxChunkSize] are refused.
func WithChunkSize(n int) MapOption {
	return mapOption(func(c *mapConfig) {
		c.chunk = n
		c.check(n >= 1 && n <= MaxChunkSize, "WithChunkSize", "%d items; a chunk has 1 to %d", n, MaxChunkSize)
	})
}

// WithWindow bounds how many items a stream takes from its input before the
// consumer has taken their results. Default: 4 × workers × chunk size, at least
// 64. n < 1 is refused, and so is the option for a map.
func WithWindow(n int) MapOption {
	return mapOption(func(c *mapConfig) {
		c.window = n
		c.check(n >= 1, "WithWindow", "%d items; the window has at least 1", n)
	})
}

// WithFailFast ends a map with the first error, without waiting for the other
// items: those that run see their context cancelled, the rest is not started.
// It is refused for a stream, whose reader decides that.
func WithFailFast() MapOption {
	return mapOption(func(c *mapConfig) { c.failFast = true })
}

// options are what the actors need to know of a task.
func (c *taskConfig) options(callback func(), release context.CancelFunc) actors.TaskOptions {
	return actors.TaskOptions{Name: c.name, Key: c.key, Priority: c.priority, Limit: c.limit, Callback: callback, Release: release}
}
