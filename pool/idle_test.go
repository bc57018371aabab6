package pool_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestWorkersLeaveThatAreIdleForTooLong(t *testing.T) {
	for name, c := range map[string]struct {
		opts []pool.Option
		stay int
	}{
		"all":            {nil, 0},
		"but the fewest": {[]pool.Option{pool.WithMinWorkers(2)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append(c.opts, pool.WithWorkers(8), pool.WithIdleTimeout(time.Minute))...)
				var work crew
				for range 5 {
					for range 8 {
						pool.ApplyAsync(context.Background(), p, work.work)
					}
					time.Sleep(time.Second)
					synctest.Wait()
					require.Equal(t, 8, p.Stats().Started)
					time.Sleep(time.Minute - time.Millisecond)
					synctest.Wait()
					require.Equal(t, 8, p.Stats().Started)
					time.Sleep(time.Minute / 8)
					synctest.Wait()
					require.Equal(t, c.stay, p.Stats().Started)
					require.Equal(t, 8, p.Workers())
				}
				require.Zero(t, p.Stats().Restarts)
			})
		})
	}
}

func TestWorkersThatAreNeededNowAndThenStay(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3), pool.WithIdleTimeout(time.Minute))
		three := func() {
			var c crew
			for range 3 {
				pool.ApplyAsync(context.Background(), p, c.work)
			}
			time.Sleep(time.Second)
		}
		three()
		for range 10 {
			time.Sleep(50 * time.Second)
			_, err := pool.Apply(context.Background(), p, value(1)) // in a place that is lent
			require.NoError(t, err)
		}
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Started, "one does it all")
		three()
		synctest.Wait()
		require.Equal(t, 3, p.Stats().Started)
	})
}

// A task that comes while a worker leaves, and takes long to clean up, has another one
// started if there is a place for it.
func TestTaskThatComesWhileAWorkerLeavesFindsOne(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithIdleTimeout(time.Minute),
			pool.WithCleanup(func(context.Context) error { time.Sleep(time.Hour); return nil }))
		ctx := context.Background()
		_, err := pool.ApplyAsync(ctx, p, value(1)).Get(ctx)
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		began := time.Now()
		_, err = pool.ApplyAsync(ctx, p, value(1)).Get(ctx)
		require.NoError(t, err)
		require.Zero(t, time.Since(began))
		time.Sleep(2 * time.Minute) // now both clean up
		_, err = pool.ApplyAsync(ctx, p, value(1)).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, 59*time.Minute, time.Since(began).Truncate(time.Minute), "the first that is through")
	})
}

func TestIdleOptionsThatCannotBeAreRefused(t *testing.T) {
	for says, opts := range map[string][]pool.Option{
		"WithIdleTimeout: 0s; it must be positive":                                {pool.WithIdleTimeout(0)},
		"WithMinWorkers: 0 workers; there must be 1 at least":                     {pool.WithMinWorkers(0)},
		"WithMinWorkers: 3 workers, more than the 2 that the pool has":            {pool.WithMinWorkers(3), pool.WithWorkers(2)},
		"WithSupervision: Exceeded is stop, but MaxRestarts is not set":           {pool.WithSupervision(pool.Supervision{Exceeded: pool.Stop})},
		"WithIdleTimeout: -1s; it must be positive\ninvalid argument: WithMinWor": {pool.WithIdleTimeout(-time.Second), pool.WithMinWorkers(-1)},
	} {
		_, err := pool.New(opts...)
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, says)
	}
}

// Ready waits for the workers that come in place of those that left.
func TestReadyAgainAfterWorkersHaveLeft(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var begun atomic.Int32
		p := newPool(t, pool.WithWorkers(2), pool.WithIdleTimeout(time.Minute), pool.WithInitializer(func(context.Context) error {
			time.Sleep(time.Second)
			if begun.Add(1) > 4 {
				return errFlaky
			}
			return nil
		}))
		for n := range 3 {
			err := p.Ready(context.Background())
			if n == 2 {
				require.ErrorIs(t, err, errFlaky)
				require.ErrorIs(t, err, pool.ErrBroken)
				break
			}
			require.NoError(t, err)
			require.EqualValues(t, 2*(n+1), begun.Load())
			require.NoError(t, p.Ready(context.Background()), "they are there")
			time.Sleep(5 * time.Minute)
			require.Zero(t, p.Stats().Started)
		}
	})
}

// Neither to find out that it may stay no longer, nor for the pool to break if it cannot.
func TestWorkerThatLeavesDoesNotBeginAnew(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var begun atomic.Int32
		p := newPool(t, pool.WithWorkers(2), pool.WithMaxTasksPerWorker(1), pool.WithInitializer(func(context.Context) error {
			if begun.Add(1) > 2 {
				return errFlaky
			}
			return nil
		}))
		require.NoError(t, p.Ready(context.Background()))
		gates := map[string]*gate{p.Name() + "/worker-1": newGate(), p.Name() + "/worker-2": newGate()}
		pool.BroadcastAsync(context.Background(), p, func(ctx context.Context) (string, error) {
			return gates[pool.WorkerName(ctx)].task(ctx)
		})
		synctest.Wait()
		require.NoError(t, p.Resize(1))
		close(gates[p.Name()+"/worker-2"].open)
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Started)
		require.Zero(t, p.Stats().Recycled)
		require.EqualValues(t, 2, begun.Load())
	})
}

// A worker that was kept leaves when another one is there, be that at work.
func TestWorkerThatWasKeptLeavesWhenAnotherOneComes(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithIdleTimeout(time.Minute), pool.WithMinWorkers(1), pool.WithRouting(pool.RoundRobin))
		_, err := pool.ApplyAsync(context.Background(), p, value(1)).Get(context.Background())
		require.NoError(t, err)
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, p.Stats().Started)
		g := occupy(t, p) // the other one
		require.Equal(t, 2, p.Stats().Started)
		time.Sleep(time.Minute / 4)
		require.Equal(t, 1, p.Stats().Started)
		close(g.open)
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, p.Stats().Started)
	})
}
