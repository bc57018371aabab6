package pool_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestWithTerminatesOnLeaving(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var p *pool.Pool
		var pending *pool.AsyncResult[string]
		sentinel := errors.New("mine")
		err := pool.With(t.Context(), func(inner *pool.Pool) error {
			p = inner
			pending = pool.ApplyAsync(t.Context(), p, newGate().task)
			return sentinel
		}, pool.WithWorkers(1))
		require.Equal(t, sentinel, err, "the error of run comes as it is")
		_, err = pending.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
		require.ErrorIs(t, p.With(t.Context(), func(*pool.Pool) error { t.Error("entered"); return nil }), pool.ErrClosed,
			"a pool that has ended cannot be entered")
	})
}

func TestWithTerminatesWhenRunPanics(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var p *pool.Pool
		require.PanicsWithValue(t, "mine", func() {
			_ = pool.With(t.Context(), func(inner *pool.Pool) error {
				p = inner
				pool.ApplyAsync(t.Context(), p, newGate().task) // until its context ends
				panic("mine")
			})
		})
		require.NoError(t, p.Join(t.Context()))
	})
}

func TestWithWaitsForTheFunctionsThatRun(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		returned := false
		deaf := func(started chan struct{}) func(context.Context) (int, error) {
			return func(context.Context) (int, error) {
				close(started)
				time.Sleep(time.Hour)
				returned = true
				return 0, nil
			}
		}
		require.NoError(t, pool.With(t.Context(), func(p *pool.Pool) error {
			started := make(chan struct{})
			pool.ApplyAsync(t.Context(), p, deaf(started))
			<-started
			return nil
		}))
		require.True(t, returned)

		returned = false
		p := newPool(t)
		require.NoError(t, p.With(t.Context(), func(p *pool.Pool) error {
			started := make(chan struct{})
			pool.ApplyAsync(t.Context(), p, deaf(started))
			<-started
			return nil
		}))
		require.True(t, returned)
		require.ErrorIs(t, pool.ApplyAsync(t.Context(), p, value(1)).Wait(t.Context()), nil)
		_, err := pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrClosed)
	})
}

func TestWithDrainTerminatesAtTheEndOfItsContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var r *pool.AsyncResult[string]
		err := pool.WithDrain(ctx, func(p *pool.Pool) error {
			r = pool.ApplyAsync(t.Context(), p, newGate().task)
			return nil
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
	})
}

func TestWithDrainFinishesWhatWasAccepted(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var r *pool.AsyncResult[int]
		require.NoError(t, pool.WithDrain(t.Context(), func(p *pool.Pool) error {
			r = pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { time.Sleep(time.Hour); return 3, nil })
			return nil
		}))
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, v)
	})
}
