package pool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// TestTroubledTasksOnOneWorkerAllReachAnEnd mixes nesting, panics, Goexit, cancelling and
// errors in ten thousand tasks, fewer with the race detector, and terminates the pool in
// the midst of it.
func TestTroubledTasksOnOneWorkerAllReachAnEnd(t *testing.T) {
	tasks, submitters := 10_000, 8
	if withRace() {
		tasks /= 20
	}
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(64))
		var mu sync.Mutex
		var results []*pool.AsyncResult[int]
		keep := func(r *pool.AsyncResult[int]) *pool.AsyncResult[int] {
			mu.Lock()
			defer mu.Unlock()
			results = append(results, r)
			return r
		}
		var trouble func(random *rand.Rand, depth int) func(context.Context) (int, error)
		trouble = func(random *rand.Rand, depth int) func(context.Context) (int, error) {
			choice, seed := random.IntN(10), random.Uint64()
			return func(ctx context.Context) (int, error) {
				random := rand.New(rand.NewPCG(seed, 0))
				switch {
				case choice == 0:
					panic("boom")
				case choice == 1:
					runtime.Goexit()
				case choice == 2:
					return 0, errors.New("mine")
				case depth == 0 || choice < 6:
					return 1, ctx.Err()
				case choice == 6:
					r := keep(pool.ApplyAsync(ctx, p, trouble(random, depth-1)))
					r.Cancel()
					return r.Get(ctx)
				case choice == 7:
					_, err := pool.Map(ctx, p, func(ctx context.Context, _ int) (int, error) {
						return trouble(random, 0)(ctx)
					}, []int{1, 2, 3})
					return 0, err
				case choice == 8:
					for _, err := range pool.IMap(ctx, p, double, seq(1, 2, 3)).All() {
						if err != nil {
							return 0, err
						}
					}
					return 0, nil
				}
				a := keep(pool.ApplyAsync(ctx, p, trouble(random, depth-1)))
				b := keep(pool.ApplyAsync(ctx, p, trouble(random, depth-1)))
				_, _ = b.Get(ctx)
				return a.Get(ctx)
			}
		}

		var wg sync.WaitGroup
		for i := range submitters {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(i)))
				for n := range tasks / submitters {
					ctx, cancel := context.WithCancel(t.Context())
					r := keep(pool.ApplyAsync(ctx, p, trouble(random, 3)))
					if n%7 == 0 {
						cancel()
					}
					if n%3 == 0 {
						_ = r.Wait(t.Context())
					}
					if i == 0 && n == tasks/submitters-10 {
						p.Terminate()
					}
					t.Cleanup(cancel)
				}
			})
		}
		wg.Wait()
		require.NoError(t, p.Join(t.Context()))
		require.GreaterOrEqual(t, len(results), tasks)
		for _, r := range results {
			require.True(t, r.Ready())
		}
	})
}
