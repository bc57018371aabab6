package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestPoolWithoutAParentBreaksInsteadOfEscalating(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithSupervision(pool.Supervision{Decide: func(pool.Failure) pool.Directive { return pool.Escalate }}))
		failed, waiting := pool.ApplyAsync(t.Context(), p, boom), pool.ApplyAsync(t.Context(), p, value(1))
		require.ErrorAs(t, errOf(t, failed), new(*pool.PanicError))
		require.ErrorIs(t, errOf(t, waiting), pool.ErrBroken)
		require.ErrorContains(t, errOf(t, waiting), "boom")
	})
}

// parentStrategy is that of an actor with a pool as its child.
type parentStrategy struct {
	reason    chan any
	directive actor.Directive
}

func (s parentStrategy) HandleFailure(_ *actor.ActorSystem, by actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	s.reason <- reason
	switch s.directive {
	case actor.ResumeDirective:
		by.ResumeChildren(child)
	case actor.RestartDirective:
		by.RestartChildren(child)
	default:
		by.StopChildren(child)
	}
}

func TestParentDecidesWhatEscalatesToIt(t *testing.T) {
	for name, c := range map[string]struct {
		directive actor.Directive
		waiting   messages.Outcome // of a task that waits meanwhile
		goesOn    bool
	}{
		"resume":  {actor.ResumeDirective, messages.Succeeded, true},
		"restart": {actor.RestartDirective, messages.Terminated, true},
		"stop":    {actor.StopDirective, messages.Terminated, false},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				system := bubbleSystem(t)
				strategy := parentStrategy{make(chan any, 1), c.directive}
				results := make(chan *messages.Result, 3)
				child := make(chan *actor.PID, 1)
				parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
					switch m := ctx.Message().(type) {
					case *actor.Started:
						child <- ctx.Spawn(pool.Props(pool.WithWorkers(1), pool.WithSupervision(pool.Supervision{
							Decide: func(pool.Failure) pool.Directive { return pool.Escalate },
						})))
					case *messages.Task:
						ctx.Request(m.ReplyTo, m)
					case *messages.Result:
						results <- m
					}
				}, actor.WithSupervisor(strategy)))
				pid := <-child
				send := func(fn func(context.Context) (any, error)) {
					request(system, pid, parent, &messages.Task{Func: fn})
				}
				send(func(context.Context) (any, error) { time.Sleep(time.Second); panic("boom") })
				send(func(context.Context) (any, error) { time.Sleep(time.Second); return 1, nil }) // until the parent has decided
				failure := (<-strategy.reason).(*pool.Failure)
				require.ErrorContains(t, failure, "boom")
				require.Contains(t, failure.Worker, "/worker-1")
				require.Equal(t, messages.Panicked, (<-results).Outcome)
				require.Equal(t, c.waiting, (<-results).Outcome)
				if c.goesOn {
					send(func(context.Context) (any, error) { return 2, nil })
					require.Equal(t, 2, (<-results).Value)
				}
				require.NoError(t, system.Root.StopFuture(parent).Wait())
				time.Sleep(time.Minute) // timers of the actor system run out
			})
		})
	}
}
