package pool_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestTasksStartInTheOrderOfSubmission(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		var order []int
		for i := range 100 {
			pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { order = append(order, i); return i, nil })
		}
		p.Close()
		require.NoError(t, p.Join(t.Context()))
		for i, got := range order {
			require.Equal(t, i, got)
		}
		require.Len(t, order, 100)
	})
}

func TestCloseThenJoinLosesNothingThatWasAccepted(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		var done atomic.Int64
		for range 500 {
			pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { done.Add(1); return 0, nil })
		}
		p.Close()
		require.NoError(t, p.Join(t.Context()))
		require.EqualValues(t, 500, done.Load())
	})
}

func TestSubmissionAfterCloseFails(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		p.Close()
		p.Close()
		_, err := pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrClosed)
		r := pool.ApplyAsync(t.Context(), p, value(1))
		require.True(t, r.Ready(), "the result carries the error already")
		ok, err := r.Successful()
		require.NoError(t, err)
		require.False(t, ok)
		_, err = pool.Map(t.Context(), p, double, []int{1})
		require.ErrorIs(t, err, pool.ErrClosed)
		_, err = pool.Map(t.Context(), p, double, nil)
		require.ErrorIs(t, err, pool.ErrClosed, "even if there is nothing to do")
		_, err = pool.IMap(t.Context(), p, double, seq(1)).Next(t.Context())
		require.ErrorIs(t, err, pool.ErrClosed)
		_, err = pool.Broadcast(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrClosed)
	})
}

func TestJoinBeforeCloseIsAnError(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		require.ErrorIs(t, p.Join(t.Context()), pool.ErrRunning)
	})
}

func TestJoinMayBeRepeatedAndTakesAContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := occupy(t, p)
		p.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		require.ErrorIs(t, p.Join(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))
		close(g.open)
		require.NoError(t, p.Join(t.Context()))
		require.NoError(t, p.Join(ctx), "also with a context that has ended")
	})
}

func TestTerminateEndsEveryResult(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		running, deaf := newGate(), newGate()
		first := pool.ApplyAsync(t.Context(), p, deaf.deaf)
		<-deaf.started
		queued := pool.ApplyAsync(t.Context(), p, running.task)
		mapped := pool.MapAsync(t.Context(), p, double, []int{1, 2, 3})
		stream := pool.IMap(t.Context(), p, double, seq(1, 2, 3))

		p.Terminate()
		p.Terminate()
		_, err := first.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated, "even though the function ignores its context")
		_, err = queued.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
		_, err = mapped.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
		_, err = stream.Next(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)

		p.Close() // after Terminate it is a no-op
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.Join(ctx), context.DeadlineExceeded, "Join waits for the function")
		close(deaf.open)
		require.NoError(t, p.Join(t.Context()))
		require.EqualValues(t, 1, p.Stats().Late, "what it returned was dropped and counted")
	})
}

func TestTerminateCancelsTheContextOfWhatRuns(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		cause := make(chan error, 1)
		started := make(chan struct{})
		pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			close(started)
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return 0, ctx.Err()
		})
		<-started
		p.Terminate()
		require.ErrorIs(t, <-cause, pool.ErrTerminated)
	})
}

func TestTerminateSaysWhatItDropped(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var log bytes.Buffer
		p := newPool(t, pool.WithWorkers(1), pool.WithName("clerk"), pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		occupy(t, p)
		pool.ApplyAsync(t.Context(), p, value(1))
		p.Terminate()
		require.Contains(t, log.String(), "tasks=2 pool=clerk")
	})
}

func TestShutdownDrainsWithinItsContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		r := pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { time.Sleep(time.Second); return 7, nil })
		require.NoError(t, p.Shutdown(t.Context()))
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 7, v)
	})
}

func TestShutdownTerminatesAtTheEndOfItsContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, g.task)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		require.ErrorIs(t, p.Shutdown(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(begin))
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
		require.NoError(t, p.Join(t.Context()))
	})
}

func TestJoinWaitsForTheSequenceOfAStream(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		began, ended := make(chan struct{}), false
		pool.IMap(t.Context(), p, double, func(yield func(int) bool) {
			close(began)
			time.Sleep(time.Hour)
			yield(1)
			ended = true
		})
		<-began
		p.Terminate()
		require.NoError(t, p.Join(t.Context()))
		require.True(t, ended)
	})
}

func TestPoolLivesInTheGivenActorSystem(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		p, err := pool.New(pool.WithActorSystem(system), pool.WithName("mine"))
		require.NoError(t, err)
		v, err := pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
		require.Len(t, registered(system, p), 4, "supervisor, router, results, and a worker")
		require.NoError(t, p.Shutdown(t.Context()))
		require.Empty(t, registered(system, p))
	})
}
