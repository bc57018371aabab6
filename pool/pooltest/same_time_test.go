package pooltest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// rushHour has a pool in which much falls due at one time: contexts, run timeouts,
// functions that sleep, hooks that do.
func rushHour(k *pooltest.Kit) {
	p := k.Pool(
		pool.WithWorkers(6), pool.WithQueueLimit(3), pool.WithRouting(pool.KeyOrdered),
		pool.WithOverrunAfter(time.Second), pool.WithReplacements(2), pool.WithInitializerTimeout(time.Second),
		pool.WithState(func(context.Context) (int, error) {
			time.Sleep(time.Second / 2)
			k.Yield()
			return 1, nil
		}, func(int) error {
			time.Sleep(time.Second)
			k.Yield()
			return nil
		}),
	)
	sleep := func(context.Context) (int, error) {
		time.Sleep(3 * time.Second)
		k.Yield()
		return 1, nil
	}
	ctx, cancel := context.WithTimeout(k.Context(), 2*time.Second)
	defer cancel()
	for range 3 {
		p.Events(ctx)
	}
	group := pool.NewGroup(ctx, p, pool.WithGroupLimit(2))
	var results []*pool.AsyncResult[int]
	for i := range 6 {
		results = append(results,
			pool.ApplyAsync(ctx, p, sleep, pool.WithKey(fmt.Sprint(i%3))),
			pool.ApplyAsync(k.Context(), p, sleep, pool.WithRunTimeout(time.Second)),
			pool.GroupAsync(ctx, group, sleep),
		)
	}
	for i := range 3 {
		k.Go(fmt.Sprint("waiter ", i), func() {
			_, _, _ = pool.WaitFor(ctx, pool.FirstCompleted, results[i], results[i+3])
			_ = results[i].Wait(ctx)
			_, _ = pool.Map(ctx, p, func(ctx context.Context, i int) (int, error) { return sleep(ctx) }, []int{1, 2, 3})
		})
	}
	k.Advance(3 * time.Second)
	p.Terminate()
	for _, r := range results {
		_ = r.Wait(k.Context())
	}
	require.NoError(k, p.Join(k.Context()))
}

// What comes at one time comes in an order of its own each time the test runs; the
// trace must not depend on it.
func TestSameSeedGivesTheSameTraceWhenMuchComesAtOneTime(t *testing.T) {
	for _, s := range []pooltest.Strategy{pooltest.PCT, pooltest.RandomWalk} {
		for seed := range uint64(3) {
			for range 2 {
				trace, failed := pooltest.TraceOf(t, s, seed+1, rushHour)
				require.False(t, failed)
				name := fmt.Sprint("rush hour ", s, seed)
				before, _ := seen.LoadOrStore(name, trace.String())
				require.Equal(t, before, trace.String(), name)
			}
		}
	}
}
