package pool_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestCancelQueuedSparesWhatRuns(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		running := pool.ApplyAsync(t.Context(), p, g.task)
		<-g.started
		queued := pool.ApplyAsync(t.Context(), p, value(1))
		mapped := pool.MapAsync(t.Context(), p, double, []int{1, 2, 3})
		require.True(t, running.Running())
		require.False(t, queued.Running())
		require.False(t, mapped.Running())

		p.Close()
		require.Equal(t, 2, p.CancelQueued())
		require.Zero(t, p.CancelQueued(), "there is nothing left to cancel")
		require.True(t, running.Running())
		for _, r := range []pool.Awaitable{queued, mapped} {
			outcome, err := r.Outcome()
			require.NoError(t, err)
			require.Equal(t, pool.Cancelled, outcome)
		}
		_, err := queued.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		_, err = mapped.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)

		close(g.open)
		require.NoError(t, p.Join(t.Context()))
		v, err := running.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, "done", v)
		require.False(t, running.Running())
	})
}

func TestCancelQueuedLetsAMapFinishTheChunksInHand(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		started, open := make(chan int, 10), make(chan struct{})
		m := pool.MapAsync(t.Context(), p, func(ctx context.Context, n int) (int, error) {
			started <- n
			<-open
			return 2 * n, ctx.Err()
		}, []int{0, 1, 2, 3, 4, 5, 6}, pool.WithChunkSize(2))
		<-started
		<-started
		require.True(t, m.Running())
		require.Equal(t, 1, p.CancelQueued())
		require.False(t, m.Ready())
		close(open)
		got, err := m.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		var partial *pool.MapError
		require.ErrorAs(t, err, &partial)
		require.Equal(t, []bool{true, true, true, true, false, false, false}, partial.Completed)
		require.Equal(t, []int{0, 2, 4, 6, 0, 0, 0}, got)
		outcome, err := m.Outcome()
		require.NoError(t, err)
		require.Equal(t, pool.Cancelled, outcome)
	})
}

func TestCancelQueuedSparesWhatRunsOfAMapThatFailsFast(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		m := pool.MapAsync(t.Context(), p, func(ctx context.Context, n int) (int, error) {
			time.Sleep(time.Second)
			return n, ctx.Err()
		}, []int{7, 8, 9}, pool.WithChunkSize(1), pool.WithFailFast())
		time.Sleep(time.Second / 2)
		require.Equal(t, 1, p.CancelQueued())
		got, err := m.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		require.Equal(t, []int{7, 0, 0}, got)
	})
}

func TestCancelQueuedCutsABroadcastShort(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := occupy(t, p)
		b := pool.BroadcastAsync(t.Context(), p, value(7))
		synctest.Wait() // the free worker has had its call
		require.Equal(t, 1, p.CancelQueued())
		got, err := b.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		require.Contains(t, [][]int{{7, 0}, {0, 7}}, got)
		close(g.open)
		require.NoError(t, p.Shutdown(t.Context()))
	})
}

func TestCancelQueuedEndsAStreamBehindTheItemsInHand(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, imap := range []func(context.Context, *pool.Pool, func(context.Context, int) (int, error)) *pool.Stream[int]{
			func(ctx context.Context, p *pool.Pool, fn func(context.Context, int) (int, error)) *pool.Stream[int] {
				return pool.IMap(ctx, p, fn, count(1000))
			},
			func(ctx context.Context, p *pool.Pool, fn func(context.Context, int) (int, error)) *pool.Stream[int] {
				return pool.IMapUnordered(ctx, p, fn, count(1000))
			},
		} {
			p := newPool(t, pool.WithWorkers(2))
			var ran atomic.Int64
			open := make(chan struct{})
			s := imap(t.Context(), p, func(ctx context.Context, n int) (int, error) {
				ran.Add(1)
				<-open
				return n, ctx.Err()
			})
			synctest.Wait()
			p.Close()
			require.Equal(t, 1, p.CancelQueued())
			require.Zero(t, p.CancelQueued())
			close(open)
			for range 2 {
				_, err := s.Next(t.Context())
				require.NoError(t, err)
			}
			_, err := s.Next(t.Context())
			require.ErrorIs(t, err, pool.ErrCancelled)
			_, err = s.Next(t.Context())
			require.ErrorIs(t, err, pool.ErrStreamEnd)
			require.NoError(t, p.Join(t.Context()))
			require.EqualValues(t, 2, ran.Load())
			require.EqualValues(t, 1, p.Stats().Outcomes[pool.Cancelled])
		}
	})
}

func TestCancelQueuedKeepsThePlaceOfItemsThatAFailingChunkLeftBehind(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		first, second := occupy(t, p), occupy(t, p)
		open := make(chan struct{})
		s := pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) {
			switch n {
			case 0:
				time.Sleep(time.Second)
				panic("boom")
			case 3:
				<-open
			}
			return n, nil
		}, count(6), pool.WithChunkSize(3))
		synctest.Wait() // all are fed, so that chunks are whole
		close(first.open)
		close(second.open)
		time.Sleep(time.Second / 2)
		g := newGate() // takes the worker that fails
		pool.ApplyAsync(t.Context(), p, g.task)
		<-g.started
		synctest.Wait()
		require.NotZero(t, p.CancelQueued())
		close(open)
		close(g.open)
		var panicked *pool.PanicError
		_, err := s.Next(t.Context())
		require.ErrorAs(t, err, &panicked)
		for want := 1; want < 6; want++ {
			v, err := s.Next(t.Context())
			if want < 3 {
				var item *pool.ItemError
				require.ErrorAs(t, err, &item)
				require.Equal(t, want, item.Index)
				require.ErrorIs(t, err, pool.ErrCancelled)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want, v)
		}
		_, err = s.Next(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		_, err = s.Next(t.Context())
		require.ErrorIs(t, err, pool.ErrStreamEnd)
	})
}

func TestCancelQueuedCancelsMessagesThatWaitForRoom(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithActorSystem(system))
		g := occupy(t, p)
		for range 3 {
			request(system, p.PID(), me, &messages.Task{Func: func(context.Context) (any, error) { return 1, nil }})
		}
		synctest.Wait()
		require.Equal(t, 3, p.CancelQueued())
		for range 3 {
			require.ErrorIs(t, (<-received).(*messages.Result).Err, pool.ErrCancelled)
		}
		close(g.open)
	})
}
