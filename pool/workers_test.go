package pool_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestDefaultWorkersAreThoseTheProcessMayUse(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		require.Equal(t, runtime.GOMAXPROCS(0), newPool(t).Workers())
	})
}

func TestNoMoreTasksRunAtOnceThanThereAreWorkers(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		var running, most atomic.Int64
		begin := time.Now()
		for range 30 {
			pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) {
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Second)
				running.Add(-1)
				return 0, nil
			})
		}
		p.Close()
		require.NoError(t, p.Join(t.Context()))
		assert.EqualValues(t, 3, most.Load())
		assert.Equal(t, 10*time.Second, time.Since(begin), "all three were kept busy")
	})
}

func TestInitializerRunsOncePerWorkerBeforeItsFirstTask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var inits atomic.Int64
		p := newPool(t, pool.WithWorkers(4), pool.WithName("w"), pool.WithInitializer(func(ctx context.Context) error {
			time.Sleep(time.Second)
			inits.Add(1)
			assert.Contains(t, pool.WorkerName(ctx), "w/worker-")
			return nil
		}))
		begin := time.Now()
		require.NoError(t, p.Ready(t.Context()))
		require.Equal(t, time.Second, time.Since(begin))
		require.EqualValues(t, 4, inits.Load())
		_, err := pool.Map(t.Context(), p, double, []int{1, 2, 3, 4, 5})
		require.NoError(t, err)
		require.EqualValues(t, 4, inits.Load())
	})
}

func TestInitializerRunsAgainAfterARestart(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var inits atomic.Int64
		p := newPool(t, pool.WithWorkers(1), pool.WithInitializer(func(context.Context) error { inits.Add(1); return nil }))
		for i, fail := range []func(){func() { panic("boom") }, runtime.Goexit} {
			_, err := pool.Apply(t.Context(), p, func(context.Context) (int, error) { fail(); return 0, nil })
			require.Error(t, err)
			n, err := pool.Apply(t.Context(), p, func(context.Context) (int64, error) { return inits.Load(), nil })
			require.NoError(t, err)
			require.EqualValues(t, i+2, n)
		}
		require.EqualValues(t, 2, p.Stats().Restarts)
	})
}

func TestFailingInitializerBreaksThePool(t *testing.T) {
	cause := errors.New("no database")
	for name, init := range map[string]func(context.Context) error{
		"by an error":  func(context.Context) error { return cause },
		"by a panic":   func(context.Context) error { panic(cause) },
		"by a wrapped": func(context.Context) error { return &pool.ItemError{Err: cause} },
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				hold := make(chan struct{})
				p := newPool(t, pool.WithWorkers(2), pool.WithInitializer(func(ctx context.Context) error { <-hold; return init(ctx) }))
				early := pool.ApplyAsync(t.Context(), p, value(1))
				close(hold)
				_, err := early.Get(t.Context())
				require.ErrorIs(t, err, pool.ErrBroken)
				require.ErrorIs(t, err, cause, "the cause is wrapped")
				require.ErrorIs(t, p.Ready(t.Context()), cause)
				_, err = pool.Apply(t.Context(), p, value(1))
				require.ErrorIs(t, err, cause, "later tasks too")
				_, err = pool.Map(t.Context(), p, double, []int{1})
				require.ErrorIs(t, err, pool.ErrBroken)
				p.Close()
				require.NoError(t, p.Join(t.Context()))
			})
		})
	}
}

func TestInitializerThatExitsBreaksThePool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithInitializer(func(context.Context) error { runtime.Goexit(); return nil }))
		_, err := pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrBroken)
		require.ErrorIs(t, err, pool.ErrGoexit)
	})
}

func TestInitializerSeesTerminate(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithInitializer(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }))
		r := pool.ApplyAsync(t.Context(), p, value(1))
		synctest.Wait()
		p.Terminate()
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated, "not broken: the pool was on its way out")
		require.ErrorIs(t, p.Ready(t.Context()), pool.ErrClosed)
	})
}

func TestReadyEndsWithThePoolAndWithItsContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		hold := make(chan struct{})
		p := newPool(t, pool.WithInitializer(func(context.Context) error { <-hold; return nil }))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.Ready(ctx), context.DeadlineExceeded)
		ready := make(chan error)
		go func() { ready <- p.Ready(context.Background()) }()
		synctest.Wait()
		p.Terminate()
		require.ErrorIs(t, <-ready, pool.ErrClosed)
		close(hold)
	})
}

func TestWorkersStartOnDemand(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(100))
		require.Zero(t, p.Stats().Started)
		for range 10 {
			_, err := pool.Apply(t.Context(), p, value(1))
			require.NoError(t, err)
			synctest.Wait()
		}
		require.Equal(t, 1, p.Stats().Started, "one at a time needs one worker")
		require.NoError(t, p.Ready(t.Context()))
		require.Equal(t, 100, p.Stats().Started)
	})
}

func TestIdleWorkersAreOnlyBytes(t *testing.T) {
	const workers, most = 1000, 2048 // bytes for each
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(workers))
		goroutines, heap := runtime.NumGoroutine(), heapInUse()
		_, err := pool.Broadcast(t.Context(), p, value(1)) // uses every worker
		require.NoError(t, err)
		synctest.Wait()
		used := heapInUse() - heap // first: it stops the world, so that none is counted that is being put aside
		// The runtime and earlier tests have goroutines that come and go.
		require.Less(t, runtime.NumGoroutine(), goroutines+workers/100)
		t.Log(used / workers)
		require.Less(t, used/workers, most)
	})
}

func heapInUse() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestBrokenPoolEndsMapsAndStreamsToo(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		mine := errors.New("mine")
		p := newPool(t, pool.WithWorkers(2), pool.WithInitializer(func(context.Context) error {
			time.Sleep(time.Second)
			return mine
		}))
		m := pool.MapAsync(t.Context(), p, double, []int{1, 2, 3})
		s := pool.IMap(t.Context(), p, double, count(3))
		held := pool.IMap(t.Context(), p, double, func(yield func(int) bool) { time.Sleep(time.Minute); yield(1) })
		_, err := m.Get(hour(t))
		require.ErrorIs(t, err, pool.ErrBroken)
		require.ErrorIs(t, err, mine)
		for _, stream := range []*pool.Stream[int]{s, held} {
			_, err = stream.Next(hour(t))
			require.ErrorIs(t, err, pool.ErrBroken)
		}
		synctest.Wait() // who reads a stream sees its end a moment before it is counted
		require.EqualValues(t, 3, p.Stats().Outcomes[pool.Broken])
	})
}
