package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestApplyEachGivesEachItemAResultOfItsOwn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		odd := errors.New("odd")
		items := make([]int, 1000)
		for i := range items {
			items[i] = i
		}
		results := pool.ApplyEach(t.Context(), p, func(_ context.Context, n int) (int, error) {
			switch {
			case n == 500:
				panic("five hundred")
			case n%2 == 1:
				return 0, odd
			}
			return 2 * n, nil
		}, items)
		require.Len(t, results, len(items))
		for i, r := range results {
			v, err := r.Get(hour(t))
			switch {
			case i == 500:
				require.ErrorAs(t, err, new(*pool.PanicError))
			case i%2 == 1:
				require.Equal(t, odd, err)
			default:
				require.NoError(t, err)
				require.Equal(t, 2*i, v)
			}
		}
		require.EqualValues(t, len(items), p.Stats().Accepted)
	})
}

func TestApplyEachSubmitsWithTheQueuesPolicyAndTheContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		items := make([]int, 100)
		full := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(10), pool.WithQueuePolicy(pool.Reject))
		occupy(t, full)
		refused := 0
		for _, r := range pool.ApplyEach(t.Context(), full, double, items) {
			if r.Ready() {
				_, err := r.Get(t.Context())
				require.ErrorIs(t, err, pool.ErrFull)
				refused++
			}
		}
		require.Equal(t, 90, refused)

		waits := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(10))
		for _, r := range pool.ApplyEach(t.Context(), waits, double, items) {
			require.NoError(t, r.Wait(hour(t)))
		}

		ctx, cancel := context.WithCancel(t.Context())
		busy := newPool(t, pool.WithWorkers(1))
		occupy(t, busy)
		pending := pool.ApplyEach(ctx, busy, double, items)
		require.True(t, pending[50].Cancel(), "alone")
		require.False(t, pending[51].Ready())
		cancel()
		synctest.Wait()
		for _, r := range append(pending, pool.ApplyEach(ctx, busy, double, items)...) {
			_, err := r.Get(t.Context())
			require.ErrorIs(t, err, pool.ErrCancelled)
		}
		require.Zero(t, busy.Stats().Waiting)
	})
}

func TestApplyEachTakesTheOptionsOfApplyAsync(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.KeyOrdered))
		var sum int
		results := pool.ApplyEach(t.Context(), p, double, []int{1, 2, 3},
			pool.WithCallback(func(n int) { sum += n }), pool.WithKey("key"), pool.WithTaskName("each"))
		for _, r := range results {
			require.NoError(t, r.Wait(hour(t)))
			require.Equal(t, "each", r.Name())
		}
		require.Equal(t, 12, sum)
		var none context.Context
		for _, r := range pool.ApplyEach(none, p, double, []int{1}) {
			require.ErrorIs(t, r.Wait(t.Context()), nil)
			_, err := r.Get(t.Context())
			require.ErrorIs(t, err, pool.ErrInvalid)
		}
		require.Empty(t, pool.ApplyEach(t.Context(), p, double, nil))
	})
}

// Results that share memory do not keep each other's arguments alive.
func TestApplyEachLetsGoOfItems(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		a := new(argument)
		items := []*argument{a}
		results := pool.ApplyEach(t.Context(), p, func(_ context.Context, a *argument) (int, error) { return len(a.content), nil }, items)
		w := weak.Make(a)
		a, items[0] = nil, nil
		require.NoError(t, results[0].Wait(t.Context()))
		synctest.Wait()
		require.True(t, collected(w))
		_, err := results[0].Get(t.Context())
		require.NoError(t, err)
	})
}
