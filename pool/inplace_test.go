package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestTimeoutOfATaskRunInPlaceEndsItsGet(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			deaf := pool.ApplyAsync(ctx, p, g.deaf, pool.WithTimeout(time.Second))
			_, err := deaf.Get(ctx) // its result ends after a second
			require.True(t, deaf.Ready())
			return 0, err
		})
		_, err := r.Get(hour(t))
		close(g.open)
		require.ErrorIs(t, err, pool.ErrTimeout)
	})
}

func TestFirstCompletedReturnsAtTheFirst(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { time.Sleep(time.Second); return 0, nil })
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			slow := pool.ApplyAsync(ctx, p, g.deaf)
			fast := pool.ApplyAsync(ctx, p, value(1))
			done, _, err := pool.WaitFor(ctx, pool.FirstCompleted, slow, fast)
			close(g.open)
			return len(done), err
		})
		v, err := r.Get(hour(t))
		if err != nil {
			close(g.open)
		}
		require.NoError(t, err, "runs the slow one in place and does not look up when the other is done")
		require.Equal(t, 1, v)
	})
}
