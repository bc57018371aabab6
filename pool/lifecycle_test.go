package pool_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

func TestDefaultWorkersAreThoseTheProcessMayUse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		require.Equal(t, runtime.GOMAXPROCS(0), newPool(t).Workers())
	})
}

func TestNoMoreTasksRunAtOnceThanThereAreWorkers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
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

func TestTasksStartInTheOrderOfSubmission(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(1))
		var order []int
		for i := range 100 {
			pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { order = append(order, i); return i, nil })
		}
		p.Close()
		require.NoError(t, p.Join(t.Context()))
		for i, got := range order {
			require.Equal(t, i, got)
		}
		require.Len(t, order, 100)
	})
}

func TestCloseThenJoinLosesNothingThatWasAccepted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(2))
		var done atomic.Int64
		for range 500 {
			pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { done.Add(1); return 0, nil })
		}
		p.Close()
		require.NoError(t, p.Join(t.Context()))
		require.EqualValues(t, 500, done.Load())
	})
}

func TestSubmissionAfterCloseFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t)
		p.Close()
		p.Close()
		_, err := pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrClosed)
		r := pool.ApplyAsync(t.Context(), p, value(1))
		require.True(t, r.Ready(), "the result carries the error already")
		ok, err := r.Successful()
		require.NoError(t, err)
		require.False(t, ok)
		_, err = pool.Map(t.Context(), p, double, []int{1})
		require.ErrorIs(t, err, pool.ErrClosed)
		_, err = pool.Map(t.Context(), p, double, nil)
		require.ErrorIs(t, err, pool.ErrClosed, "even if there is nothing to do")
		_, err = pool.IMap(t.Context(), p, double, seq(1)).Next(t.Context())
		require.ErrorIs(t, err, pool.ErrClosed)
		_, err = pool.Broadcast(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrClosed)
	})
}

func TestJoinBeforeCloseIsAnError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t)
		require.ErrorIs(t, p.Join(t.Context()), pool.ErrRunning)
	})
}

func TestJoinMayBeRepeatedAndTakesAContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(1))
		g := occupy(t, p)
		p.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		require.ErrorIs(t, p.Join(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))
		close(g.open)
		require.NoError(t, p.Join(t.Context()))
		require.NoError(t, p.Join(ctx), "also with a context that has ended")
	})
}

func TestTerminateEndsEveryResult(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(1))
		running, deaf := newGate(), newGate()
		first := pool.ApplyAsync(t.Context(), p, deaf.deaf)
		<-deaf.started
		queued := pool.ApplyAsync(t.Context(), p, running.task)
		mapped := pool.MapAsync(t.Context(), p, double, []int{1, 2, 3})
		stream := pool.IMap(t.Context(), p, double, seq(1, 2, 3))

		p.Terminate()
		p.Terminate()
		_, err := first.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated, "even though the function ignores its context")
		_, err = queued.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
		_, err = mapped.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
		_, err = stream.Next(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)

		p.Close() // after Terminate it is a no-op
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.Join(ctx), context.DeadlineExceeded, "Join waits for the function")
		close(deaf.open)
		require.NoError(t, p.Join(t.Context()))
		require.EqualValues(t, 1, p.Stats().Late, "what it returned was dropped and counted")
	})
}

func TestTerminateCancelsTheContextOfWhatRuns(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(1))
		cause := make(chan error, 1)
		started := make(chan struct{})
		pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			close(started)
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return 0, ctx.Err()
		})
		<-started
		p.Terminate()
		require.ErrorIs(t, <-cause, pool.ErrTerminated)
	})
}

func TestTerminateSaysWhatItDropped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var log bytes.Buffer
		p := newPool(t, pool.WithWorkers(1), pool.WithName("clerk"), pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		occupy(t, p)
		pool.ApplyAsync(t.Context(), p, value(1))
		p.Terminate()
		require.Contains(t, log.String(), "tasks=2 pool=clerk")
	})
}

func TestShutdownDrainsWithinItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(1))
		r := pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { time.Sleep(time.Second); return 7, nil })
		require.NoError(t, p.Shutdown(t.Context()))
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 7, v)
	})
}

func TestShutdownTerminatesAtTheEndOfItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, g.task)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		require.ErrorIs(t, p.Shutdown(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(begin))
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
		require.NoError(t, p.Join(t.Context()))
	})
}

