package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// A task waits for a map, the only worker at which fails and goes on with a task that
// waits for the first.
func TestLossOfTheLastRunnerThatCouldGoOnLeavesNobodyWaiting(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		self := make(chan *pool.AsyncResult[int], 1)
		var late *pool.AsyncResult[int]
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { // on worker 1
			me := <-self
			g := occupy(t, p)                                                                                // worker 2
			orphan := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) { return me.Get(ctx) }) // in place, for good
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_ = orphan.Wait(short)
			close(g.open)
			_, err := pool.Map(ctx, p, func(_ context.Context, n int) (int, error) {
				if n == 0 {
					late = pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (int, error) { return me.Get(ctx) })
				}
				time.Sleep(time.Second)
				panic("boom")
			}, []int{0, 1, 2, 3}, pool.WithChunkSize(1))
			return 0, err
		})
		self <- r
		_, err := r.Get(hour(t))
		require.Error(t, err)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		_, err = late.Get(hour(t))
		require.Error(t, err)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
	})
}
