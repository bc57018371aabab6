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

func TestWorkerBeginsAnewAfterSoManyTasks(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		c := newConnections()
		p := newPool(t, pool.WithWorkers(1), pool.WithMaxTasksPerWorker(3), pool.WithState(
			func(ctx context.Context) (*connection, error) {
				time.Sleep(time.Nanosecond) // until somebody has subscribed
				return c.connect(ctx)
			}, (*connection).Close))
		events := p.Events(t.Context())
		var numbers []int
		for range 3 {
			v, err := pool.Apply(context.Background(), p, number) // in no borrowed place
			require.NoError(t, err)
			numbers = append(numbers, v)
		}
		var results []*pool.AsyncResult[int]
		for range 7 { // together
			results = append(results, pool.ApplyAsync(t.Context(), p, number))
		}
		for _, r := range results {
			v, err := r.Get(hour(t))
			require.NoError(t, err)
			numbers = append(numbers, v)
		}
		require.Equal(t, []int{1, 1, 1, 2, 2, 2, 3, 3, 3, 4}, numbers)
		synctest.Wait()
		require.EqualValues(t, 3, p.Stats().Recycled)
		require.Zero(t, p.Stats().Restarts)
		_, open := c.howMany()
		require.Equal(t, 1, open)
		require.NoError(t, p.Shutdown(hour(t)))
		require.Equal(t, []string{
			"worker started1", "worker recycled1", "worker recycled1", "worker recycled1", "pool closing", "worker stopped1", "pool closed",
		}, kinds(t, events))
	})
}

func TestWorkerThatIsRecycledLosesNothingOfItsBatch(t *testing.T) {
	for name, routing := range map[string]func() pool.Strategy{"shared queue": pool.SharedQueue, "round robin": pool.RoundRobin} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(3), pool.WithMaxTasksPerWorker(7), pool.WithRouting(routing))
				var results []pool.Awaitable
				for range 400 {
					results = append(results, pool.ApplyAsync(t.Context(), p, value(1)))
				}
				for _, r := range pool.ApplyEach(t.Context(), p, double, make([]int, 100)) {
					results = append(results, r)
				}
				_, pending, err := pool.WaitFor(hour(t), pool.AllCompleted, results...)
				require.NoError(t, err)
				require.Empty(t, pending)
				squares, err := pool.Map(t.Context(), p, double, make([]int, 100), pool.WithChunkSize(1))
				require.NoError(t, err)
				require.Len(t, squares, 100)
				synctest.Wait()
				require.GreaterOrEqual(t, p.Stats().Recycled, int64(500/7-3))
			})
		})
	}
}

func TestWorkerBeginsAnewWhenItIsOldAndHasRunATask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		c := newConnections()
		p := newPool(t, pool.WithWorkers(1), pool.WithMaxWorkerAge(time.Minute), pool.WithState(c.connect, (*connection).Close))
		var numbers []int
		for range 6 {
			v, err := pool.Apply(hour(t), p, number)
			require.NoError(t, err)
			numbers = append(numbers, v)
			time.Sleep(25 * time.Second)
		}
		require.Equal(t, []int{1, 1, 1, 1, 2, 2}, numbers, "at 75 s it has run its last one")
		time.Sleep(time.Hour)
		require.EqualValues(t, 1, p.Stats().Recycled, "an idle worker grows old undisturbed")
	})
}

func TestFailingWorkerBeginsToCountAnew(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		c := newConnections()
		p := newPool(t, pool.WithWorkers(1), pool.WithMaxTasksPerWorker(2), pool.WithState(c.connect, (*connection).Close))
		_, err := pool.Apply(hour(t), p, boom)
		require.Error(t, err)
		var numbers []int
		for range 3 {
			v, err := pool.Apply(hour(t), p, number)
			require.NoError(t, err)
			numbers = append(numbers, v)
		}
		require.Equal(t, []int{2, 2, 3}, numbers)
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Restarts)
		require.EqualValues(t, 1, p.Stats().Recycled)
	})
}
