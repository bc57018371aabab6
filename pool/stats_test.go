package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestStatsSayHowOldTheQueueIs(t *testing.T) {
	for name, routing := range routings {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithRouting(routing))
				var c crew
				require.Zero(t, p.Stats().Age)
				for range 10 { // one a second is done
					pool.ApplyAsync(context.Background(), p, c.work)
				}
				for i := range 9 {
					time.Sleep(time.Second)
					synctest.Wait()
					if p.Stats().Waiting > 0 && i > 1 {
						require.InDelta(t, float64(i+1)*time.Second.Seconds(), p.Stats().Age.Seconds(), 2)
						require.LessOrEqual(t, p.Stats().Age, time.Duration(i+1)*time.Second)
					}
				}
				time.Sleep(time.Minute)
				require.Zero(t, p.Stats().Age, "nothing waits")

				g := occupy(t, p) // and now nothing moves
				pool.ApplyAsync(context.Background(), p, value(1))
				require.Zero(t, p.Stats().Age)
				time.Sleep(time.Hour)
				require.Equal(t, time.Hour, p.Stats().Age)
				close(g.open)
			})
		})
	}
}

func TestWorkerStatsTellTheWorkersApart(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3), pool.WithName("crew"), pool.WithRouting(pool.RoundRobin))
		for range 4 {
			_, err := pool.Apply(context.Background(), p, value(1))
			require.NoError(t, err)
		}
		g := newGate()
		pool.ApplyAsync(context.Background(), p, g.deaf)
		<-g.started
		require.NoError(t, p.Resize(1))
		synctest.Wait()
		require.Equal(t, []pool.WorkerStats{
			{Name: "crew/worker-1", Started: true, Succeeded: 2},
			{Name: "crew/worker-2", Started: true, Busy: true, Leaving: true, Succeeded: 1},
		}, p.WorkerStats())
		close(g.open)
		synctest.Wait()
		require.Equal(t, []pool.WorkerStats{{Name: "crew/worker-1", Started: true, Succeeded: 2}}, p.WorkerStats())
		require.NoError(t, p.Resize(2))
		require.Equal(t, pool.WorkerStats{Name: "crew/worker-2", Succeeded: 2}, p.WorkerStats()[1])
	})
}
