package pool_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func sendResult(t testing.TB, r interface{ PID() *actor.PID }, v any, err error) {
	systemOf(t).Root.Send(r.PID(), &messages.Result{Value: v, Err: err})
	time.Sleep(time.Second) // for what Proto.Actor does about dead letters
}

func TestNilIsAValueOfAnInterface(t *testing.T) {
	for name, check := range map[string]func(t testing.TB, p *pool.Pool){
		"error": func(t testing.TB, p *pool.Pool) {
			r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (error, error) { <-ctx.Done(); return nil, nil })
			sendResult(t, r, nil, nil)
			require.True(t, r.Ready())
		},
		"any": func(t testing.TB, p *pool.Pool) {
			r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, nil })
			sendResult(t, r, nil, nil)
			require.True(t, r.Ready())
		},
		"pointer": func(t testing.TB, p *pool.Pool) {
			r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (*int, error) { <-ctx.Done(); return nil, nil })
			sendResult(t, r, nil, nil)
			require.True(t, r.Ready())
		},
		"map": func(t testing.TB, p *pool.Pool) {
			r := pool.MapAsync(t.Context(), p, func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, nil }, []int{1})
			sendResult(t, r, nil, nil)
			require.True(t, r.Ready())
		},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) { check(t, newPool(t, pool.WithWorkers(1))) })
		})
	}
}

func TestNilStartWorkersFromAStrangerDoesNotEndThePool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		systemOf(t).Root.Send(p.PID(), (*messages.StartWorkers)(nil))
		synctest.Wait()
		v, err := pool.Apply(hour(t), p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
	})
}

func TestPoisonPillAfterTheRouterActorWasStopped(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		system := systemOf(t)
		_, err := pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		system.Root.Stop(actor.NewPID(p.PID().Address, p.PID().Id+"/router"))
		system.Root.Poison(p.PID())
		synctest.Wait()
		time.Sleep(time.Minute)
		require.NoError(t, p.Join(hour(t)), "the poison pill was lost")
	})
}

type brokenContext struct{ context.Context }

func (brokenContext) Err() error { panic("broken") }

func TestTaskMessageWithABrokenContextIsAnswered(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		f := systemOf(t).Root.RequestFuture(p.PID(), &messages.Task{
			Func: func(context.Context) (any, error) { return 1, nil }, Context: brokenContext{context.Background()},
		}, time.Minute)
		_, err := f.Result()
		require.NoError(t, err)
	})
}

func TestTaskMessagesAroundAStopAreAllAnswered(t *testing.T) {
	for name, stop := range map[string]func(*actor.ActorSystem, *pool.Pool){
		"Terminate":   func(_ *actor.ActorSystem, p *pool.Pool) { p.Terminate() },
		"Close":       func(_ *actor.ActorSystem, p *pool.Pool) { p.Close() },
		"Stop":        func(system *actor.ActorSystem, p *pool.Pool) { system.Root.Stop(p.PID()) },
		"poison pill": func(system *actor.ActorSystem, p *pool.Pool) { system.Root.Poison(p.PID()) },
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				const senders, each = 4, 50
				system := bubbleSystem(t)
				for range 5 {
					var answered atomic.Int64
					receiver := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
						switch ctx.Message().(type) {
						case *messages.Result, *actor.DeadLetterResponse:
							answered.Add(1)
						}
					}))
					p := newPool(t, pool.WithWorkers(1), pool.WithActorSystem(system))
					var wg sync.WaitGroup
					for range senders {
						wg.Go(func() {
							for range each {
								request(system, p.PID(), receiver, &messages.Task{Func: func(context.Context) (any, error) { return 1, nil }})
							}
						})
					}
					stop(system, p)
					wg.Wait()
					synctest.Wait()
					require.NoError(t, p.Join(t.Context()))
					synctest.Wait()
					require.EqualValues(t, senders*each, answered.Load(), "neither answered nor dead letters")
				}
			})
		})
	}
}

func TestTaskMessagesToAWorkerThatIsReplacedAreAllAnswered(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		const senders, each = 4, 200
		system := bubbleSystem(t)
		p := newPool(t, pool.WithWorkers(1), pool.WithActorSystem(system))
		require.NoError(t, p.Ready(t.Context()))
		worker := system.NewLocalPID(p.PID().Id + "/worker-1")
		var answered atomic.Int64
		receiver := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *messages.Result, *actor.DeadLetterResponse:
				answered.Add(1)
			}
		}))
		var wg sync.WaitGroup
		for range senders {
			wg.Go(func() {
				for i := range each {
					request(system, worker, receiver, &messages.Task{Func: func(context.Context) (any, error) { return 1, nil }})
					if i%4 == 0 {
						system.Root.Stop(worker)
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Minute)
		require.EqualValues(t, senders*each, answered.Load(), "neither answered nor dead letters")
	})
}
