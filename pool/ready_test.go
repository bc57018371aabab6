package pool_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// initializers take as long as after says, and are counted.
type initializers struct {
	after atomic.Int64
	calls atomic.Int64
}

func (i *initializers) initialize(context.Context) error {
	i.calls.Add(1)
	time.Sleep(time.Duration(i.after.Load()))
	return nil
}

// cleansUp takes three seconds for it, in which the worker leaves.
func cleansUp() pool.Option {
	return pool.WithCleanup(func(context.Context) error { time.Sleep(3 * time.Second); return nil })
}

func TestNoWorkerLeavesWhileSomebodyWaitsForAll(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var calls atomic.Int64
		p := newPool(t, pool.WithWorkers(2), pool.WithIdleTimeout(time.Second), pool.WithInitializer(func(ctx context.Context) error {
			calls.Add(1)
			if strings.HasSuffix(pool.WorkerName(ctx), "2") {
				time.Sleep(10 * time.Second)
			}
			return nil
		}))
		require.NoError(t, p.Ready(hour(t)))
		require.Equal(t, 2, p.Stats().Started)
		require.EqualValues(t, 2, calls.Load(), "none has left and come again")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Zero(t, p.Stats().Started, "then they do")
	})
}

func TestReadyThatIsGivenUpHoldsBackNoWorkerThatLeaves(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		hold := make(chan struct{})
		p := newPool(t, pool.WithWorkers(2), pool.WithIdleTimeout(time.Second), pool.WithInitializer(func(ctx context.Context) error {
			if strings.HasSuffix(pool.WorkerName(ctx), "2") {
				<-hold
			}
			return nil
		}))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.ErrorIs(t, p.Ready(ctx), context.DeadlineExceeded)
		require.Equal(t, 2, p.Stats().Started)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Started)
		close(hold)
	})
}

func TestPlaceThatIsOpenedWhileItsWorkerLeavesHasASuccessorAtOnce(t *testing.T) {
	for _, more := range []int{2, 3} {
		pooltest.Run(t, func(t *pooltest.Kit) {
			var init initializers
			p := newPool(t, pool.WithWorkers(2), pool.WithInitializer(init.initialize), cleansUp())
			require.NoError(t, p.Ready(hour(t)))
			init.after.Store(int64(10 * time.Second))
			require.NoError(t, p.Resize(1))
			synctest.Wait()
			require.NoError(t, p.Resize(more))
			require.NoError(t, p.Ready(hour(t)))
			require.Equal(t, more, p.Stats().Started)
			require.EqualValues(t, more+1, init.calls.Load())
		})
	}
}

func TestPlaceThatIsOpenedAndClosedAgainWhileItsWorkerLeavesHasNoSuccessor(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var init initializers
		p := newPool(t, pool.WithWorkers(2), pool.WithInitializer(init.initialize), cleansUp())
		require.NoError(t, p.Ready(hour(t)))
		for _, workers := range []int{1, 2, 1} {
			require.NoError(t, p.Resize(workers))
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		require.NoError(t, p.Ready(hour(t)))
		require.Equal(t, 1, p.Stats().Started)
		require.EqualValues(t, 2, init.calls.Load())
	})
}

func TestReplacementComesThoughThePoolPauses(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var init initializers
		p := newPool(t, pool.WithWorkers(1), pool.WithReplacements(1), pool.WithInitializer(init.initialize))
		g := newGate()
		r := pool.ApplyAsync(context.Background(), p, g.deaf)
		<-g.started
		init.after.Store(int64(10 * time.Second))
		require.NoError(t, p.Resize(2))
		p.Pause()
		r.Cancel()
		require.NoError(t, p.Ready(hour(t)))
		require.Equal(t, 3, p.Stats().Started)
		close(g.open)
	})
}

func TestPoolThatHasEndedIsNotReady(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		require.NoError(t, p.Ready(hour(t)))
		p.Close()
		require.NoError(t, p.Join(hour(t)))
		require.ErrorIs(t, p.Ready(hour(t)), pool.ErrClosed)
	})
}
