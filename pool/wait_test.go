package pool_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// after is a task that takes so many seconds, and fails if it is told to.
func after(seconds int, err error) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		time.Sleep(time.Duration(seconds) * time.Second)
		return seconds, err
	}
}

func TestWaitForTheFirstTheFirstErrorOrAll(t *testing.T) {
	mine := errors.New("mine")
	for name, c := range map[string]struct {
		when pool.When
		took time.Duration
		done int
	}{
		"first": {pool.FirstCompleted, time.Second, 1},
		"error": {pool.FirstException, 2 * time.Second, 2},
		"all":   {pool.AllCompleted, 3 * time.Second, 3},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(3))
				begin := time.Now()
				three := pool.ApplyAsync(t.Context(), p, after(3, nil))
				one := pool.ApplyAsync(t.Context(), p, after(1, nil))
				two := pool.ApplyAsync(t.Context(), p, after(2, mine))
				done, pending, err := pool.WaitFor(t.Context(), c.when, three, one, two)
				require.NoError(t, err)
				require.Equal(t, c.took, time.Since(begin))
				require.Len(t, done, c.done)
				require.Len(t, pending, 3-c.done)
			})
		})
	}
}

func TestWaitForTheFirstErrorWaitsForAllIfThereIsNone(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		done, _, err := pool.WaitFor(t.Context(), pool.FirstException,
			pool.ApplyAsync(t.Context(), p, after(1, nil)), pool.ApplyAsync(t.Context(), p, after(2, nil)))
		require.NoError(t, err)
		require.Len(t, done, 2)
	})
}

func TestWaitForEndsWithItsContextAndSaysWhatIsDone(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		short, long := pool.ApplyAsync(t.Context(), p, after(1, nil)), pool.ApplyAsync(t.Context(), p, after(10, nil))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		done, pending, err := pool.WaitFor(ctx, pool.AllCompleted, short, long)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, []pool.Awaitable{short}, done)
		require.Equal(t, []pool.Awaitable{long}, pending)
	})
}

func TestAsCompletedGivesTheResultsInOrderOfCompletion(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		var results []*pool.AsyncResult[int]
		for _, seconds := range []int{3, 1, 2} {
			results = append(results, pool.ApplyAsync(t.Context(), p, after(seconds, nil)))
		}
		var got []int
		for r, err := range pool.AsCompleted(t.Context(), results...) {
			require.NoError(t, err)
			v, err := r.Get(t.Context())
			require.NoError(t, err)
			got = append(got, v)
		}
		require.Equal(t, []int{1, 2, 3}, got)
		got = nil
		for r := range pool.AsCompleted(t.Context(), results...) {
			v, _ := r.Get(t.Context())
			got = append(got, v)
		}
		require.Equal(t, []int{3, 1, 2}, got, "those that are ready come in the order given")
	})
}

func TestAsCompletedEndsWithItsContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n := 0
		for r, err := range pool.AsCompleted(ctx, pool.ApplyAsync(t.Context(), p, newGate().task)) {
			require.Nil(t, r)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			n++
		}
		require.Equal(t, 1, n)
	})
}
