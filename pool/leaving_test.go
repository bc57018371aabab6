package pool_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// fails waits for the gate and panics.
func (g *gate) fails(ctx context.Context) (string, error) {
	_, _ = g.deaf(ctx)
	panic("boom")
}

func TestFailureOfAWorkerThatLeavesIsNoRestart(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithSupervision(pool.Supervision{MaxRestarts: 1, Within: time.Hour}))
		first, second := newGate(), newGate()
		pool.ApplyAsync(context.Background(), p, first.fails)
		<-first.started
		pool.ApplyAsync(context.Background(), p, second.fails)
		<-second.started
		require.NoError(t, p.Resize(1))
		for i, g := range []*gate{second, first} {
			close(g.open)
			synctest.Wait()
			require.EqualValues(t, i, p.Stats().Restarts)
		}
		v, err := pool.Apply(hour(t), p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
		_, err = pool.Apply(hour(t), p, func(context.Context) (int, error) { panic("boom") })
		require.Error(t, err)
		_, err = pool.Apply(hour(t), p, value(1))
		require.ErrorIs(t, err, pool.ErrTooManyRestarts)
	})
}

func TestWorkerThatLeavesIsNotRestartedWithTheOthers(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var fails atomic.Bool
		var again atomic.Int64
		p := newPool(t, pool.WithWorkers(2), pool.WithSupervision(pool.Supervision{Scope: pool.AllForOne}),
			pool.WithInitializer(func(ctx context.Context) error {
				if fails.Load() && strings.HasSuffix(pool.WorkerName(ctx), "2") {
					again.Add(1)
					return errors.New("it has only to leave")
				}
				return nil
			}))
		require.NoError(t, p.Ready(hour(t)))
		at := map[string]*gate{}
		for range 2 {
			g, place := newGate(), make(chan string)
			pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (string, error) {
				place <- pool.WorkerName(ctx)
				if strings.HasSuffix(pool.WorkerName(ctx), "1") {
					return g.fails(ctx)
				}
				return g.deaf(ctx)
			})
			at[<-place] = g
		}
		require.NoError(t, p.Resize(1))
		fails.Store(true)
		for _, number := range []string{"1", "2"} {
			close(at[p.Name()+"/worker-"+number].open)
			synctest.Wait()
		}
		require.Equal(t, 1, p.Stats().Started)
		require.Zero(t, again.Load(), "it is not initialized again")
		_, err := pool.Apply(hour(t), p, value(1))
		require.NoError(t, err)
	})
}

func TestWorkerThatRestsLeavesAPoolThatShrinks(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var init initializers
		var ended atomic.Int64
		p := newPool(t, pool.WithWorkers(3), pool.WithInitializer(init.initialize),
			pool.WithCleanup(func(context.Context) error { ended.Add(1); return nil }),
			pool.WithSupervision(pool.Supervision{MinBackoff: time.Hour, MaxBackoff: time.Hour}))
		_, err := pool.Broadcast(hour(t), p, func(context.Context) (int, error) { panic("boom") })
		require.Error(t, err)
		last, err := pool.BroadcastAsync(context.Background(), p, value(1)), p.Resize(1)
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 3, p.Stats().Started, "they are waited for")
		require.True(t, last.Cancel())
		require.NoError(t, p.Resize(2))
		require.NoError(t, p.Resize(1))
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Started)
		require.EqualValues(t, 2, ended.Load())
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Started)
		require.EqualValues(t, 3, ended.Load())
		require.EqualValues(t, 4, init.calls.Load(), "of the one that stays")
	})
}
