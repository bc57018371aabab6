package pooltest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// busy uses most of what a pool offers.
func busy(k *pooltest.Kit) {
	p := k.Pool(
		pool.WithWorkers(3), pool.WithQueueLimit(4), pool.WithRouting(pool.Random),
		pool.WithSupervision(pool.Supervision{MinBackoff: time.Second, MaxBackoff: time.Minute, Jitter: 0.5}),
		pool.WithIdleTimeout(time.Minute),
	)
	ctx := k.Context()
	fails := errors.New("fails")
	var results []*pool.AsyncResult[int]
	for i := range 8 {
		results = append(results, pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) {
			switch i {
			case 1:
				panic("boo")
			case 2, 6:
				k.Sleep(time.Second)
			case 3:
				return pool.Apply(ctx, p, func(context.Context) (int, error) { return i, nil })
			case 4:
				return 0, fails
			}
			return i, nil
		}, pool.WithRetry(pool.Retry{Attempts: 2, MinBackoff: time.Second, MaxBackoff: time.Second})))
	}
	for i := range 3 { // which end at the same instant
		k.AfterFunc("timer", time.Second, func() { _ = p.Go(context.Background(), func() {}) })
		slow := func(ctx context.Context) (int, error) { <-ctx.Done(); return i, ctx.Err() }
		results = append(results, pool.ApplyAsync(ctx, p, slow, pool.WithTimeout(time.Second)))
	}
	k.Go("resizer", func() { _ = p.Resize(2) })
	k.Go("canceller", func() { results[5].Cancel() })
	squares, err := pool.Map(ctx, p, func(_ context.Context, i int) (int, error) { return i * i, nil }, []int{1, 2, 3, 4, 5})
	require.NoError(k, err)
	require.Equal(k, []int{1, 4, 9, 16, 25}, squares)
	for v, err := range pool.IMap(ctx, p, func(_ context.Context, i int) (int, error) { return i, nil }, slices.Values([]int{1, 2, 3})).All() {
		require.NoError(k, err)
		require.NotZero(k, v)
	}
	for _, r := range results {
		_ = r.Wait(ctx)
	}
	k.Advance(2 * time.Minute)
	p.Close()
	require.NoError(k, p.Join(ctx))
}

// seen is what the runs of the test before, with other numbers of processors, had.
var seen sync.Map

func TestSameSeedGivesTheSameTrace(t *testing.T) {
	for _, s := range []pooltest.Strategy{pooltest.PCT, pooltest.RandomWalk} {
		different := map[string]bool{}
		for seed := range uint64(10) {
			trace, failed := pooltest.TraceOf(t, s, seed+1, busy)
			require.False(t, failed)
			name := fmt.Sprint(s, seed)
			before, _ := seen.LoadOrStore(name, trace.String())
			require.Equal(t, before, trace.String(), name)
			different[trace.String()] = true
		}
		require.Len(t, different, 10, "each seed has an order of its own")
	}
}
