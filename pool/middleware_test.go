package pool_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// ask sends a task with a header to a pool and returns its result.
func ask(k *pooltest.Kit, to *actor.PID, header map[string]string, m *messages.Task) *messages.Result {
	k.Helper()
	results := make(chan *messages.Result, 2)
	asker := k.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if r, ok := ctx.Message().(*messages.Result); ok {
			results <- r
		}
	}))
	k.Root().Copy().WithSenderMiddleware(func(next actor.SenderFunc) actor.SenderFunc {
		return func(c actor.SenderContext, target *actor.PID, e *actor.MessageEnvelope) {
			for key, v := range header {
				e.SetHeader(key, v)
			}
			next(c, target, e)
		}
	}).RequestWithCustomSender(to, m, asker)
	k.Idle()
	k.Root().Stop(asker)
	require.Len(k, results, 1)
	return <-results
}

func constant(v any) func(context.Context) (any, error) {
	return func(context.Context) (any, error) { return v, nil }
}

func TestMiddlewareSeesTheMessageAndRunsAroundIt(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		var seen []string
		note := func(name string) actor.ReceiverMiddleware {
			return func(next actor.ReceiverFunc) actor.ReceiverFunc {
				return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
					m := e.Message.(*messages.Task)
					seen = append(seen, fmt.Sprintf("%s: %s for %s by %s of %s", name, m.Name, e.GetHeader("user"), c.Self().Id, c.Parent().Id))
					next(c, e)
					seen = append(seen, name+" is over")
				}
			}
		}
		p := k.Pool(pool.WithName("p"), pool.WithWorkers(1), pool.WithReceiverMiddleware(note("outer"), note("inner")))
		r := ask(k, p.PID(), map[string]string{"user": "ann"}, &messages.Task{Func: constant(3), Name: "three", Correlation: 7})
		require.NoError(k, r.Err)
		require.Equal(k, 3, r.Value)
		require.Equal(k, 7, r.Correlation)
		id := p.PID().Id
		require.Equal(k, []string{
			"outer: three for ann by " + id + "/worker-1 of " + id,
			"inner: three for ann by " + id + "/worker-1 of " + id,
			"inner is over", "outer is over",
		}, seen)
		v, err := pool.Apply(k.Context(), p, value(4))
		require.NoError(k, err)
		require.Equal(k, 4, v)
		require.Len(k, seen, 4, "what is no message does not go through it")
	})
}

func TestTaskThatMiddlewareDoesNotPassOnIsRefused(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
				if e.GetHeader("user") == "ann" {
					next(c, e)
				}
			}
		}))
		task := &messages.Task{Func: constant(1)}
		require.NoError(k, ask(k, p.PID(), map[string]string{"user": "ann"}, task).Err)
		r := ask(k, p.PID(), map[string]string{"user": "bob"}, task)
		require.ErrorIs(k, r.Err, pool.ErrRefused)
		require.Equal(k, pool.Failed, r.Outcome)
		require.Zero(k, p.Stats().Restarts, "that is no failure of the worker")
	})
}

func TestMiddlewareThatPanicsFailsTheTask(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithReceiverMiddleware(func(actor.ReceiverFunc) actor.ReceiverFunc {
			return func(actor.ReceiverContext, *actor.MessageEnvelope) { panic("boo") }
		}))
		r := ask(k, p.PID(), nil, &messages.Task{Func: constant(1)})
		require.Equal(k, pool.Panicked, r.Outcome)
		require.EqualValues(k, 1, p.Stats().Restarts)
	})
}

func TestMiddlewareMayChangeWhatRuns(t *testing.T) {
	replace := func(by any) pool.Option {
		return pool.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
				changed := *e
				changed.Message = by
				next(c, &changed)
			}
		})
	}
	pooltest.Run(t, func(k *pooltest.Kit) {
		task := &messages.Task{Func: constant(1)}
		r := ask(k, k.Pool(replace(&messages.Task{Func: constant(2)})).PID(), nil, task)
		require.Equal(k, 2, r.Value)
		for _, by := range []any{"text", (*messages.Task)(nil), &messages.Task{}, nil} {
			r = ask(k, k.Pool(replace(by)).PID(), nil, task)
			require.ErrorIs(k, r.Err, pool.ErrInvalid)
		}
	})
}

func TestTaskIsCalledOnceHoweverOftenMiddlewareCalls(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
				next(c, e)
				c.Receive(e)
			}
		}))
		calls := 0
		r := ask(k, p.PID(), nil, &messages.Task{Func: func(context.Context) (any, error) { calls++; return nil, nil }})
		require.ErrorIs(k, r.Err, pool.ErrInvalid)
		require.Equal(k, 1, calls)
	})
}

func TestMiddlewareRunsWithinTheDeadlineOfTheTask(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
				time.Sleep(time.Minute)
				next(c, e)
			}
		}))
		results := make(chan *messages.Result, 1)
		begun := k.Elapsed()
		k.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch r := ctx.Message().(type) {
			case *actor.Started:
				ctx.Request(p.PID(), &messages.Task{Func: constant(1), RunTimeout: time.Second})
			case *messages.Result:
				results <- r
			}
		}))
		r := <-results
		require.ErrorIs(k, r.Err, pool.ErrTimeout)
		require.Equal(k, time.Second, k.Elapsed()-begun)
	})
}

func TestNilMiddlewareIsRefused(t *testing.T) {
	_, err := pool.New(pool.WithReceiverMiddleware(nil))
	require.ErrorIs(t, err, pool.ErrInvalid)
	require.ErrorContains(t, err, "WithReceiverMiddleware: middleware 1 is nil")
}
