package actors

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/greenroom-go/greenroom/messages"
)

type userKey struct{}

var errCause = errors.New("the cause")

// newContext makes a task's context whose parent is parent.
func newContext(parent context.Context) *taskContext {
	t := &Task{}
	t.Init(nil, nil, parent, TaskOptions{})
	t.state.Store(stateDeciding)
	return (*taskContext)(t)
}

// end ends the context as the task does, with what it has made so far or with
// nothing.
func (c *taskContext) end(cause error) {
	if cause != nil {
		c.task().extra().err = cause
	}
	c.task().publish()
}

func (c *taskContext) task() *Task { return (*Task)(c) }

// foreign is a context that the standard library does not know.
type foreign struct{ context.Context }

func (foreign) Value(any) any { return nil }

// pair is a task's context, or one derived from it, beside a standard one that
// has been through the same.
type pair struct {
	name           string
	task, standard context.Context
	// called by context.AfterFunc on the two
	taskCalls, standardCalls *atomic.Int32
}

func (p pair) requireEqual(t require.TestingT) {
	synctest.Wait()
	require.Equal(t, p.standard.Err(), p.task.Err(), "Err of %s", p.name)
	require.Equal(t, context.Cause(p.standard), context.Cause(p.task), "Cause of %s", p.name)
	require.Equal(t, p.standard.Value(userKey{}), p.task.Value(userKey{}), "Value of %s", p.name)
	require.Equal(t, p.standardCalls.Load(), p.taskCalls.Load(), "calls of AfterFunc of %s", p.name)
	want, wantOK := p.standard.Deadline()
	got, ok := p.task.Deadline()
	require.Equal(t, wantOK, ok, "Deadline of %s", p.name)
	require.Equal(t, want, got, "Deadline of %s", p.name)
}

func (p pair) requireSameDone(t require.TestingT) {
	synctest.Wait()
	require.Equal(t, hasEnded(p.standard.Done()), hasEnded(p.task.Done()), "Done of %s", p.name)
	require.Equal(t, p.task.Done(), p.task.Done(), "Done is one channel")
}

func hasEnded(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestContextBehavesLikeAStandardOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		// Without T's Deadline, which must not be asked for inside a bubble.
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			ancestor, cancel := context.WithCancelCause(context.WithValue(context.Background(), userKey{}, "value"))
			defer cancel(nil)
			parent, release := ancestor, context.CancelFunc(func() {})
			timeout := rapid.Bool().Draw(t, "timeout")
			if timeout {
				parent, release = context.WithTimeout(ancestor, time.Minute)
			}
			defer release()
			if rapid.Bool().Draw(t, "foreign") {
				parent = foreign{parent}
			}
			subject := newContext(parent)
			standard, end := context.WithCancelCause(parent)
			pairs := []pair{{"the context", subject, standard, new(atomic.Int32), new(atomic.Int32)}}
			draw := func(t *rapid.T) pair { return rapid.SampledFrom(pairs).Draw(t, "of") }
			ended := false

			t.Repeat(map[string]func(*rapid.T){
				"": func(t *rapid.T) {
					for _, p := range pairs {
						p.requireEqual(t)
					}
				},
				"Done": func(t *rapid.T) { draw(t).requireSameDone(t) },
				"AfterFunc": func(t *rapid.T) {
					p := draw(t)
					context.AfterFunc(p.task, func() { p.taskCalls.Add(1) })
					context.AfterFunc(p.standard, func() { p.standardCalls.Add(1) })
				},
				"derive": func(t *rapid.T) {
					p := draw(t)
					task, cancelTask := context.WithCancelCause(p.task)
					standard, cancelStandard := context.WithCancelCause(p.standard)
					t.Cleanup(func() { cancelTask(nil); cancelStandard(nil) })
					if rapid.Bool().Draw(t, "cancelled") {
						cancelTask(errCause)
						cancelStandard(errCause)
					}
					pairs = append(pairs, pair{"child of " + p.name, task, standard, new(atomic.Int32), new(atomic.Int32)})
				},
				"derive with a value": func(t *rapid.T) {
					p := draw(t)
					pairs = append(pairs, pair{
						"value child of " + p.name,
						context.WithValue(p.task, userKey{}, "other"), context.WithValue(p.standard, userKey{}, "other"),
						new(atomic.Int32), new(atomic.Int32),
					})
				},
				"end": func(t *rapid.T) {
					if ended { // a task ends once
						return
					}
					ended = true
					cause := rapid.SampledFrom([]error{nil, errCause, messages.ErrCancelled}).Draw(t, "cause")
					subject.end(cause)
					end(cause)
				},
				"the parent is cancelled": func(t *rapid.T) {
					cancel(rapid.SampledFrom([]error{nil, errCause}).Draw(t, "cause"))
				},
				"the deadline passes": func(*rapid.T) {
					time.Sleep(time.Minute)
				},
			})
			subject.end(nil)
			end(nil)
			synctest.Wait()
			for _, p := range pairs {
				require.Error(t, p.task.Err())
			}
		})
	})
}

