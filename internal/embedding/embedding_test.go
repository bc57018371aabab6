package embedding_test

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

// docs/embedding.md shows lines of these tests. In all of them the work is to render pages.

// order asks an actor for a page.
type order struct{ page int }

// printed is what the actor answers.
type printed struct {
	page any
	err  error
}

// render takes a second.
func render(ctx context.Context, page int) (any, error) {
	select {
	case <-time.After(time.Second):
		return fmt.Sprintf("page %d", page), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// rendering is a task.
func rendering(page int) *messages.Task {
	return &messages.Task{
		Func:        func(ctx context.Context) (any, error) { return render(ctx, page) },
		Correlation: page,
	}
}

// rendered is its result.
func rendered(page int) *messages.Result {
	return &messages.Result{Value: fmt.Sprintf("page %d", page), Correlation: page}
}

// constant is a task that returns v at once.
func constant(v any) func(context.Context) (any, error) {
	return func(context.Context) (any, error) { return v, nil }
}

// expectError expects a result that is an error, for a page.
func expectError(k *pooltest.Kit, p *pooltest.Probe, page int, target error) {
	k.Helper()
	r := pooltest.ExpectType[*messages.Result](p)
	require.Equal(k, page, r.Correlation)
	require.ErrorIs(k, r.Err, target)
}

func TestActorGoesOnWhileItsPoolWorks(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		var workers *actor.PID
		printer := k.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				workers = ctx.Spawn(pool.Props(pool.WithWorkers(2)))
			case order:
				ctx.Request(workers, &messages.Task{
					Func:        func(ctx context.Context) (any, error) { return render(ctx, m.page) },
					Correlation: ctx.Sender(), // or whatever tells you which result it is
				})
			case *messages.Result:
				ctx.Send(m.Correlation.(*actor.PID), printed{m.Value, m.Err})
			case string:
				ctx.Respond("still here")
			}
		}))
		client, other := k.Probe("client"), k.Probe("other")
		client.Request(printer, order{1})
		other.Request(printer, order{2})
		client.Request(printer, "are you there?")
		client.Expect("still here")
		require.Zero(k, k.Elapsed())
		client.Expect(printed{"page 1", nil})
		other.Expect(printed{"page 2", nil})
		require.Equal(k, time.Second, k.Elapsed())
	})
}

// The function runs beside the actor, which is about other messages by then.
func TestFunctionThatUsesTheContextOfTheActorFindsNoMessageThere(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		workers := k.Pool()
		client := k.Probe("client")
		printer := k.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case order:
				ctx.Request(workers.PID(), &messages.Task{Func: func(context.Context) (any, error) {
					return ctx.Sender() == nil, nil
				}})
			case *messages.Result:
				ctx.Send(client.PID(), m.Value)
			}
		}))
		client.Request(printer, order{1})
		client.Expect(true)
	})
}

func TestResultsComeAsTheyEndWithTheirCorrelation(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props(pool.WithWorkers(2)))
		client := k.Probe("client")
		client.Request(workers, rendering(1))
		client.Request(workers, &messages.Task{Func: constant("cover"), Correlation: 2})
		client.Expect(&messages.Result{Value: "cover", Correlation: 2})
		client.Expect(rendered(1))
		client.ExpectNothing(time.Hour)
	})
}

func TestSiblingPoolServesSeveralActorsAndOutlivesThem(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props(pool.WithWorkers(2), pool.WithName("presses")))
		printers := actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case order:
				ctx.Request(workers, &messages.Task{
					Func:        func(ctx context.Context) (any, error) { return render(ctx, m.page) },
					Correlation: ctx.Sender(),
				})
			case *messages.Result:
				ctx.Send(m.Correlation.(*actor.PID), m.Value)
			}
		})
		a, b := k.Spawn(printers), k.Spawn(printers)
		client := k.Probe("client")
		client.Request(a, order{1})
		client.Request(b, order{2})
		k.Idle()
		k.Root().Stop(a)
		client.Expect("page 2")
		client.ExpectNothing(time.Hour)
		k.DeadLetters().ExpectCount(1, "result for the actor that stopped", func(e *actor.DeadLetterEvent) bool {
			return e.PID.Equal(a)
		})
	})
}

func TestPoolOnTheSystemServesActorsAndCallers(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		system := k.System()
		p, err := pool.New(pool.WithActorSystem(system), pool.WithWorkers(2))
		require.NoError(k, err)
		client := k.Probe("client")
		client.Request(p.PID(), rendering(1))
		page, err := pool.Apply(k.Context(), p, func(ctx context.Context) (any, error) { return render(ctx, 2) })
		require.NoError(k, err)
		require.Equal(k, "page 2", page)
		client.Expect(rendered(1))
		require.Equal(k, time.Second, k.Elapsed(), "they ran at the same time")
		require.NoError(k, p.Shutdown(k.Context()))
	})
}

func TestForwardedTaskIsAnsweredToItsSender(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props())
		forwarded := 0
		desk := k.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *messages.Task: // that the client has made
				forwarded++
				ctx.Forward(workers)
			case order: // of which the desk makes one
				ctx.RequestWithCustomSender(workers, rendering(m.page), ctx.Sender())
			case *messages.Result:
				k.Errorf("the desk has received %v", m)
			}
		}))
		client := k.Probe("client")
		client.Request(desk, rendering(1))
		client.Expect(rendered(1))
		require.Equal(k, 1, forwarded)
		client.Request(desk, order{2})
		client.Expect(rendered(2))
	})
}

func TestReplyToGetsTheResultInsteadOfTheSender(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		var sender *actor.PID
		workers := k.Spawn(pool.Props(pool.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
				sender = e.Sender
				next(c, e)
			}
		})))
		client, archive := k.Probe("client"), k.Probe("archive")
		task := rendering(1)
		task.ReplyTo = archive.PID()
		client.Request(workers, task)
		archive.Expect(rendered(1))
		client.ExpectNothing(time.Hour)
		require.Equal(k, "client", sender.Id)
	})
}

func TestWithoutAnAddressValuesAreDiscardedAndErrorsAreDeadLetters(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props())
		k.Send(workers, rendering(1))
		k.Advance(time.Minute)
		k.DeadLetters().ExpectNone()
		k.Send(workers, &messages.Task{}) // without a function
		k.DeadLetters().ExpectCount(1, "error that nobody hears of", func(e *actor.DeadLetterEvent) bool {
			r, ok := e.Message.(*messages.Result)
			return ok && r.Err == messages.ErrNoFunction
		})
	})
}

func TestPoolAnswersWhatItDoesNotUnderstand(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props())
		client := k.Probe("client")
		client.Request(workers, messages.Task{Func: constant(1), Correlation: 1}) // not a pointer
		r := pooltest.ExpectType[*messages.Result](client)
		require.ErrorIs(k, r.Err, messages.ErrForeignMessage)
		require.Nil(k, r.Correlation)
		k.Send(workers, "hello") // without a sender
		k.DeadLetters().ExpectCount(1, "message that was not understood", func(e *actor.DeadLetterEvent) bool {
			return e.Message == "hello"
		})
	})
}
