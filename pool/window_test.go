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

// A feeder that sleeps is not woken for each place; but a reader that has nothing
// left to read must not wait for it.
func TestWindowIsUsableToItsEnd(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(10))
		later := make(chan struct{})
		s := pool.IMapUnordered(t.Context(), p, func(ctx context.Context, n int) (int, error) {
			switch {
			case n == 8:
				close(later)
			case n > 0:
				select {
				case <-later:
				case <-ctx.Done():
					return 0, ctx.Err()
				}
			}
			return n, nil
		}, count(9), pool.WithWindow(8))
		synctest.Wait()
		for range 9 {
			_, err := s.Next(hour(t))
			if err != nil {
				s.Cancel()
			}
			require.NoError(t, err)
		}
	})
}

func TestDeadlockOfAReaderWithItsItemsIsFoundThoughTheFeederSleeps(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(10))
		var reader *pool.AsyncResult[int]
		set := make(chan struct{})
		reader = pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-set
			s := pool.IMapUnordered(ctx, p, func(ctx context.Context, n int) (int, error) {
				if n == 0 {
					return 0, nil
				}
				return reader.Get(ctx)
			}, count(1000), pool.WithWindow(8))
			time.Sleep(time.Second) // all of the window is in the hands of workers
			for n := 0; ; n++ {
				if _, err := s.Next(ctx); err != nil && n > 2 {
					s.Cancel()
					return n, err
				}
			}
		})
		close(set)
		require.NoError(t, reader.Wait(hour(t)))
		_, err := reader.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}