func TestWithTerminatesOnLeaving(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var p *pool.Pool
		var pending *pool.AsyncResult[string]
		sentinel := errors.New("mine")
		err := pool.With(t.Context(), func(inner *pool.Pool) error {
			p = inner
			pending = pool.ApplyAsync(t.Context(), p, newGate().task)
			return sentinel
		}, pool.WithWorkers(1))
		require.Equal(t, sentinel, err, "the error of run comes as it is")
		_, err = pending.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
		require.ErrorIs(t, p.With(t.Context(), func(*pool.Pool) error { t.Error("entered"); return nil }), pool.ErrClosed,
			"a pool that has ended cannot be entered")
	})
}

func TestWithTerminatesWhenRunPanics(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var p *pool.Pool
		require.PanicsWithValue(t, "mine", func() {
			_ = pool.With(t.Context(), func(inner *pool.Pool) error {
				p = inner
				pool.ApplyAsync(t.Context(), p, newGate().task) // until its context ends
				panic("mine")
			})
		})
		require.NoError(t, p.Join(t.Context()))
	})
}

func TestWithWaitsForTheFunctionsThatRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		returned := false
		deaf := func(started chan struct{}) func(context.Context) (int, error) {
			return func(context.Context) (int, error) {
				close(started)
				time.Sleep(time.Hour)
				returned = true
				return 0, nil
			}
		}
		require.NoError(t, pool.With(t.Context(), func(p *pool.Pool) error {
			started := make(chan struct{})
			pool.ApplyAsync(t.Context(), p, deaf(started))
			<-started
			return nil
		}))
		require.True(t, returned)

		returned = false
		p := newPool(t)
		require.NoError(t, p.With(t.Context(), func(p *pool.Pool) error {
			started := make(chan struct{})
			pool.ApplyAsync(t.Context(), p, deaf(started))
			<-started
			return nil
		}))
		require.True(t, returned)
		require.ErrorIs(t, pool.ApplyAsync(t.Context(), p, value(1)).Wait(t.Context()), nil)
		_, err := pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrClosed)
	})
}

func TestWithDrainTerminatesAtTheEndOfItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var r *pool.AsyncResult[string]
		err := pool.WithDrain(ctx, func(p *pool.Pool) error {
			r = pool.ApplyAsync(t.Context(), p, newGate().task)
			return nil
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
	})
}

func TestJoinWaitsForTheSequenceOfAStream(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t)
		began, ended := make(chan struct{}), false
		pool.IMap(t.Context(), p, double, func(yield func(int) bool) {
			close(began)
			time.Sleep(time.Hour)
			yield(1)
			ended = true
		})
		<-began
		p.Terminate()
		require.NoError(t, p.Join(t.Context()))
		require.True(t, ended)
	})
}

func TestWithDrainFinishesWhatWasAccepted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var r *pool.AsyncResult[int]
		require.NoError(t, pool.WithDrain(t.Context(), func(p *pool.Pool) error {
			r = pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { time.Sleep(time.Hour); return 3, nil })
			return nil
		}))
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, v)
	})
}

func TestInitializerRunsOncePerWorkerBeforeItsFirstTask(t *testing.T) {
	inBubble(t, func(t *testing.T) {
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
	inBubble(t, func(t *testing.T) {
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
			inBubble(t, func(t *testing.T) {
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
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(2), pool.WithInitializer(func(context.Context) error { runtime.Goexit(); return nil }))
		_, err := pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrBroken)
		require.ErrorIs(t, err, pool.ErrGoexit)
	})
}

func TestInitializerSeesTerminate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
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
	inBubble(t, func(t *testing.T) {
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
	inBubble(t, func(t *testing.T) {
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

func TestUnclosedPoolIsClosedAndSaysSoWhenCollected(t *testing.T) {
	logged := make(chan string, 1)
	logger := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { logged <- string(b); return len(b), nil }), nil))
	stopped := make(chan struct{})
	func() {
		p, err := pool.New(pool.WithName("forgotten"), pool.WithLogger(logger))
		require.NoError(t, err)
		_, err = pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		watchPool(t, p, stopped)
	}()
	require.Contains(t, collect(t, logged), "pool was never closed")
	<-stopped
}

// watchPool tells when a pool has stopped, without holding it or asking for its
// address.
func watchPool(t *testing.T, p *pool.Pool, stopped chan struct{}) {
	pid := pool.PIDOf(p)
	system := pool.SharedSystem()
	watching := make(chan struct{})
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(pid)
			close(watching)
		case *actor.Terminated:
			close(stopped)
			ctx.Stop(ctx.Self())
		}
	}))
	<-watching
}

