package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// inbox is an actor that hands on what it receives, except its own life.
func inbox(system *actor.ActorSystem) (*actor.PID, chan any) {
	received := make(chan any, 1000)
	pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started, *actor.Stopping, *actor.Stopped:
		default:
			received <- m
		}
	}))
	return pid, received
}

// spawn makes a pool that is used by messages alone.
func spawn(system *actor.ActorSystem, opts ...pool.Option) *actor.PID {
	return system.Root.Spawn(pool.Props(opts...))
}

// stopped waits for the end of an actor.
func stopped(t testing.TB, system *actor.ActorSystem, pid *actor.PID) {
	t.Helper()
	gone := make(chan struct{})
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(pid)
		case *actor.Terminated:
			if m.Who.Equal(pid) {
				close(gone)
				ctx.Stop(ctx.Self())
			}
		}
	}))
	<-gone
}

func request(system *actor.ActorSystem, to, from *actor.PID, m any) {
	system.Root.RequestWithCustomSender(to, m, from)
}

func TestTaskSentAsAMessageIsAnsweredWithItsResult(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		pid := spawn(system, pool.WithWorkers(2))
		mine := errors.New("mine")

		request(system, pid, me, &messages.Task{Func: func(context.Context) (any, error) { return 42, nil }, Name: "answer", Correlation: 7})
		require.Equal(t, &messages.Result{Value: 42, Name: "answer", Correlation: 7}, <-received)
		request(system, pid, me, &messages.Task{Func: func(context.Context) (any, error) { return "part", mine }})
		require.Equal(t, &messages.Result{Value: "part", Err: mine, Outcome: messages.Failed}, <-received)

		other, elsewhere := inbox(system)
		system.Root.Send(pid, &messages.Task{Func: func(context.Context) (any, error) { return 1, nil }, ReplyTo: other})
		require.Equal(t, 1, (<-elsewhere).(*messages.Result).Value)

		for want, fail := range map[messages.Outcome]func(){messages.Panicked: func() { panic(mine) }, messages.Exited: runtime.Goexit} {
			request(system, pid, me, &messages.Task{Func: func(context.Context) (any, error) { fail(); return nil, nil }})
			result := (<-received).(*messages.Result)
			require.Equal(t, want, result.Outcome)
			require.Error(t, result.Err)
		}
		system.Root.Stop(pid)
		stopped(t, system, pid)
		system.Root.Stop(me)
		system.Root.Stop(other)
	})
}

func TestTaskMessageTimesOutAndIsCancelledByItsContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		pid := spawn(system, pool.WithWorkers(1))
		wait := func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }
		begin := time.Now()
		request(system, pid, me, &messages.Task{Func: wait, Timeout: time.Second})
		result := (<-received).(*messages.Result)
		require.ErrorIs(t, result.Err, pool.ErrTimeout)
		require.Equal(t, messages.TimedOut, result.Outcome)
		require.Equal(t, time.Second, time.Since(begin))
		ctx, cancel := context.WithCancel(t.Context())
		request(system, pid, me, &messages.Task{Func: wait, Context: ctx})
		synctest.Wait()
		cancel()
		require.ErrorIs(t, (<-received).(*messages.Result).Err, pool.ErrCancelled)
		system.Root.Stop(pid)
		stopped(t, system, pid)
		system.Root.Stop(me)
	})
}

func TestWhatIsNoTaskIsAnswered(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		p, err := pool.New(pool.WithActorSystem(system), pool.WithWorkers(1))
		require.NoError(t, err)
		require.NoError(t, p.Ready(t.Context()))
		targets := []*actor.PID{p.PID(), system.NewLocalPID(p.PID().Id + "/router"), system.NewLocalPID(p.PID().Id + "/worker-1")}
		for _, target := range targets {
			for _, message := range []any{"hello", 42, struct{}{}, &messages.Result{}, nil, messages.Task{}} {
				request(system, target, me, message)
				result := (<-received).(*messages.Result)
				require.ErrorIs(t, result.Err, messages.ErrForeignMessage, "%v to %s", message, target.Id)
			}
			for message, want := range map[*messages.Task]error{
				nil: messages.ErrNoFunction,
				{}:  messages.ErrNoFunction,
				{Func: func(context.Context) (any, error) { return nil, nil }, Timeout: -1}:       messages.ErrInvalid,
				{Func: func(context.Context) (any, error) { return nil, nil }, Key: "x"}:          messages.ErrKeysUnused,
				{Func: func(context.Context) (any, error) { return nil, nil }, Context: ended(t)}: messages.ErrCancelled,
			} {
				request(system, target, me, message)
				require.ErrorIs(t, (<-received).(*messages.Result).Err, want)
			}
			request(system, target, me, &actor.Touch{})
			require.Equal(t, target.Id, (<-received).(*actor.Touched).Who.Id)
		}
		// What only the pool's own parts may say changes nothing.
		for _, m := range []any{&messages.Drained{}, &messages.Terminate{}, &messages.StartWorkers{Workers: []int{-1, 0, 1, 99}}} {
			system.Root.Send(p.PID(), m)
		}
		v, err := pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
		require.NoError(t, p.Shutdown(t.Context()))
		require.Empty(t, received)
		system.Root.Stop(me)
	})
}

