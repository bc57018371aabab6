package pool_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestSuccessfulBeforeReadyIsAnError(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, g.task)
		_, err := r.Successful()
		require.ErrorIs(t, err, pool.ErrNotReady)
		require.False(t, r.Ready())
		close(g.open)
		require.NoError(t, r.Wait(t.Context()))
		ok, err := r.Successful()
		require.NoError(t, err)
		require.True(t, ok)
	})
}

func TestGetThatIsLateMayBeAskedAgain(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, g.task)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err := r.Get(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, pool.ErrNotReady)
		require.Equal(t, time.Second, time.Since(begin))
		require.ErrorIs(t, r.Wait(ctx), context.DeadlineExceeded)
		close(g.open)
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, "done", v)
	})
}

func TestGetWithAContextThatHasEndedPolls(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		r := pool.ApplyAsync(t.Context(), p, value(5))
		require.NoError(t, r.Wait(t.Context()))
		v, err := r.Get(ended)
		require.NoError(t, err)
		require.Equal(t, 5, v)
	})
}

func TestGetReturnsTheVerySameErrorToEverybody(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		mine := errors.New("mine")
		r := pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { return 0, mine })
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := r.Get(t.Context())
				require.Same(t, mine, err)
			})
		}
		wg.Wait()
		<-r.Done()
	})
}

func TestAnErrorReturnedAsAValueIsAValue(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		mine := errors.New("mine")
		v, err := pool.Apply(t.Context(), newPool(t), value(mine))
		require.NoError(t, err)
		require.Same(t, mine, v)
	})
}

func TestPanicBecomesAnErrorWithStackAndTheWorkerGoesOn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		inner := errors.New("inner")
		_, err := pool.Apply(t.Context(), p, func(context.Context) (int, error) { panic(inner) })
		var panicked *pool.PanicError
		require.ErrorAs(t, err, &panicked)
		require.ErrorIs(t, err, inner, "it unwraps to an error that was thrown")
		require.Contains(t, string(panicked.Stack), "TestPanicBecomesAnError")
		v, err := pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Restarts)
	})
}

func TestGoexitBecomesAnErrorAndTheWorkerIsReplaced(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		for range 3 {
			_, err := pool.Apply(t.Context(), p, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			require.ErrorIs(t, err, pool.ErrGoexit)
		}
		v, err := pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
	})
}

func TestCancelOfAQueuedTaskFreesItsPlaceAtOnce(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.Reject))
		g := occupy(t, p)
		queued := pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { t.Error("it ran"); return 0, nil })
		_, err := pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrFull)
		require.True(t, queued.Cancel())
		require.False(t, queued.Cancel(), "only once")
		_, err = queued.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		require.ErrorIs(t, err, context.Canceled)
		r := pool.ApplyAsync(t.Context(), p, value(2))
		close(g.open)
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, v)
	})
}

func TestCancelOfARunningTaskEndsItsContextWithACause(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		started, cause := make(chan struct{}), make(chan error, 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			child, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			close(started)
			<-child.Done()
			cause <- context.Cause(child)
			return 1, nil
		})
		<-started
		require.True(t, r.Cancel())
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		require.ErrorIs(t, <-cause, pool.ErrCancelled)
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Late)
	})
}

func TestCancelAfterTheEndChangesNothing(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		r := pool.ApplyAsync(t.Context(), newPool(t), value(1))
		require.NoError(t, r.Wait(t.Context()))
		require.False(t, r.Cancel())
		_, err := r.Get(t.Context())
		require.NoError(t, err)
	})
}

func TestSubmissionContextCancelsTheTask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		mine := errors.New("mine")
		ctx, cancel := context.WithCancelCause(t.Context())
		g := newGate()
		running := pool.ApplyAsync(ctx, p, g.deaf)
		<-g.started
		queued := pool.ApplyAsync(ctx, p, value(1))
		cancel(mine)
		for _, r := range []pool.Awaitable{running, queued} {
			<-r.Done()
		}
		_, err := queued.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		require.ErrorIs(t, err, mine)
		_, err = running.Get(t.Context())
		require.ErrorIs(t, err, context.Canceled)
		_, err = pool.Apply(ctx, p, value(1))
		require.ErrorIs(t, err, mine, "and refuses what comes with it later")
		close(g.open)
	})
}

func TestApplyGivesUpWithItsContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err := pool.Apply(ctx, p, newGate().task)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, pool.ErrTimeout)
		require.Equal(t, time.Second, time.Since(begin))
	})
}

func TestTimeoutEndsATaskThatWaitsOrRuns(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		running := pool.ApplyAsync(t.Context(), p, g.deaf, pool.WithTimeout(2*time.Second))
		queued := pool.ApplyAsync(t.Context(), p, value(1), pool.WithTimeout(time.Second))
		begin := time.Now()
		_, err := queued.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTimeout)
		require.Equal(t, time.Second, time.Since(begin))
		_, err = running.Get(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 2*time.Second, time.Since(begin))
		outcome, err := running.Outcome()
		require.NoError(t, err)
		require.Equal(t, messages.TimedOut, outcome)
		close(g.open)
	})
}

func TestTimeoutIsTheDeadlineOfTheTasksContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		v, err := pool.Apply(t.Context(), newPool(t), func(ctx context.Context) (time.Duration, error) {
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			return time.Until(deadline), nil
		}, pool.WithTimeout(time.Minute))
		require.NoError(t, err)
		require.Equal(t, time.Minute, v)
	})
}

func TestTaskContextCarriesTheValuesOfItsParent(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		type key struct{}
		ctx := context.WithValue(t.Context(), key{}, "carried")
		v, err := pool.Apply(ctx, newPool(t), func(ctx context.Context) (any, error) {
			require.NoError(t, ctx.Err())
			return ctx.Value(key{}), nil
		})
		require.NoError(t, err)
		require.Equal(t, "carried", v)
	})
}

func TestTaskContextEndsWithTheTask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var kept context.Context
		_, err := pool.Apply(t.Context(), newPool(t), func(ctx context.Context) (int, error) { kept = ctx; return 0, nil })
		require.NoError(t, err)
		require.ErrorIs(t, kept.Err(), context.Canceled)
		<-kept.Done()
	})
}

func TestReplyToAddressTakesAnOutcomeFromAnyActor(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		p, err := pool.New(pool.WithActorSystem(system), pool.WithWorkers(1))
		require.NoError(t, err)
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, g.task)
		<-g.started
		pid := r.PID()
		require.Equal(t, pid, r.PID(), "one address")
		system.Root.Send(pid, &messages.Result{Value: "from an actor"})
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, "from an actor", v)
		system.Root.Send(pid, &messages.Result{Value: "too late"})
		synctest.Wait()
		require.EqualValues(t, 2, p.Stats().Late, "the second message and what the function returned")

		failing := pool.ApplyAsync(t.Context(), p, newGate().task)
		mine := errors.New("mine")
		system.Root.Send(failing.PID(), &messages.Result{Err: mine})
		_, err = failing.Get(t.Context())
		require.Same(t, mine, err)
		require.NoError(t, p.Shutdown(t.Context()))
		system.Root.Send(pid, &messages.Result{Value: "to a pool that has ended"}) // a dead letter
	})
}

func TestReplyToAddressTakesNothingElse(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		p, err := pool.New(pool.WithActorSystem(system), pool.WithWorkers(1))
		require.NoError(t, err)
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, g.task)
		dead := make(chan any, 10)
		system.EventStream.Subscribe(func(e any) {
			if letter, ok := e.(*actor.DeadLetterEvent); ok {
				dead <- letter.Message
			}
		})
		for _, message := range []any{"hello", nil, (*messages.Result)(nil), &messages.Result{Value: 42}, &messages.Result{}} {
			system.Root.Send(r.PID(), message)
			require.Equal(t, message, <-dead)
		}
		require.False(t, r.Ready())
		close(g.open)
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, "done", v)
		require.NoError(t, p.Shutdown(t.Context()))
	})
}
