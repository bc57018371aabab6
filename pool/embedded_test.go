package pool_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestPoisonPillToAPoolDrainsIt(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		pid := spawn(system, pool.WithWorkers(2), pool.WithQueueLimit(3))
		begin := time.Now()
		for range 20 {
			request(system, pid, me, &messages.Task{Func: func(context.Context) (any, error) { time.Sleep(time.Second); return 1, nil }})
		}
		system.Root.Poison(pid)
		request(system, pid, me, &messages.Task{Func: func(context.Context) (any, error) { return 2, nil }})
		stopped(t, system, pid)
		require.Equal(t, 10*time.Second, time.Since(begin))
		synctest.Wait() // the inbox has taken what the pool sent before it stopped
		values, refused := 0, 0
		for len(received) > 0 {
			if result := (<-received).(*messages.Result); result.Err == nil {
				values++
			} else {
				require.ErrorIs(t, result.Err, pool.ErrClosed)
				refused++
			}
		}
		require.Equal(t, 20, values)
		require.Equal(t, 1, refused)
		system.Root.Stop(me)
	})
}

func TestStopOfAPoolTerminatesIt(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		pid := spawn(system, pool.WithWorkers(2), pool.WithQueueLimit(3))
		for range 20 {
			request(system, pid, me, &messages.Task{Func: func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }})
		}
		synctest.Wait()
		system.Root.Stop(pid)
		stopped(t, system, pid)
		for range 20 {
			require.ErrorIs(t, (<-received).(*messages.Result).Err, pool.ErrTerminated)
		}
		system.Root.Stop(me)
	})
}

func TestStopOfANewPoolsPIDIsItsTermination(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		running := pool.ApplyAsync(t.Context(), p, g.task)
		queued := pool.ApplyAsync(t.Context(), p, value(1))
		<-g.started
		systemOf(t).Root.Stop(p.PID())
		for _, r := range []pool.Awaitable{running, queued} {
			<-r.Done()
		}
		_, err := queued.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
		require.NoError(t, p.Join(t.Context()))
		_, err = pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrClosed)
	})
}

// parent is an actor that spawns a pool as its child and hands tasks on to it.
func parent(system *actor.ActorSystem, opts ...pool.Option) *actor.PID {
	var child *actor.PID
	return system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			child = ctx.Spawn(pool.Props(opts...))
		case *messages.Task:
			ctx.Forward(child)
		case string:
			panic(m)
		}
	}))
}

func TestPoolLivesAndDiesWithItsParent(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, end := range []func(*actor.RootContext, *actor.PID){(*actor.RootContext).Stop, (*actor.RootContext).Poison} {
			system := bubbleSystem(t)
			me, received := inbox(system)
			boss := parent(system, pool.WithWorkers(1))
			request(system, boss, me, &messages.Task{Func: func(context.Context) (any, error) { return 1, nil }})
			require.Equal(t, 1, (<-received).(*messages.Result).Value)
			request(system, boss, me, &messages.Task{Func: func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }})
			synctest.Wait()
			end(system.Root, boss)
			require.ErrorIs(t, (<-received).(*messages.Result).Err, pool.ErrTerminated)
			stopped(t, system, boss)
			system.Root.Stop(me)
			synctest.Wait()
		}
	})
}

func TestRestartOfTheParentReplacesThePool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		boss := parent(system, pool.WithWorkers(1))
		request(system, boss, me, &messages.Task{Func: func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }})
		synctest.Wait()
		system.Root.Send(boss, "fall over")
		require.ErrorIs(t, (<-received).(*messages.Result).Err, pool.ErrTerminated)
		synctest.Wait()
		request(system, boss, me, &messages.Task{Func: func(context.Context) (any, error) { return 2, nil }})
		require.Equal(t, 2, (<-received).(*messages.Result).Value)
		system.Root.Stop(boss)
		stopped(t, system, boss)
		system.Root.Stop(me)
	})
}

func TestPoolRestartedByItsParentStartsAfresh(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		var child, fragile *actor.PID
		boss := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				child = ctx.Spawn(pool.Props(pool.WithWorkers(2)))
				fragile = ctx.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
					if ctx.Message() == "fall over" {
						panic("fell over")
					}
				}))
			}
		}, actor.WithSupervisor(actor.NewAllForOneStrategy(10, time.Minute, actor.DefaultDecider))))
		synctest.Wait()
		request(system, child, me, &messages.Task{Func: func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }})
		synctest.Wait()
		system.Root.Send(fragile, "fall over")
		require.ErrorIs(t, (<-received).(*messages.Result).Err, pool.ErrTerminated)
		synctest.Wait()
		request(system, child, me, &messages.Task{Func: func(context.Context) (any, error) { return 2, nil }})
		require.Equal(t, 2, (<-received).(*messages.Result).Value)
		system.Root.Stop(boss)
		stopped(t, system, boss)
		system.Root.Stop(me)
	})
}

func TestBadOptionsFailTheSpawning(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		for want, opt := range map[string]pool.Option{
			"WithWorkers: 0":                    pool.WithWorkers(0),
			"WithActorSystem: a child lives in": pool.WithActorSystem(system),
			"WithRouting: the constructor":      pool.WithRouting(func() pool.Strategy { return nil }),
		} {
			_, err := system.Root.SpawnNamed(pool.Props(opt), "p")
			require.ErrorIs(t, err, pool.ErrInvalid)
			require.ErrorContains(t, err, want)
		}
	})
}

func TestPoolEndsWhenItsSystemIsShutDown(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		p := newPool(t, pool.WithWorkers(1), pool.WithActorSystem(system))
		g := occupy(t, p)
		system.Shutdown()
		close(g.open)
		r := pool.ApplyAsync(t.Context(), p, value("x"))
		require.NoError(t, r.Wait(hour(t)))
		p.Close()
		require.NoError(t, p.Join(hour(t)))
	})
}

// Proto.Actor answers a Watch of an address that nobody has with Terminated: who sends it in
// the pool's name makes the pool hear that a child has terminated that is about to be spawned.
func TestPoolIsNotMisledAboutItsChildrensEnd(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		for i := range 20 {
			name := fmt.Sprintf("pool-%d", i)
			pid := actor.NewPID(system.Address(), name)
			for _, child := range []string{"/router", "/worker-1", "/worker-2"} {
				system.Root.Send(actor.NewPID(system.Address(), name+child), &actor.Watch{Watcher: pid})
			}
			props := pool.Props(pool.WithWorkers(2))
			_, err := system.Root.SpawnNamed(props, name)
			require.NoError(t, err)
			for _, child := range []string{"/router", "/worker-1", "/worker-2"} {
				system.Root.Send(actor.NewPID(system.Address(), name+child), &actor.Watch{Watcher: pid})
			}
			for _, child := range []string{"/router", "/worker-1"} { // as Proto.Actor would
				system.Root.Send(pid, &actor.Terminated{Who: actor.NewPID(system.Address(), name+child)})
			}
			answer, err := system.Root.RequestFuture(pid, &messages.Task{
				Func: func(context.Context) (any, error) { return i, nil },
			}, time.Second).Result()
			require.NoError(t, err)
			require.Equal(t, i, answer.(*messages.Result).Value)
			require.NoError(t, system.Root.PoisonFuture(pid).Wait())
		}
	})
}
