package embedding_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// Whatever has not ended when its actor restarts is told to the next incarnation.
func TestRestartOfTheParentEndsWhatItsPoolRuns(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		client := k.Probe("client")
		lives := 0
		printer := k.SpawnNamed(actor.PropsFromProducer(func() actor.Actor {
			lives++
			life := lives
			var workers *actor.PID
			return actor.ReceiveFunc(func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case *actor.Started:
					workers = ctx.Spawn(pool.Props(pool.WithWorkers(1)))
					ctx.Send(client.PID(), workers)
				case order:
					ctx.Request(workers, rendering(m.page))
				case *messages.Result:
					if life != 2 {
						k.Errorf("incarnation %d got %v", life, m)
					}
					ctx.Send(client.PID(), m)
				case *actor.DeadLetterResponse:
					ctx.Send(client.PID(), m)
				case string:
					panic(m)
				}
			})
		}), "printer")
		for page := range 3 {
			k.Send(printer, order{page})
		}
		k.Send(printer, "paper jam")
		first, second := pooltest.ExpectType[*actor.PID](client), pooltest.ExpectType[*actor.PID](client)
		require.NotEqual(k, first.Id, second.Id)
		pages := map[any]bool{}
		for range 3 {
			switch m := client.Next().(type) {
			case *messages.Result:
				if !errors.Is(m.Err, pool.ErrTerminated) && !errors.Is(m.Err, pool.ErrClosed) {
					k.Fatalf("got %v", m)
				}
				require.False(k, pages[m.Correlation])
				pages[m.Correlation] = true
			case *actor.DeadLetterResponse: // it had not reached the pool; nothing says which it was
			default:
				k.Fatalf("got %v", m)
			}
		}
		client.ExpectNothing(time.Hour)
	})
}

func TestNextIncarnationSubmitsAgainWhatWasUnderWay(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		client := k.Probe("client")
		var underWay []int // outlives the incarnations of the actor
		printer := k.SpawnNamed(actor.PropsFromProducer(func() actor.Actor {
			var workers *actor.PID
			return actor.ReceiveFunc(func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case *actor.Started:
					workers = ctx.Spawn(pool.Props(pool.WithWorkers(1)))
					for _, page := range underWay {
						ctx.Request(workers, rendering(page))
					}
				case order:
					underWay = append(underWay, m.page)
					ctx.Request(workers, rendering(m.page))
				case *messages.Result:
					i := slices.Index(underWay, m.Correlation.(int))
					if m.Err != nil || i < 0 {
						return // of the pool before, or known already
					}
					underWay = slices.Delete(underWay, i, i+1)
					ctx.Send(client.PID(), m)
				case string:
					panic(m)
				}
			})
		}), "printer")
		for page := range 3 {
			k.Send(printer, order{page})
		}
		k.Send(printer, "paper jam")
		client.ExpectInAnyOrder(rendered(0), rendered(1), rendered(2))
		client.ExpectNothing(time.Hour)
	})
}

// Proto.Actor begins the next incarnation when all children of the last have stopped.
func TestRestartWaitsForFunctionsThatDoNotLookAtTheirContext(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		var workers *actor.PID
		printer := k.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				workers = ctx.Spawn(pool.Props(pool.WithWorkers(1)))
			case order:
				ctx.Request(workers, &messages.Task{Func: func(context.Context) (any, error) {
					time.Sleep(time.Minute) // whatever its context says
					return nil, nil
				}})
			case string:
				panic(m)
			case int:
				ctx.Respond(m)
			}
		}))
		client := k.Probe("client")
		k.Send(printer, order{1})
		k.Idle()
		k.Send(printer, "paper jam")
		client.Request(printer, 1)
		client.ExpectNothing(time.Minute - 1)
		client.Expect(1)
		require.Equal(k, time.Minute, k.Elapsed())
	})
}

func TestSiblingPoolDoesNotNoticeARestart(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props())
		client := k.Probe("client")
		lives := 0
		printer := k.Spawn(actor.PropsFromProducer(func() actor.Actor {
			lives++
			life := lives
			return actor.ReceiveFunc(func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case order:
					ctx.Request(workers, rendering(m.page))
				case *messages.Result:
					if life != 2 {
						k.Errorf("incarnation %d got %v", life, m)
					}
					ctx.Send(client.PID(), m)
				case string:
					panic(m)
				}
			})
		}))
		k.Send(printer, order{1})
		k.Send(printer, "paper jam")
		client.Expect(rendered(1))
		require.Equal(k, 2, lives)
		require.Equal(k, time.Second, k.Elapsed())
	})
}
