package pool_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestExactlyOneCallbackIsCalledBeforeTheResultIsReady(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		mine := errors.New("mine")
		for _, fail := range []error{nil, mine} {
			var calls []any
			var r *pool.AsyncResult[string]
			ready := false
			assigned := make(chan struct{})
			r = pool.ApplyAsync(t.Context(), p, func(context.Context) (string, error) { return "v", fail },
				pool.WithCallback(func(v string) { <-assigned; calls = append(calls, v); ready = r.Ready() }),
				pool.WithErrorCallback(func(err error) { <-assigned; calls = append(calls, err); ready = r.Ready() }))
			close(assigned)
			_ = r.Wait(t.Context())
			require.False(t, ready)
			if fail == nil {
				require.Equal(t, []any{"v"}, calls)
			} else {
				require.Equal(t, []any{fail}, calls)
			}
		}
	})
}

func TestCallbacksRunOneAtATimeInOrderOfCompletion(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(4))
		var order []int
		results := make([]pool.Awaitable, 4)
		for i := range results {
			results[i] = pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) {
				time.Sleep(time.Duration(4-i) * time.Second)
				return i, nil
			}, pool.WithCallback(func(i int) {
				order = append(order, i) // the race detector would see two at a time
				time.Sleep(10 * time.Second)
			}))
		}
		_, _, err := pool.WaitFor(t.Context(), pool.AllCompleted, results...)
		require.NoError(t, err)
		require.Equal(t, []int{3, 2, 1, 0}, order)
	})
}

func TestSlowCallbackDelaysNoResultWithoutOne(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		hold := make(chan struct{})
		slow := pool.ApplyAsync(t.Context(), p, value(1), pool.WithCallback(func(int) { <-hold }))
		v, err := pool.Apply(t.Context(), p, value(2))
		require.NoError(t, err)
		require.Equal(t, 2, v)
		synctest.Wait()
		require.False(t, slow.Ready())
		close(hold)
		require.NoError(t, slow.Wait(t.Context()))
	})
}

func TestCallbackThatNeverReturnsDoesNotHoldResultsAfterTerminate(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		hold := make(chan struct{})
		called := 0
		stuck := pool.ApplyAsync(t.Context(), p, value(1), pool.WithCallback(func(int) { <-hold }))
		behind := pool.ApplyAsync(t.Context(), p, value(2), pool.WithCallback(func(int) { called++ }))
		synctest.Wait()
		queued := pool.ApplyAsync(t.Context(), p, newGate().task, pool.WithErrorCallback(func(error) { called++ }))
		p.Terminate()
		for _, r := range []pool.Awaitable{stuck, behind, queued} {
			<-r.Done()
		}
		close(hold)
		require.NoError(t, p.Join(t.Context()))
		require.Equal(t, 2, called, "callbacks are still called, each once")
	})
}

func TestCallbackThatPanicsOrExitsIsReported(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var log bytes.Buffer
		p := newPool(t, pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		for _, fail := range []func(){func() { panic("boom") }, runtime.Goexit} {
			r := pool.ApplyAsync(t.Context(), p, value(1), pool.WithCallback(func(int) { fail() }))
			v, err := r.Get(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, v)
		}
		p.Close()
		require.NoError(t, p.Join(t.Context()))
		require.Contains(t, log.String(), "callback failed")
		require.Contains(t, log.String(), "boom")
		require.Contains(t, log.String(), "Goexit")
	})
}

func TestDoneCallbacksRunInOrderAfterTheResultIsReady(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, g.task)
		var order []int
		for i := range 3 {
			r.OnDone(func(r *pool.AsyncResult[string]) {
				require.True(t, r.Ready())
				order = append(order, i)
			})
		}
		close(g.open)
		p.Close()
		require.NoError(t, p.Join(t.Context()))
		require.Equal(t, []int{0, 1, 2}, order)
		r.OnDone(func(*pool.AsyncResult[string]) { panic("contained") })
		r.OnDone(func(*pool.AsyncResult[string]) { order = append(order, 3) })
		require.Equal(t, []int{0, 1, 2, 3}, order, "at once, since it is ready")
	})
}

func TestErrorCallbackIsCalledHoweverTheTaskEnds(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		var got []error
		note := pool.WithErrorCallback(func(err error) { got = append(got, err) })
		_, _ = pool.Apply(t.Context(), p, func(context.Context) (int, error) { panic("boom") }, note)
		occupy(t, p)
		pool.ApplyAsync(t.Context(), p, value(1), note).Cancel()
		pool.ApplyAsync(t.Context(), p, value(1), note)
		p.Terminate()
		require.NoError(t, p.Join(t.Context()))
		require.Len(t, got, 3)
		var panicked *pool.PanicError
		require.ErrorAs(t, got[0], &panicked)
		require.ErrorIs(t, got[1], pool.ErrCancelled)
		require.ErrorIs(t, got[2], pool.ErrTerminated)
	})
}

func TestCallbackOfTheWrongTypeIsRefused(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		_, err := pool.Apply(t.Context(), p, value("text"), pool.WithCallback(func(int) {}))
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, "func(int)")
		require.ErrorContains(t, err, "func(string)")
		require.Zero(t, p.Stats().Accepted)
	})
}
