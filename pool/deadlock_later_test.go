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

// These are cycles that something else closes than a wait: when the last of the waits
// began, there was a way out.

// A queue that is above its limit, for a task has submitted there, has no room when one task
// has left; and what is left there is for a worker that waits.
func TestWaitForRoomThatOnlyAWaitingWorkerCanMakeIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.RoundRobin), pool.WithQueueLimit(1)), newPool(t, pool.WithWorkers(1))
		g := newGate()
		full := make(chan struct{})
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { // worker 1
			<-full
			pool.ApplyAsync(ctx, p, value(1)) // worker 2
			pool.ApplyAsync(ctx, p, value(1)) // worker 1
			return pool.Apply(ctx, q, func(ctx context.Context) (int, error) { return pool.Apply(ctx, p, value(1)) })
		})
		pool.ApplyAsync(t.Context(), p, g.task)   // worker 2
		pool.ApplyAsync(t.Context(), p, value(1)) // worker 1
		close(full)
		t.Idle()
		close(g.open)
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

// A paused pool has less room; there is some again when it is resumed.
func TestWaitForRoomInAPausedPoolIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.RoundRobin), pool.WithQueueLimit(1)), newPool(t, pool.WithWorkers(1))
		full := make(chan struct{})
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { // worker 1
			<-full
			return pool.Apply(ctx, q, func(ctx context.Context) (int, error) { return pool.Apply(ctx, p, value(7)) })
		})
		pool.ApplyAsync(t.Context(), p, value(1)) // worker 2
		t.Idle()
		require.True(t, p.Pause())
		pool.ApplyAsync(t.Context(), p, value(1)) // worker 1
		close(full)
		t.Idle()
		p.Resume()
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 7, v)
	})
}

// There is room for a moment, but another one has waited longer for it.
func TestWaitForRoomThatSomebodyElseTakesIsADeadlock(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 30}, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1)), newPool(t, pool.WithWorkers(1))
		g := newGate()
		waits, needs := make(chan *pool.AsyncResult[int], 1), make(chan *pool.AsyncResult[int], 1)
		pool.ApplyAsync(t.Context(), p, g.task)
		pool.ApplyAsync(t.Context(), p, value(1))
		t.Go("first", func() {
			waits <- pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return (<-needs).Get(ctx) })
		})
		t.Idle()
		t.Go("second", func() { pool.ApplyAsync(t.Context(), p, value(1)) })
		t.Idle()
		needs <- pool.ApplyAsync(t.Context(), q, func(ctx context.Context) (int, error) { return pool.Apply(ctx, p, value(1)) })
		t.Idle()
		close(g.open)
		time.Sleep(time.Hour)
		require.True(t, (<-waits).Ready())
	})
}

// The worker that could make room has ended its task, but the function of that goes on.
func TestWaitForRoomBehindACancelledFunctionIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0))
		r := behindACancelledFunction(t, p, q, func(ctx context.Context) error { _, err := pool.Apply(ctx, q, value(1)); return err })
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

func TestJoinBehindACancelledFunctionIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(1))
		r := behindACancelledFunction(t, p, q, func(ctx context.Context) error { q.Close(); return q.Join(ctx) })
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

// behindACancelledFunction has a task of p wait for something of q while the worker there
// waits for that task, in the function of a task that was cancelled.
func behindACancelledFunction(t *pooltest.Kit, p, q *pool.Pool, wait func(context.Context) error) *pool.AsyncResult[int] {
	self := make(chan *pool.AsyncResult[int], 1)
	r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
		me := <-self
		x := pool.ApplyAsync(ctx, q, func(ctx context.Context) (int, error) { return me.Get(context.WithoutCancel(ctx)) })
		time.Sleep(time.Second)
		x.Cancel()
		time.Sleep(time.Second)
		return 0, wait(ctx)
	})
	self <- r
	return r
}

func TestCancelledFunctionThatWaitsForWhatIsBehindItIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(1))
		needs := make(chan *pool.AsyncResult[int], 1)
		waited := make(chan error, 1)
		x := pool.ApplyAsync(t.Context(), q, func(ctx context.Context) (int, error) {
			r := <-needs
			time.Sleep(time.Minute)
			_, err := r.Get(context.WithoutCancel(ctx))
			waited <- err
			return 0, err
		})
		t.Idle()
		behind := pool.ApplyAsync(t.Context(), q, value(7))
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return behind.Get(ctx) })
		needs <- r
		x.Cancel()
		require.ErrorIs(t, <-waited, pool.ErrDeadlock, "there is nobody else to give up")
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 7, v)
	})
}