// A context that nobody has asked for anything has made nothing of what a
// standard one has; it must not show.
func TestContextHasEverythingWhenFirstUsedAfterTheEnd(t *testing.T) {
	for _, c := range []struct {
		name       string
		task       error // what the task ended with
		err, cause error
	}{
		{"of a task that returned without an error", nil, context.Canceled, context.Canceled},
		{"of a task that was cancelled", messages.ErrCancelled, context.Canceled, messages.ErrCancelled},
		{"of a task that timed out with its parent", context.DeadlineExceeded, context.DeadlineExceeded, errCause},
	} {
		for use, check := range map[string]func(*testing.T, context.Context){
			"Err":   func(t *testing.T, ctx context.Context) { require.Equal(t, c.err, ctx.Err()) },
			"Done":  func(t *testing.T, ctx context.Context) { require.True(t, hasEnded(ctx.Done())) },
			"Cause": func(t *testing.T, ctx context.Context) { require.Equal(t, c.cause, context.Cause(ctx)) },
			"Value": func(t *testing.T, ctx context.Context) { require.Equal(t, "value", ctx.Value(userKey{})) },
			"child": func(t *testing.T, ctx context.Context) {
				child, cancel := context.WithCancel(ctx)
				defer cancel()
				require.True(t, hasEnded(child.Done()))
				require.Equal(t, c.err, child.Err())
				require.Equal(t, c.cause, context.Cause(child))
			},
			"AfterFunc": func(t *testing.T, ctx context.Context) {
				called := false
				stop := context.AfterFunc(ctx, func() { called = true })
				synctest.Wait()
				require.True(t, called)
				require.False(t, stop())
			},
		} {
			t.Run(c.name+", "+use, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					parent, cancel := context.WithTimeoutCause(context.WithValue(t.Context(), userKey{}, "value"), time.Minute, errCause)
					defer cancel()
					ctx := newContext(parent)
					if c.task == context.DeadlineExceeded {
						time.Sleep(time.Minute)
						synctest.Wait()
					}
					ctx.end(c.task)
					check(t, ctx)
				})
			})
		}
	}
}

func TestContextFindsTheFrameOfItsTask(t *testing.T) {
	outer := newContext(context.Background())
	inner := newContext(outer)
	derived := context.WithValue(inner, userKey{}, "value")
	require.Same(t, outer.task(), runningTask(outer))
	require.Same(t, inner.task(), runningTask(derived), "the innermost task counts")
	require.Nil(t, FrameOf(context.Background()))

	inner.task().finish()
	require.Nil(t, FrameOf(derived), "a function that has returned has no place left")
}

func TestContextMayBeUsedWhileItEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for range 50 {
			ctx := newContext(context.Background())
			var seen atomic.Int32
			for range 4 {
				go func() {
					child, cancel := context.WithCancel(ctx)
					defer cancel()
					<-child.Done()
					if ctx.Err() == context.Canceled && context.Cause(child) == errCause {
						seen.Add(1)
					}
				}()
			}
			go ctx.end(errCause)
			synctest.Wait()
			require.EqualValues(t, 4, seen.Load())
		}
	})
}

// The standard library hears of the end of a foreign parent on a goroutine, so
// the task may end before.
func TestContextTakesTheErrorOfAParentThatEndedBefore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(context.Background())
		ctx := newContext(foreign{parent})
		done := ctx.Done()
		cancel()
		ctx.end(errCause)
		<-done
		require.Equal(t, context.Canceled, ctx.Err())
		require.Equal(t, context.Canceled, context.Cause(ctx), "not the cause of the task's end")
	})
}

func TestContextIsWatchedByItsChildrenWithoutGoroutines(t *testing.T) {
	ctx := newContext(context.Background())
	before := runtime.NumGoroutine()
	for range 10 {
		_, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(ctx, func() {})()
	}
	require.Less(t, runtime.NumGoroutine(), before+10, "of 20 children; the runtime and earlier tests may have some come and go")
}

func BenchmarkContext(b *testing.B) {
	use := func(name string, use func(context.Context)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ctx := newContext(context.Background())
				use(ctx)
				ctx.end(nil)
			}
		})
	}
	use("Unused", func(context.Context) {})
	use("Err", func(ctx context.Context) { _ = ctx.Err() })
	use("Done", func(ctx context.Context) { _ = ctx.Done() })
}

func TestContextKeepsItsErrorAndCauseWhateverBecomesOfItsParent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		ctx := newContext(parent)
		ctx.end(messages.ErrCancelled)
		require.Equal(t, context.Canceled, ctx.Err())
		time.Sleep(2 * time.Minute)
		require.Equal(t, context.Canceled, ctx.Err())
		require.Equal(t, messages.ErrCancelled, context.Cause(ctx))
	})
}
