package embedding_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestTaskForAPoolThatHasEndedIsADeadLetter(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1))
		client := k.Probe("client")
		client.Request(p.PID(), rendering(1))
		k.Idle()
		p.Close()
		client.Request(p.PID(), rendering(2)) // it finishes what it has, and is there as long
		expectError(k, client, 2, pool.ErrClosed)
		client.Expect(rendered(1))
		require.NoError(k, p.Join(k.Context()))
		client.Request(p.PID(), rendering(3))
		client.Expect(&actor.DeadLetterResponse{}) // which says neither of which task nor of which pool
		k.DeadLetters().ExpectCount(1, "task", func(e *actor.DeadLetterEvent) bool {
			_, ok := e.Message.(*messages.Task)
			return ok
		})
	})
}

// anotherSystem is one in which nobody lives that the kit knows of.
func anotherSystem(k *pooltest.Kit) *actor.ActorSystem {
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Nanosecond))
	k.Cleanup(system.Shutdown)
	return system
}

func TestAddressIsLookedUpInTheSystemOfTheSender(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		other := anotherSystem(k)
		p, err := pool.New(pool.WithActorSystem(other), pool.WithName("presses"))
		require.NoError(k, err)
		require.Equal(k, "nonhost", p.PID().Address)
		require.Equal(k, k.System().Address(), p.PID().Address)
		address := actor.NewPID(p.PID().Address, p.PID().Id)
		client := k.Probe("client")
		client.Request(address, rendering(1))
		client.Expect(&actor.DeadLetterResponse{})

		stranger := k.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*messages.Task); ok {
				ctx.Respond("whose is this?")
			}
		}), p.PID().Id)
		client.Request(actor.NewPID(stranger.Address, p.PID().Id), rendering(1))
		client.Expect("whose is this?")
		require.NoError(k, p.Shutdown(k.Context()))
	})
}

// A PID keeps the process that was found for it first, whoever sends to it later.
func TestAddressThatWasUsedInItsSystemReachesThePoolFromAnother(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		other := anotherSystem(k)
		lost := 0
		other.EventStream.Subscribe(func(event any) {
			if _, ok := event.(*actor.DeadLetterEvent); ok {
				lost++
			}
		})
		p, err := pool.New(pool.WithActorSystem(other), pool.WithWorkers(1))
		require.NoError(k, err)
		other.Root.Send(p.PID(), rendering(1))
		client := k.Probe("client")
		client.Request(p.PID(), rendering(2))
		client.ExpectNothing(time.Hour)
		require.EqualValues(k, 2, p.Stats().Outcomes[pool.Succeeded], "it was done")
		require.Equal(k, 1, lost, "the result: in the system of the pool nobody has the address of the client")
		require.NoError(k, p.Shutdown(k.Context()))
	})
}

func TestMiddlewareMayAskWhoSentATaskAndTimeIt(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		var log []string
		authorise := func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
				if e.GetHeader("user") == "ann" {
					next(c, e)
				} // else the sender gets ErrRefused
			}
		}
		timed := func(next actor.ReceiverFunc) actor.ReceiverFunc {
			return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
				began := time.Now()
				next(c, e)
				log = append(log, fmt.Sprintf("%s for %s: %v", e.Message.(*messages.Task).Name, e.Sender.Id, time.Since(began)))
			}
		}
		workers := k.Spawn(pool.Props(pool.WithWorkers(1), pool.WithReceiverMiddleware(authorise, timed)))
		printer := func(user string) *actor.PID {
			sign := func(next actor.SenderFunc) actor.SenderFunc {
				return func(c actor.SenderContext, to *actor.PID, e *actor.MessageEnvelope) {
					e.SetHeader("user", user)
					next(c, to, e)
				}
			}
			var client *actor.PID
			return k.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case order:
					client = ctx.Sender()
					ctx.Request(workers, &messages.Task{
						Name: fmt.Sprintf("page %d", m.page), Correlation: m.page,
						Func: func(ctx context.Context) (any, error) { return render(ctx, m.page) },
					})
				case *messages.Result:
					ctx.Send(client, m)
				}
			}, actor.WithSenderMiddleware(sign)), user)
		}
		client := k.Probe("client")
		client.Request(printer("bob"), order{1})
		expectError(k, client, 1, pool.ErrRefused)
		client.Request(printer("ann"), order{2})
		pooltest.ExpectType[*messages.Result](client)
		require.Equal(k, []string{"page 2 for ann: 1s"}, log)
	})
}
