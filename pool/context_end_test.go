package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// A function that waits for its context returns in the moment in which that ends the task.
// Whichever of the two comes first, and whatever it returns, the outcome is the same.
func TestTaskWhoseContextHasEndedHasThatEnd(t *testing.T) {
	type submit = func(p *pool.Pool, fn func(context.Context) (int, error)) *pool.AsyncResult[int]
	own := errors.New("own")
	ends := map[string]struct {
		submit submit
		err    error
	}{
		"timeout": {func(p *pool.Pool, fn func(context.Context) (int, error)) *pool.AsyncResult[int] {
			return pool.ApplyAsync(context.Background(), p, fn, pool.WithTimeout(time.Second))
		}, pool.ErrTimeout},
		"run timeout": {func(p *pool.Pool, fn func(context.Context) (int, error)) *pool.AsyncResult[int] {
			return pool.ApplyAsync(context.Background(), p, fn, pool.WithRunTimeout(time.Second))
		}, pool.ErrTimeout},
		"deadline of the context": {func(p *pool.Pool, fn func(context.Context) (int, error)) *pool.AsyncResult[int] {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			context.AfterFunc(ctx, cancel)
			return pool.ApplyAsync(ctx, p, fn)
		}, pool.ErrTimeout},
		"context that is cancelled": {func(p *pool.Pool, fn func(context.Context) (int, error)) *pool.AsyncResult[int] {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(time.Second, cancel)
			return pool.ApplyAsync(ctx, p, fn)
		}, pool.ErrCancelled},
		"cancelled group": {func(p *pool.Pool, fn func(context.Context) (int, error)) *pool.AsyncResult[int] {
			g := pool.NewGroup(context.Background(), p)
			time.AfterFunc(time.Second, g.Cancel)
			return pool.GroupAsync(context.Background(), g, fn)
		}, pool.ErrCancelled},
		"with a retry": {func(p *pool.Pool, fn func(context.Context) (int, error)) *pool.AsyncResult[int] {
			return pool.ApplyAsync(context.Background(), p, fn, pool.WithTimeout(time.Second), twice())
		}, pool.ErrTimeout},
	}
	returns := map[string]func(context.Context) (int, error){
		"a value":             func(ctx context.Context) (int, error) { <-ctx.Done(); return 1, nil },
		"an error of its own": func(ctx context.Context) (int, error) { <-ctx.Done(); return 1, own },
		"that of its context": func(ctx context.Context) (int, error) { <-ctx.Done(); return 1, ctx.Err() },
		"the cause of that":   func(ctx context.Context) (int, error) { <-ctx.Done(); return 1, context.Cause(ctx) },
	}
	for end, c := range ends {
		for what, fn := range returns {
			t.Run(end+"/"+what, func(t *testing.T) {
				pooltest.Run(t, func(t *pooltest.Kit) {
					p := newPool(t, pool.WithWorkers(2))
					for range 20 {
						v, err := c.submit(p, fn).Get(context.Background())
						require.ErrorIs(t, err, c.err)
						require.Zero(t, v)
					}
					synctest.Wait()
					require.Zero(t, p.Stats().Retried)
				})
			})
		}
	}
}

func TestCauseOfATimeoutIsErrTimeout(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		causes := make(chan error, 3)
		fn := func(ctx context.Context) (int, error) { <-ctx.Done(); causes <- context.Cause(ctx); return 0, nil }
		for _, o := range []pool.TaskOption{pool.WithTimeout(time.Second), pool.WithRunTimeout(time.Second)} {
			require.ErrorIs(t, errOf(t, pool.ApplyAsync(context.Background(), p, fn, o)), pool.ErrTimeout)
			require.ErrorIs(t, <-causes, pool.ErrTimeout)
		}
		future := systemOf(t).Root.RequestFuture(p.PID(), &messages.Task{
			Func: func(ctx context.Context) (any, error) { return fn(ctx) }, Timeout: time.Second,
		}, time.Minute)
		result, err := future.Result()
		require.NoError(t, err)
		require.Equal(t, pool.TimedOut, result.(*messages.Result).Outcome)
		require.ErrorIs(t, <-causes, pool.ErrTimeout)
	})
}

// An attempt that fails for its own reasons when the time of its task is over is the last.
func TestTaskWhoseTimeIsOverIsNotTriedAgain(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		for range 50 {
			begun := 0
			r := pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (int, error) {
				require.NoError(t, ctx.Err(), "no attempt begins then")
				if begun++; begun == 2 {
					<-ctx.Done()
				}
				return 0, errors.New("own")
			}, pool.WithTimeout(time.Second), pool.WithRetry(pool.Retry{Attempts: 9}))
			require.ErrorIs(t, errOf(t, r), pool.ErrTimeout)
			synctest.Wait()
			require.Equal(t, 2, begun)
		}
		require.EqualValues(t, 50, p.Stats().Retried)
	})
}