func TestUnclosedPoolWhoseAddressIsKnownGoesOnWhenCollected(t *testing.T) {
	logged := make(chan string, 1)
	logger := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { logged <- string(b); return len(b), nil }), nil))
	system := pool.SharedSystem()
	pid := func() *actor.PID {
		p, err := pool.New(pool.WithLogger(logger))
		require.NoError(t, err)
		return p.PID()
	}()
	require.Contains(t, collect(t, logged), "pool was never closed")
	result, err := system.Root.RequestFuture(pid, &messages.Task{Func: func(context.Context) (any, error) { return 42, nil }}, time.Minute).Result()
	require.NoError(t, err)
	require.Equal(t, 42, result.(*messages.Result).Value)
	require.NoError(t, system.Root.StopFuture(pid).Wait())
}

func TestPendingResultKeepsItsPoolAlive(t *testing.T) {
	each := func(g *gate) func(context.Context, int) (string, error) {
		return func(ctx context.Context, _ int) (string, error) { return g.task(ctx) }
	}
	for name, submit := range map[string]func(*pool.Pool, *gate) (get func() (string, error)){
		"of a task": func(p *pool.Pool, g *gate) func() (string, error) {
			r := pool.ApplyAsync(t.Context(), p, g.task)
			return func() (string, error) { return r.Get(t.Context()) }
		},
		"of a map": func(p *pool.Pool, g *gate) func() (string, error) {
			r := pool.MapAsync(t.Context(), p, each(g), []int{1})
			return func() (string, error) {
				all, err := r.Get(t.Context())
				return strings.Join(all, " "), err
			}
		},
		"of a stream": func(p *pool.Pool, g *gate) func() (string, error) {
			s := pool.IMap(t.Context(), p, each(g), count(1))
			return func() (string, error) { return s.Next(t.Context()) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			logged := make(chan string, 1)
			logger := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { logged <- string(b); return len(b), nil }), nil))
			g := newGate()
			get := func() func() (string, error) {
				p, err := pool.New(pool.WithLogger(logger))
				require.NoError(t, err)
				return submit(p, g)
			}()
			<-g.started
			for range 5 {
				runtime.GC()
			}
			select {
			case line := <-logged:
				t.Fatal(line)
			default:
			}
			close(g.open)
			v, err := get()
			require.NoError(t, err)
			require.Equal(t, "done", v)
			require.Contains(t, collect(t, logged), "never closed")
		})
	}
}

// collect runs the collector until something was logged. Cleanups run some time
// after a collection, on a goroutine of the runtime, so there is a loop here; the
// test's own deadline ends it.
func collect(t *testing.T, logged chan string) string {
	for {
		runtime.GC()
		select {
		case line := <-logged:
			return line
		case <-t.Context().Done():
			return ""
		default:
			runtime.Gosched()
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestPoolLivesInTheGivenActorSystem(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		system := bubbleSystem(t)
		p, err := pool.New(pool.WithActorSystem(system), pool.WithName("mine"))
		require.NoError(t, err)
		v, err := pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
		require.Len(t, registered(system, p), 4, "supervisor, router, results, and a worker")
		require.NoError(t, p.Shutdown(t.Context()))
		require.Empty(t, registered(system, p))
	})
}

// bubbleSystem is an actor system that logs nothing and whose dead letters leave
// no goroutine behind at the end of the bubble.
func bubbleSystem(t *testing.T) *actor.ActorSystem {
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond),
	)
	t.Cleanup(func() {
		if !system.IsStopped() {
			system.Shutdown()
		}
		time.Sleep(time.Millisecond)
	})
	return system
}

func TestIdleWorkersAreOnlyBytes(t *testing.T) {
	const workers, most = 2000, 2048 // bytes for each
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(workers))
		goroutines, heap := runtime.NumGoroutine(), heapInUse()
		_, err := pool.Broadcast(t.Context(), p, value(1)) // uses every worker
		require.NoError(t, err)
		synctest.Wait()
		// The runtime and earlier tests have goroutines that come and go.
		require.Less(t, runtime.NumGoroutine(), goroutines+workers/100)
		t.Log((heapInUse() - heap) / workers)
		require.Less(t, (heapInUse()-heap)/workers, most)
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
	inBubble(t, func(t *testing.T) {
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
		require.EqualValues(t, 3, p.Stats().Outcomes[pool.Broken])
	})
}
