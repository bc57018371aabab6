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

// A stranger cannot tell an actor of the pool that it has stopped, or that another has.
func TestMessagesAboutAnActorsLifeAreNotBelieved(t *testing.T) {
	for _, address := range []string{"", "/router", "/worker-1"} {
		for _, forge := range []func(who *actor.PID) any{
			func(*actor.PID) any { return &actor.Started{} },
			func(*actor.PID) any { return &actor.Stopping{} },
			func(*actor.PID) any { return &actor.Stopped{} },
			func(*actor.PID) any { return &actor.Restarting{} },
			func(*actor.PID) any { return &actor.Terminated{} },
			func(who *actor.PID) any { return &actor.Terminated{Who: who} },
			func(*actor.PID) any { return (*actor.Terminated)(nil) },
			func(*actor.PID) any { return &pool.Failure{Kind: pool.InitializerFailed} },
			func(*actor.PID) any { return (*pool.Failure)(nil) },
		} {
			t.Run(fmt.Sprintf("%T to the pool%s", forge(nil), address), func(t *testing.T) {
				pooltest.Run(t, func(t *pooltest.Kit) {
					t.Cleanup(func() { time.Sleep(time.Second) }) // dead letters
					p := newPool(t, pool.WithWorkers(1), pool.WithInitializer(func(context.Context) error { return nil }))
					require.NoError(t, p.Ready(hour(t)))
					local := systemOf(t).NewLocalPID
					systemOf(t).Root.Send(local(p.PID().Id+address), forge(local(p.PID().Id+"/worker-1")))
					synctest.Wait()
					v, err := pool.Apply(hour(t), p, value(1))
					require.NoError(t, err)
					require.Equal(t, 1, v)
					require.Zero(t, p.Stats().Restarts)
					require.NoError(t, p.Shutdown(hour(t)))
				})
			})
		}
	}
}

func TestTaskMessageWithABrokenContextAndATimeoutIsAnswered(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		f := systemOf(t).Root.RequestFuture(p.PID(), &messages.Task{
			Func: func(context.Context) (any, error) { return 1, nil }, Context: (*noContext)(nil), Timeout: time.Second,
		}, time.Minute)
		answer, err := f.Result()
		require.NoError(t, err)
		require.ErrorIs(t, answer.(*messages.Result).Err, pool.ErrInvalid)
	})
}

// A function may have got hold of a *Failure, in Decide say.
func TestPanicWithAFailureIsAPanicLikeAnyOther(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		for _, v := range []*pool.Failure{nil, {}, {Kind: pool.InitializerFailed, Err: errMine}, {Kind: pool.TaskExited, Err: errMine}} {
			_, err := pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { panic(v) }).Get(hour(t))
			var panicked *pool.PanicError
			require.ErrorAs(t, err, &panicked)
			require.Equal(t, v, panicked.Value)
			_, err = pool.Map(hour(t), p, func(context.Context, int) (int, error) { panic(v) }, []int{1})
			require.ErrorAs(t, err, &panicked)
		}
		got, err := pool.Apply(hour(t), p, value(1))
		require.NoError(t, err, "the pool is not broken")
		require.Equal(t, 1, got)
	})
}
