package embedding_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestWatcherIsToldOnceThatAPoolHasStopped(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props(pool.WithWorkers(1)))
		client := k.Probe("client")
		k.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				ctx.Watch(workers)
			case *actor.Terminated:
				ctx.Send(client.PID(), m.Who)
			}
		}), "watcher")
		client.Request(workers, rendering(1))
		k.Root().Poison(workers) // finish what came before, then stop
		client.Expect(rendered(1))
		client.Expect(workers)
		client.ExpectNothing(time.Hour)
	})
}

func TestParentIsToldThatItsPoolHasStoppedWithoutWatchingIt(t *testing.T) {
	for _, watches := range []bool{false, true} {
		pooltest.Run(t, func(k *pooltest.Kit) {
			told := 0
			boss := k.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case *actor.Started:
					workers := ctx.Spawn(pool.Props())
					if watches {
						ctx.Watch(workers)
					}
				case *actor.Terminated:
					told++
				case string:
					ctx.Poison(ctx.Children()[0])
				}
			}))
			k.Send(boss, "that will be all")
			k.Idle()
			require.Equal(k, map[bool]int{false: 1, true: 2}[watches], told)
		})
	}
}

func TestBrokenPoolAnswersAndDoesNotStop(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		noPaper := errors.New("no paper")
		workers := k.Spawn(pool.Props(
			pool.WithInitializer(func(context.Context) error { return noPaper })))
		client := k.Probe("client")
		client.Watch(workers)
		client.Request(workers, rendering(1))
		r := pooltest.ExpectType[*messages.Result](client)
		require.ErrorIs(k, r.Err, pool.ErrBroken)
		require.ErrorIs(k, r.Err, noPaper)
		client.ExpectNothing(time.Hour) // no Terminated
		k.Root().Stop(workers)
		client.ExpectTerminated(workers)
	})
}

func TestPoolThatEscalatesIsStoppedByItsParent(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		client := k.Probe("client")
		k.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				workers := ctx.Spawn(pool.Props(pool.WithSupervision(pool.Supervision{
					Decide: func(pool.Failure) pool.Directive { return pool.Escalate },
				})))
				ctx.Request(workers, &messages.Task{Func: func(context.Context) (any, error) { panic("paper jam") }})
			case *messages.Result:
				ctx.Send(client.PID(), m.Outcome)
			case *actor.Terminated:
				ctx.Send(client.PID(), "the pool has stopped")
			}
		}, actor.WithSupervisor(actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective }))))
		client.ExpectInAnyOrder(pool.Panicked, "the pool has stopped")
	})
}

func TestPillToTheParentEndsWhatItsPoolRuns(t *testing.T) {
	ends := map[string]func(k *pooltest.Kit, pid *actor.PID){
		"stop":        func(k *pooltest.Kit, pid *actor.PID) { k.Root().Stop(pid) },
		"poison pill": func(k *pooltest.Kit, pid *actor.PID) { k.Root().Poison(pid) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			heard := map[bool]bool{} // by the actor itself, of the end of its task
			pooltest.Explore(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
				var workers *actor.PID
				client, watcher := k.Probe("client"), k.Probe("watcher")
				own := 0
				printer := k.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
					switch ctx.Message().(type) {
					case *actor.Started:
						workers = ctx.Spawn(pool.Props(pool.WithWorkers(1)))
						ctx.Request(workers, rendering(0))
					case *messages.Task:
						ctx.Forward(workers)
					case *messages.Result:
						own++
					}
				}), "printer")
				watcher.Watch(printer)
				client.Request(printer, rendering(1))
				k.Idle()
				end(k, printer)
				expectError(k, client, 1, pool.ErrTerminated)
				watcher.ExpectTerminated(printer)
				require.Zero(k, k.Elapsed())
				heard[own == 1] = true
			})
			require.Equal(t, map[bool]bool{false: true, true: true}, heard)
		})
	}
}

// What tells of the end of an actor overtakes messages that it has sent before.
func TestTerminatedOvertakesResults(t *testing.T) {
	f := pooltest.Search(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		var workers *actor.PID
		client := k.Probe("client")
		printer := k.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				workers = ctx.Spawn(pool.Props(pool.WithWorkers(1)))
			case order:
				ctx.Request(workers, rendering(m.page))
			case *messages.Result:
				ctx.Send(client.PID(), m)
			case string:
				ctx.Poison(workers)
			case *actor.Terminated:
				ctx.Stop(ctx.Self())
			}
		}), "printer")
		k.Send(printer, order{1})
		k.Send(printer, "finish and go home")
		client.Expect(rendered(1))
	})
	require.NotNil(t, f)
	require.Contains(t, f.Failures[0], "nothing came within 1h")
}

func TestActorThatCountsMissesNoResultOfItsPool(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		var workers *actor.PID
		underWay, closing := 0, false
		client, watcher := k.Probe("client"), k.Probe("watcher")
		printer := k.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				workers = ctx.Spawn(pool.Props(pool.WithWorkers(1)))
			case order:
				underWay++
				ctx.Request(workers, rendering(m.page))
			case *messages.Result:
				underWay--
				ctx.Send(client.PID(), m)
			case string:
				closing = true
			}
			if closing && underWay == 0 {
				ctx.Stop(ctx.Self())
			}
		}), "printer")
		watcher.Watch(printer)
		k.Send(printer, order{1})
		k.Send(printer, order{2})
		k.Send(printer, "finish and go home")
		client.Expect(rendered(1))
		client.Expect(rendered(2))
		watcher.ExpectTerminated(printer)
	})
}
