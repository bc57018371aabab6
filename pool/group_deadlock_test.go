package pool_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestTaskThatWaitsForItsOwnGroupIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(2))
		require.NoError(t, g.Go(t.Context(), func(ctx context.Context) error { return g.Wait(ctx) }))
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrDeadlock)
	})
}

func TestCycleThroughTheLimitOfAGroupIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		var held *pool.AsyncResult[int]
		made := make(chan struct{})
		stranger := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-made
			return held.Get(ctx) // behind the one that waits for this
		})
		first := pool.GroupAsync(t.Context(), g, func(ctx context.Context) (int, error) {
			<-made
			return stranger.Get(ctx)
		})
		held = pool.GroupAsync(t.Context(), g, value(7))
		close(made)
		_, err := first.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrDeadlock)
	})
}

// A task waits for one that is held behind four: one that is run in its place and waits for
// it, one that is in the queue, and two that have yet to get there. (The one that is run
// makes room for another.)
func TestCycleThroughATaskThatIsBeingQueuedIsADeadlock(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit int
		late  bool
	}{
		{"it waits for room", 2, false},
		{"it begins to wait for room when the others wait", 2, true},
		{"it enters the queue when the others wait", 4, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(c.limit))
				outer := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
				inner := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(4), pool.WithKeepGoing())
				var held *pool.AsyncResult[int]
				made := make(chan struct{})
				first := pool.GroupAsync(t.Context(), outer, func(ctx context.Context) (int, error) {
					<-made
					return held.Get(ctx)
				})
				t.Idle()
				inVain := pool.GroupAsync(t.Context(), inner, func(ctx context.Context) (int, error) { return 0, outer.Wait(ctx) })
				pool.GroupAsync(t.Context(), inner, value(1))
				ctx := slowContext{t.Context(), make(chan struct{})}
				for i := range 2 {
					t.Go("submitter", func() { pool.GroupAsync(ctx, inner, value(2), pool.WithTaskName(fmt.Sprint(i))) })
				}
				t.Idle()
				if !c.late {
					close(ctx.looked)
					t.Idle()
				}
				held = pool.GroupAsync(t.Context(), inner, value(7))
				close(made)
				t.Idle()
				if c.late {
					close(ctx.looked)
				}
				_, err := first.Get(t.Context())
				_, innerErr := inVain.Get(t.Context())
				require.ErrorIs(t, errors.Join(err, innerErr), pool.ErrDeadlock)
				_ = inner.Wait(t.Context())
			})
		})
	}
}

// A task at work lets in those that wait for room before one that it waits for, and so does
// not wait for itself.
func TestTaskThatIsLetInIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		var held *pool.AsyncResult[int]
		made := make(chan struct{})
		waits := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-made
			return held.Get(ctx)
		})
		t.Idle()
		pool.ApplyAsync(t.Context(), p, value(1)) // fills the queue
		t.Go("submitter", func() { pool.GroupAsync(t.Context(), g, value(2)) })
		t.Idle()
		held = pool.GroupAsync(t.Context(), g, value(7))
		close(made)
		v, err := waits.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 7, v)
		require.NoError(t, g.Wait(t.Context()))
	})
}

// The wait for room ends by itself, and with it the group, and so the waits of two tasks
// that wait for each other through it.
func TestCycleThroughAWaitForRoomWithADeadlineIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1))
		other := newPool(t, pool.WithWorkers(1))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		var held, second *pool.AsyncResult[int]
		made := make(chan struct{})
		first := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-made
			return second.Get(ctx)
		})
		t.Idle()
		pool.ApplyAsync(t.Context(), p, value(1)) // fills the queue
		t.Go("submitter", func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			pool.GroupAsync(ctx, g, value(2))
		})
		t.Idle()
		held = pool.GroupAsync(t.Context(), g, value(7))
		second = pool.ApplyAsync(t.Context(), other, func(ctx context.Context) (int, error) {
			<-made
			return held.Get(ctx)
		})
		close(made)
		for _, r := range []*pool.AsyncResult[int]{first, second} {
			_, err := r.Get(t.Context())
			require.Error(t, err)
			require.NotErrorIs(t, err, pool.ErrDeadlock)
		}
		require.Error(t, g.Wait(t.Context()))
		require.Equal(t, time.Second, t.Elapsed())
	})
}

// slowContext does not say what its end is before somebody lets it.
type slowContext struct {
	context.Context
	looked chan struct{}
}

func (c slowContext) Done() <-chan struct{} {
	<-c.looked
	return c.Context.Done()
}
