package pool_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// What users hand to a pool besides functions can do anything, too.

func TestTypedNilErrorAfterTheContextEndedIsAnEnd(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, err := pool.New(pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.CallerRuns))
		require.NoError(t, err)
		g := occupy(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		_, _ = pool.Apply(ctx, p, func(context.Context) (int, error) {
			cancel()
			var failed *fs.PathError
			return 0, failed // Go's best-known bug; its Unwrap panics
		})
		close(g.open)
		p.Close()
		require.NoError(t, p.Join(hour(t)), "stats: %+v", p.Stats())
	})
}

func TestTypedNilErrorOfAMapItemAfterTheContextEndedIsAnEnd(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for range 20 { // it is a race with the end of the context
			p, err := pool.New(pool.WithWorkers(1))
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			r := pool.MapAsync(ctx, p, func(context.Context, int) (int, error) {
				cancel()
				var failed *fs.PathError
				return 0, failed
			}, []int{1})
			require.NoError(t, r.Wait(hour(t)))
			p.Close()
			require.NoError(t, p.Join(hour(t)))
		}
	})
}

// curious is a context whose Value looks at the pool.
type curious struct {
	context.Context
	p *pool.Pool
}

func (c curious) Value(key any) any {
	_ = c.p.Stats()
	return c.Context.Value(key)
}

type exitingHandler struct{ slog.Handler }

func (exitingHandler) Enabled(context.Context, slog.Level) bool { return true }
func (exitingHandler) Handle(context.Context, slog.Record) error {
	runtime.Goexit()
	return nil
}

func TestLoggerThatExitsDoesNotStopThePool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, err := pool.New(pool.WithWorkers(1), pool.WithLogger(slog.New(exitingHandler{slog.DiscardHandler})))
		require.NoError(t, err)
		_, err = pool.Apply(t.Context(), p, func(context.Context) (int, error) { panic("boom") })
		require.Error(t, err)
		_, err = pool.Apply(hour(t), p, value(1))
		require.NoError(t, err)
		p.Close()
		require.NoError(t, p.Join(hour(t)))
	})
}

func TestSubscriberThatExitsDoesNotStopThePool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := systemOf(t)
		p, err := pool.New(pool.WithWorkers(1))
		require.NoError(t, err)
		sub := system.EventStream.Subscribe(func(e any) {
			if d, ok := e.(*actor.DeadLetterEvent); ok {
				if _, ok := d.Message.(*messages.Result); ok {
					runtime.Goexit()
				}
			}
		})
		defer system.EventStream.Unsubscribe(sub)
		// Nobody to answer: the error is a dead letter.
		system.Root.Send(p.PID(), &messages.Task{Func: func(context.Context) (any, error) { return nil, errors.New("mine") }})
		time.Sleep(time.Second)
		p.Close()
		require.NoError(t, p.Join(hour(t)), "%+v", p.Stats())
	})
}

func TestContextIsNotAskedUnderALock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0))
		g := occupy(t, p)
		time.AfterFunc(time.Second, func() { close(g.open) })
		v, err := pool.Apply(curious{t.Context(), p}, p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
	})
}

func TestErrOfATasksContextStaysTheSame(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var before, after, cause error
		returned := make(chan struct{})
		r := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) {
			defer close(returned)
			time.Sleep(10 * time.Second)
			before = ctx.Err()
			time.Sleep(time.Hour)
			after, cause = ctx.Err(), context.Cause(ctx)
			return 0, nil
		})
		time.Sleep(time.Second)
		require.True(t, r.Cancel())
		<-returned
		require.Equal(t, before, after, "cause: %v", cause)
	})
}

func TestCauseOfATasksContextDoesNotDependOnATimeout(t *testing.T) {
	for name, opts := range map[string][]pool.TaskOption{"plain": nil, "with a timeout": {pool.WithTimeout(time.Hour)}} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1))
				returned := make(chan error, 1)
				r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
					for ctx.Err() == nil {
						time.Sleep(time.Second)
					}
					returned <- context.Cause(ctx)
					return 0, nil
				}, opts...)
				time.Sleep(time.Minute)
				r.Cancel()
				require.ErrorIs(t, <-returned, pool.ErrCancelled)
			})
		})
	}
}

// hooked is a context that has context.AfterFunc call its own. That looks for it where
// Done is not that of a context it knows.
type hooked struct {
	context.Context
	done      chan struct{}
	afterFunc func(f func()) (stop func() bool)
}

func (h hooked) Done() <-chan struct{}          { return h.done }
func (h hooked) AfterFunc(f func()) func() bool { return h.afterFunc(f) }

func TestContextOfASubscriptionIsNotAskedUnderALock(t *testing.T) {
	contexts := map[string]func(context.Context, *pool.Pool) context.Context{
		"looks at the pool": func(ctx context.Context, p *pool.Pool) context.Context { return curious{ctx, p} },
	}
	for name, afterFunc := range map[string]func(*pool.Pool, func()) (stop func() bool){
		"calls back at once":        func(_ *pool.Pool, f func()) func() bool { f(); return func() bool { return false } },
		"causes an event":           func(p *pool.Pool, _ func()) func() bool { p.Pause(); return func() bool { return true } },
		"looks at the pool at stop": func(p *pool.Pool, _ func()) func() bool { return func() bool { return p.Stats().Waiting == 0 } },
		"waits for the pool":        func(p *pool.Pool, _ func()) func() bool { _ = p.Join(context.Background()); return nil },
		"waits for it at stop": func(p *pool.Pool, _ func()) func() bool {
			return func() bool { return p.Join(context.Background()) == nil }
		},
		"panics": func(*pool.Pool, func()) func() bool { panic("AfterFunc") },
	} {
		contexts[name] = func(ctx context.Context, p *pool.Pool) context.Context {
			done := make(chan struct{})
			context.AfterFunc(ctx, func() { close(done) })
			return hooked{ctx, done, func(f func()) func() bool { return afterFunc(p, f) }}
		}
	}
	for name, foreign := range contexts {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1))
				ctx, cancel := context.WithCancel(t.Context())
				events := p.Events(foreign(t.Context(), p))
				short := p.Events(foreign(ctx, p))
				cancel()
				require.Empty(t, kinds(t, short), "its context has ended")
				v, err := pool.Apply(hour(t), p, value(1))
				require.NoError(t, err)
				require.Equal(t, 1, v)
				require.NoError(t, p.Shutdown(hour(t)))
				require.Equal(t, []string{"worker started1", "pool closing", "worker stopped1", "pool closed"}, kinds(t, events))
			})
		})
	}
}