func ended(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestWhatCannotBeAnsweredIsADeadLetter(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		dead := make(chan any, 10)
		system.EventStream.Subscribe(func(e any) {
			if letter, ok := e.(*actor.DeadLetterEvent); ok {
				dead <- letter.Message
			}
		})
		pid := spawn(system, pool.WithWorkers(1))
		system.Root.Send(pid, "hello")
		require.Equal(t, "hello", <-dead)
		mine := errors.New("mine")
		system.Root.Send(pid, &messages.Task{Func: func(context.Context) (any, error) { return nil, mine }})
		require.ErrorIs(t, (<-dead).(*messages.Result).Err, mine, "an error that nobody would hear of")
		gone, _ := inbox(system)
		system.Root.Stop(gone)
		synctest.Wait()
		request(system, pid, gone, &messages.Task{Func: func(context.Context) (any, error) { return 5, nil }})
		require.Equal(t, 5, (<-dead).(*messages.Result).Value, "a sender that has died")
		system.Root.Send(pid, &messages.Task{Func: func(context.Context) (any, error) { return 5, nil }})
		synctest.Wait()
		require.Empty(t, dead, "a value that nobody asked for is none")
		system.Root.Stop(pid)
		stopped(t, system, pid)
	})
}

func TestWorkerThatIsKilledIsReplaced(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		var inits atomic.Int64
		p, err := pool.New(pool.WithActorSystem(system), pool.WithWorkers(2),
			pool.WithInitializer(func(context.Context) error { inits.Add(1); return nil }))
		require.NoError(t, err)
		require.NoError(t, p.Ready(t.Context()))
		worker := system.NewLocalPID(p.PID().Id + "/worker-1")
		for i, kill := range []func(*actor.PID){system.Root.Stop, system.Root.Poison, system.Root.Stop} {
			g := newGate()
			r := pool.ApplyAsync(t.Context(), p, g.task)
			<-g.started
			kill(worker)
			synctest.Wait()
			close(g.open)
			v, err := r.Get(t.Context())
			require.NoError(t, err, "the task in its hands is finished")
			require.Equal(t, "done", v)
			synctest.Wait()
			require.EqualValues(t, i+3, inits.Load())
			_, ok := system.ProcessRegistry.GetLocal(worker.Id)
			require.True(t, ok)
		}
		got, err := pool.Broadcast(t.Context(), p, value(1))
		require.NoError(t, err)
		require.Equal(t, []int{1, 1}, got)
		require.EqualValues(t, 3, p.Stats().Restarts)
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

func TestRouterThatIsKilledIsReplaced(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		pid := spawn(system, pool.WithWorkers(1))
		synctest.Wait()
		system.Root.Stop(system.NewLocalPID(pid.Id + "/router"))
		synctest.Wait()
		request(system, pid, me, &messages.Task{Func: func(context.Context) (any, error) { return 3, nil }})
		require.Equal(t, 3, (<-received).(*messages.Result).Value)
		system.Root.Stop(pid)
		stopped(t, system, pid)
		system.Root.Stop(me)
	})
}

func TestSupervisionIsPublished(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		events := make(chan *actor.SupervisorEvent, 10)
		system.EventStream.Subscribe(func(e any) {
			if event, ok := e.(*actor.SupervisorEvent); ok {
				events <- event
			}
			panic("a subscriber's own trouble")
		})
		p, err := pool.New(pool.WithActorSystem(system), pool.WithWorkers(1))
		require.NoError(t, err)
		_, err = pool.Apply(t.Context(), p, func(context.Context) (int, error) { panic("boom") })
		require.Error(t, err)
		event := <-events
		assert.Equal(t, actor.RestartDirective, event.Directive)
		assert.Contains(t, event.Child.Id, "worker-1")
		var panicked *pool.PanicError
		require.ErrorAs(t, event.Reason.(error), &panicked)
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

func TestNoLogIsWrittenOfItsOwnAccord(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		previous := slog.Default()
		defer slog.SetDefault(previous)
		slog.SetDefault(slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { t.Error(string(b)); return len(b), nil }), nil)))
		p := newPool(t, pool.WithWorkers(1))
		_, err := pool.Apply(t.Context(), p, func(context.Context) (int, error) { panic("boom") },
			pool.WithErrorCallback(func(error) { panic("boom") }))
		require.Error(t, err)
	})
}

func TestLoggerThatPanicsIsContained(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithLogger(slog.New(slog.NewTextHandler(
			writerFunc(func([]byte) (int, error) { panic("log") }), nil))))
		for range 3 {
			_, err := pool.Apply(t.Context(), p, func(context.Context) (int, error) { panic("boom") })
			require.Error(t, err)
		}
	})
}

// A worker that has failed and waits for its restart keeps its messages; if it is stopped
// instead, they are dead letters.
func TestMessageToAWorkerThatRestsWhenThePoolEndsIsAnswered(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		p := newPool(t, pool.WithActorSystem(system), pool.WithWorkers(1), pool.WithSupervision(pool.Supervision{
			MinBackoff: time.Hour, MaxBackoff: time.Hour,
		}))
		breakIt(p) // it only fails a worker here
		synctest.Wait()
		worker := actor.NewPID(p.PID().Address, p.PID().Id+"/worker-1")
		answer := system.Root.RequestFuture(worker, &messages.Task{
			Func: func(context.Context) (any, error) { return 1, nil },
		}, 1000*time.Hour)
		synctest.Wait()
		p.Terminate()
		_, err := answer.Result()
		require.ErrorIs(t, err, actor.ErrDeadLetter)
	})
}
