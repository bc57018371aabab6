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

func TestRunTimeoutCountsFromTheStart(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := occupy(t, p)
		var cause error
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			require.ErrorIs(t, ctx.Err(), context.Canceled)
			cause = context.Cause(ctx)
			return 1, nil
		}, pool.WithRunTimeout(time.Second))
		time.Sleep(time.Hour)
		require.False(t, r.Ready(), "it waits")
		begin := time.Now()
		close(g.open)
		require.ErrorIs(t, errOf(t, r), pool.ErrTimeout)
		require.Equal(t, time.Second, time.Since(begin))
		outcome, _ := r.Outcome()
		require.Equal(t, pool.TimedOut, outcome)
		synctest.Wait()
		require.ErrorIs(t, cause, pool.ErrTimeout)
		require.EqualValues(t, 1, p.Stats().Late)
	})
}

func TestRunTimeoutHoldsWhereverTheFunctionRuns(t *testing.T) {
	for name, c := range map[string]struct {
		opts []pool.Option
		call func(p *pool.Pool) error
	}{
		"on a worker": {nil, func(p *pool.Pool) error {
			return errOfApply(pool.ApplyAsync(context.Background(), p, stuck, pool.WithRunTimeout(time.Second)).Get(context.Background()))
		}},
		"Apply": {nil, func(p *pool.Pool) error {
			return errOfApply(pool.Apply(context.Background(), p, stuck, pool.WithRunTimeout(time.Second)))
		}},
		"in place": {nil, func(p *pool.Pool) error {
			return errOfApply(pool.Apply(context.Background(), p, func(ctx context.Context) (int, error) {
				return pool.Apply(ctx, p, stuck, pool.WithRunTimeout(time.Second))
			}))
		}},
		"on the caller": {[]pool.Option{pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.CallerRuns)}, func(p *pool.Pool) error {
			pool.ApplyAsync(context.Background(), p, stuck)
			return errOfApply(pool.Apply(context.Background(), p, stuck, pool.WithRunTimeout(time.Second)))
		}},
		"with a key": {[]pool.Option{pool.WithRouting(pool.KeyOrdered)}, func(p *pool.Pool) error {
			return errOfApply(pool.Apply(context.Background(), p, stuck, pool.WithRunTimeout(time.Second), pool.WithKey("k")))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append([]pool.Option{pool.WithWorkers(1)}, c.opts...)...)
				require.ErrorIs(t, c.call(p), pool.ErrTimeout)
			})
		})
	}
}

func errOfApply(_ int, err error) error { return err }

func TestFunctionThatReturnsInTimeHasItsOwnEnd(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		for _, fn := range []func(context.Context) (int, error){boom, value(1)} {
			r := pool.ApplyAsync(t.Context(), p, fn, pool.WithRunTimeout(time.Second))
			require.NotErrorIs(t, errOf(t, r), pool.ErrTimeout)
		}
		time.Sleep(time.Hour)
		require.Zero(t, p.Stats().Late)
		err := errOf(t, pool.ApplyAsync(t.Context(), p, value(1), pool.WithRunTimeout(0)))
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, "WithRunTimeout: 0s is not positive")
	})
}
