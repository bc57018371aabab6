package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
)

// A task waits for a map, whose runner on another worker fails; what is left of the
// map is queued for the worker that the task itself holds.
func TestLossOfTheLastRunnerThatCouldGoOnIsSeenByWhoWaitsForTheMap(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.RoundRobin))
		self := make(chan *pool.AsyncResult[int], 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { // on worker 1
			me := <-self
			g := newGate()
			pool.ApplyAsync(ctx, p, g.task)                                                                  // on worker 2
			orphan := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) { return me.Get(ctx) }) // on worker 1, in place
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_ = orphan.Wait(short)
			close(g.open)
			_, err := pool.Map(ctx, p, func(_ context.Context, n int) (int, error) {
				time.Sleep(time.Second)
				panic("boom")
			}, []int{0, 1, 2, 3}, pool.WithChunkSize(1)) // its first runner on worker 2, the next on worker 1
			return 0, err
		})
		self <- r
		_, err := r.Get(hour(t))
		if err != nil {
			p.Terminate()
		}
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}