// While the first of a key rests, the second waits for that; then for a worker.
func TestKeyThatARestingTaskLetsGoCanCloseACycle(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1), pool.WithRouting(pool.KeyOrdered)), newPool(t, pool.WithWorkers(1))
		fails := func(context.Context) (int, error) { return 0, errors.New("again") }
		first := pool.ApplyAsync(t.Context(), p, fails, pool.WithKey("key"), pool.WithRetry(pool.Retry{Attempts: 2, MinBackoff: time.Hour, MaxBackoff: time.Hour}))
		t.Idle()
		second := pool.ApplyAsync(t.Context(), p, value(2), pool.WithKey("key"))
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			return pool.Apply(ctx, q, func(ctx context.Context) (int, error) { return second.Get(ctx) })
		})
		t.Idle()
		require.True(t, first.Cancel())
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

// The first of a key runs on a worker that has to leave after it, so that the second waits
// for the other one.
func TestKeyOfATaskOnAClosedPlaceCanCloseACycle(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.KeyOrdered)), newPool(t, pool.WithWorkers(1))
		g := newGate()
		needs := make(chan *pool.AsyncResult[int], 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { // worker 1
			second := <-needs
			return pool.Apply(ctx, q, func(ctx context.Context) (int, error) { return second.Get(ctx) })
		})
		t.Idle()
		pool.ApplyAsync(t.Context(), p, g.task, pool.WithKey("key")) // worker 2
		<-g.started
		needs <- pool.ApplyAsync(t.Context(), p, value(2), pool.WithKey("key"))
		t.Idle()
		require.NoError(t, p.Resize(1))
		t.Idle()
		close(g.open)
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

// The cycle leads through no task that has a worker, but through one that runs in the place
// of a task that has given up waiting for it.
func TestWaitForRoomBehindTheKeyOfAnOrphanIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.KeyOrdered), pool.WithQueueLimit(1)), newPool(t, pool.WithWorkers(1))
		host, other := newGate(), newGate()
		orphans := make(chan *pool.AsyncResult[int], 1)
		pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { // worker 1
			<-other.started
			orphan := pool.ApplyAsync(context.WithoutCancel(ctx), p, func(ctx context.Context) (int, error) {
				time.Sleep(time.Minute)
				for range 3 {
					pool.ApplyAsync(ctx, p, value(1), pool.WithKey("key"))
				}
				pool.ApplyAsync(ctx, p, value(1))
				return pool.Apply(ctx, q, func(ctx context.Context) (int, error) { return pool.Apply(ctx, p, value(1)) })
			}, pool.WithKey("key"))
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_ = orphan.Wait(short)
			orphans <- orphan
			_, err := host.task(ctx)
			return 0, err
		})
		pool.ApplyAsync(t.Context(), p, other.task) // worker 2
		orphan := <-orphans
		time.Sleep(5 * time.Minute)
		close(other.open)
		_, err := orphan.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
		close(host.open)
	})
}

// Of a task that waits in two goroutines only the wait that cannot end is broken.
func TestWaitOfACycleMemberThatWillEndIsNotBroken(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(2)), newPool(t, pool.WithWorkers(1))
		full := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0))
		other, busy := newGate(), newGate()
		pool.ApplyAsync(t.Context(), full, busy.task)
		<-busy.started
		room := make(chan error, 1)
		needs := make(chan *pool.AsyncResult[int], 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { // worker 1
			queued := <-needs
			go func() { _, err := pool.ApplyAsync(ctx, full, value(1)).Get(t.Context()); room <- err }()
			time.Sleep(time.Second)
			v, err := pool.Apply(ctx, q, func(ctx context.Context) (int, error) { return queued.Get(ctx) })
			room <- <-room
			return v, err
		})
		t.Idle()
		pool.ApplyAsync(t.Context(), p, other.task) // worker 2
		<-other.started
		needs <- pool.ApplyAsync(t.Context(), p, value(2))
		time.Sleep(time.Minute)
		require.NoError(t, p.Resize(1)) // now what is queued is for worker 1
		time.Sleep(time.Minute)
		close(busy.open)
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
		require.NoError(t, <-room)
		close(other.open)
	})
}

// The runner of a map leaves the rest to another one, for its place was closed; and that one
// is for a worker that waits for the map.
func TestRestOfAMapForAWorkerThatWaitsIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(2))
		self := make(chan *pool.AsyncResult[int], 1)
		x := pool.ApplyAsync(t.Context(), q, func(ctx context.Context) (int, error) { return (<-self).Get(ctx) }) // worker 1
		t.Idle()
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			_, err := pool.Map(ctx, q, func(_ context.Context, n int) (int, error) { // worker 2
				if n > 1 {
					return n, nil
				}
				time.Sleep(time.Minute)
				return n, q.Resize(1)
			}, []int{1, 2, 3}, pool.WithChunkSize(1))
			return 0, err
		})
		self <- r
		_, err := r.Get(t.Context())
		_, waited := x.Get(t.Context())
		require.ErrorIs(t, errors.Join(err, waited), pool.ErrDeadlock)
	})
}
