package pool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestFailedWorkerIsStoppedAndThePoolCarriesOn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		boom := errors.New("no device 2")
		broken := true
		p := newPool(t, pool.WithWorkers(3), pool.WithMinWorkers(2),
			pool.WithInitializer(func(ctx context.Context) error {
				if broken && pool.WorkerName(ctx)[len(pool.WorkerName(ctx))-1] == '2' {
					return boom
				}
				return nil
			}),
			pool.WithSupervision(pool.Supervision{Decide: func(pool.Failure) pool.Directive { return pool.Stop }}))
		require.NoError(t, p.Ready(context.Background()), "of those that are left")
		require.Equal(t, 2, p.Workers())
		var c crew
		for range 6 {
			pool.ApplyAsync(context.Background(), p, c.work)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 2, c.most.Load())
		require.EqualValues(t, 6, p.Stats().Outcomes[pool.Succeeded])

		require.NoError(t, p.Resize(3), "its place opens again")
		synctest.Wait()
		require.Equal(t, 2, p.Workers())
		broken = false
		require.NoError(t, p.Resize(3))
		require.NoError(t, p.Ready(context.Background()))
		require.Equal(t, 3, p.Workers())
	})
}

func TestPoolWithItsMinimumOfWorkersBreaksInsteadOfStoppingOne(t *testing.T) {
	for name, opts := range map[string][]pool.Option{
		"by default 1": {pool.WithWorkers(2)},
		"as set":       {pool.WithWorkers(4), pool.WithMinWorkers(3)},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append(opts, pool.WithSupervision(pool.Supervision{
					MaxRestarts: 1, Within: time.Hour, Exceeded: pool.Stop,
				}))...)
				before := p.Workers()
				for range 2 {
					pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { panic("boom") })
					synctest.Wait()
				}
				require.Equal(t, before-1, p.Workers(), "one restart, then a stop")
				pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { panic("boom") })
				synctest.Wait()
				err := errOf(t, pool.ApplyAsync(context.Background(), p, value(1)))
				require.ErrorIs(t, err, pool.ErrBroken)
				require.ErrorIs(t, err, pool.ErrTooManyRestarts)
				require.ErrorContains(t, err, fmt.Sprintf("would have been stopped, but no fewer than %d may remain", before-1))
			})
		})
	}
}

func TestWhatWaitsForAStoppedWorkerAloneEndsWithItsFailure(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.RoundRobin), pool.WithSupervision(pool.Supervision{
			Decide: func(pool.Failure) pool.Directive { return pool.Stop },
		}))
		boom := errors.New("boom")
		one := occupy(t, p)
		bad := pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { time.Sleep(time.Second); panic(boom) })
		synctest.Wait()
		everywhere := pool.BroadcastAsync(context.Background(), p, value(1))
		routed := []*pool.AsyncResult[int]{}
		for range 4 {
			routed = append(routed, pool.ApplyAsync(context.Background(), p, value(1)))
		}
		require.ErrorIs(t, errOf(t, bad), boom)
		close(one.open)
		for _, r := range routed {
			_, err := r.Get(context.Background())
			require.NoError(t, err, "anybody could run it")
		}
		err := errOf(t, everywhere)
		require.ErrorIs(t, err, boom)
		require.ErrorContains(t, err, "worker-2 was stopped")
	})
}
