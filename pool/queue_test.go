package pool_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestFullQueueHoldsTheSubmitterUntilThereIsRoom(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(2))
		sleep := func(context.Context) (int, error) { time.Sleep(time.Second); return 0, nil }
		begin := time.Now()
		for range 3 {
			pool.ApplyAsync(t.Context(), p, sleep)
		}
		require.Zero(t, time.Since(begin), "one runs and two wait")
		pool.ApplyAsync(t.Context(), p, sleep)
		require.Equal(t, time.Second, time.Since(begin))
		synctest.Wait()
		require.Equal(t, 2, p.Stats().Waiting)
	})
}

func TestSubmittersAreAdmittedFirstComeFirstServed(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0))
		g := occupy(t, p)
		var order []int
		for i := range 5 {
			go pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { order = append(order, i); return 0, nil })
			synctest.Wait()
		}
		close(g.open)
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2, 3, 4}, order)
	})
}

func TestWaitForRoomEndsWithItsContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0))
		occupy(t, p)
		mine := errors.New("mine")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { time.Sleep(time.Second); cancel(mine) }()
		r := pool.ApplyAsync(ctx, p, value(1))
		require.True(t, r.Ready())
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, mine)
		_, err = pool.Apply(t.Context(), p, value(1), pool.WithTimeout(time.Second))
		require.ErrorIs(t, err, pool.ErrTimeout)
		require.EqualValues(t, 1, p.Stats().Accepted)
	})
}

func TestCloseAndTerminateRefuseThoseWhoWaitForRoom(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, end := range []func(*pool.Pool){(*pool.Pool).Close, (*pool.Pool).Terminate} {
			p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0))
			g := occupy(t, p)
			refused := make(chan error)
			go func() { _, err := pool.Apply(context.Background(), p, value(1)); refused <- err }()
			synctest.Wait()
			end(p)
			require.ErrorIs(t, <-refused, pool.ErrClosed)
			close(g.open)
			require.NoError(t, p.Join(t.Context()))
		}
	})
}

func TestRejectRefusesTheNewTask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.Reject))
		g := occupy(t, p)
		waiting := pool.ApplyAsync(t.Context(), p, value(1))
		_, err := pool.Apply(t.Context(), p, value(2))
		require.ErrorIs(t, err, pool.ErrFull)
		require.ErrorContains(t, err, "the limit is 1")
		close(g.open)
		v, err := waiting.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, v)
	})
}

func TestDropOldestEndsTheTaskThatWaitedLongest(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(2), pool.WithQueuePolicy(pool.DropOldest))
		g := occupy(t, p)
		results := make([]*pool.AsyncResult[int], 4)
		for i := range results {
			results[i] = pool.ApplyAsync(t.Context(), p, value(i))
		}
		close(g.open)
		for i, r := range results {
			v, err := r.Get(t.Context())
			if i < 2 {
				require.ErrorIs(t, err, pool.ErrDropped)
			} else {
				require.NoError(t, err)
				require.Equal(t, i, v)
			}
		}
	})
}

func TestDropOldestRefusesWhenNothingWaits(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.DropOldest))
		occupy(t, p)
		_, err := pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrFull)
	})
}

func TestCallerRunsInThePlaceOfTheSubmitter(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.CallerRuns))
		occupy(t, p)
		begin := time.Now()
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (string, error) {
			time.Sleep(time.Second)
			return pool.WorkerName(ctx), nil
		})
		require.True(t, r.Ready(), "the submitter waited")
		require.Equal(t, time.Second, time.Since(begin))
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Empty(t, v)
		_, err = pool.Apply(t.Context(), p, func(context.Context) (int, error) { panic("boom") })
		var panicked *pool.PanicError
		require.ErrorAs(t, err, &panicked)
		mapped, err := pool.Map(t.Context(), p, double, []int{1, 2, 3})
		require.NoError(t, err)
		require.Equal(t, []int{2, 4, 6}, mapped)
	})
}

func TestUnboundedQueueTakesEverything(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithUnboundedQueue())
		occupy(t, p)
		for range 1000 {
			pool.ApplyAsync(t.Context(), p, value(1))
		}
		require.Equal(t, 1000, p.Stats().Waiting)
	})
}

func TestLargestLimitHasRoom(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithQueueLimit(math.MaxInt), pool.WithQueuePolicy(pool.Reject))
		g, h := occupy(t, p), occupy(t, p)
		r := pool.ApplyAsync(t.Context(), p, value(1))
		close(g.open)
		close(h.open)
		require.NoError(t, errOf(t, r))
	})
}

func TestDefaultLimitHolds(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueuePolicy(pool.Reject))
		occupy(t, p)
		for range pool.DefaultQueueLimit {
			_ = p.Go(context.Background(), func() {})
		}
		require.Equal(t, pool.DefaultQueueLimit, p.Stats().Waiting)
		_, err := pool.Apply(t.Context(), p, value(1))
		require.ErrorIs(t, err, pool.ErrFull)
	})
}

func TestSubmissionInsideATaskNeverWaitsForRoom(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0))
		v, err := pool.Apply(t.Context(), p, fib(p, 8))
		require.NoError(t, err)
		require.Equal(t, 21, v)
	})
}

func TestWhoeverHasSeenAResultFindsTheWorkerFree(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.Reject))
		for i := range 200 {
			_, err := pool.Apply(t.Context(), p, value(i))
			require.NoError(t, err)
			_, err = pool.Apply(t.Context(), p, func(context.Context) (int, error) { panic("boom") })
			require.NotErrorIs(t, err, pool.ErrFull)
			_, err = pool.Map(t.Context(), p, double, []int{1, 2, 3})
			require.NoError(t, err)
			s := p.Stats()
			require.Zero(t, s.Running)
			require.EqualValues(t, 2*i+2, s.Outcomes[pool.Succeeded])
		}
	})
}

func TestCallerRunsKeepsTheOrderOfAKey(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithRouting(pool.KeyOrdered), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.CallerRuns))
		g := newGate()
		var mu sync.Mutex
		var order []int
		var rs []pool.Awaitable
		submit := func(i int) {
			rs = append(rs, pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
				return i, nil
			}, pool.WithKey("k")))
		}
		rs = append(rs, pool.ApplyAsync(t.Context(), p, g.task, pool.WithKey("k")))
		<-g.started
		submit(1)
		go func() { time.Sleep(time.Second); close(g.open) }()
		submit(2)
		_, _, err := pool.WaitFor(hour(t), pool.AllCompleted, rs...)
		require.NoError(t, err)
		require.Equal(t, []int{1, 2}, order)
	})
}

func TestCallerRunsBroadcastsToEveryWorker(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.CallerRuns))
		a, b := occupy(t, p), occupy(t, p)
		go func() { time.Sleep(time.Second); close(a.open); close(b.open) }()
		names, err := pool.Broadcast(hour(t), p, func(ctx context.Context) (string, error) { return pool.WorkerName(ctx), nil })
		require.NoError(t, err)
		require.Equal(t, []string{p.Name() + "/worker-1", p.Name() + "/worker-2"}, names)
	})
}

func TestCallerRunsMapIsCancelledByItsContext(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.CallerRuns))
		g := occupy(t, p)
		defer close(g.open)
		calls := 0
		r := pool.MapAsync(t.Context(), p, func(context.Context, int) (int, error) { calls++; time.Sleep(time.Second); return 0, nil },
			make([]int, 100), pool.WithTimeout(3500*time.Millisecond), pool.WithChunkSize(1))
		_, err := r.Get(hour(t))
		require.ErrorIs(t, err, pool.ErrTimeout)
		require.LessOrEqual(t, calls, 4, "items were started after the map's timeout")
	})
}

func TestCallerRunsEndsWithTheContextOfWhoWaits(t *testing.T) {
	for name, call := range map[string]func(context.Context, *pool.Pool, func(context.Context) (int, error)) error{
		"Apply": func(ctx context.Context, p *pool.Pool, fn func(context.Context) (int, error)) error {
			_, err := pool.Apply(ctx, p, fn)
			return err
		},
		"Map": func(ctx context.Context, p *pool.Pool, fn func(context.Context) (int, error)) error {
			_, err := pool.Map(ctx, p, func(ctx context.Context, _ int) (int, error) { return fn(ctx) }, make([]int, 100), pool.WithChunkSize(50))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.CallerRuns))
				occupy(t, p)
				queued := newGate()
				r := pool.ApplyAsync(context.Background(), p, queued.task)
				begin := time.Now()
				time.AfterFunc(time.Hour, func() { close(queued.open) })
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				calls := 0
				var waited time.Duration
				err := call(ctx, p, func(ctx context.Context) (int, error) {
					calls++
					err := r.Wait(ctx) // in place
					waited = time.Since(begin)
					return 0, err
				})
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, time.Second, waited)
				require.Equal(t, 1, calls)
			})
		})
	}
}

func TestDropOldestSparesAMapThatIsBeingWorkedOn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.DropOldest))
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			vs, err := pool.Map(ctx, p, func(ctx context.Context, n int) (int, error) { time.Sleep(time.Second); return n, nil }, []int{1, 2, 3, 4})
			return len(vs), err
		})
		time.Sleep(1500 * time.Millisecond) // the map is being worked on in the place of the task
		pool.ApplyAsync(t.Context(), p, value(1))
		_, err := r.Get(hour(t))
		require.NoError(t, err)
	})
}

func TestHeldMessageKeepsItsPlaceInTheOrderOfItsKey(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithRouting(pool.KeyOrdered), pool.WithQueueLimit(0))
		var order []int
		task := func(i int) func(context.Context) (int, error) {
			return func(context.Context) (int, error) { order = append(order, i); return i, nil }
		}
		start := make(chan struct{})
		var second *pool.AsyncResult[int]
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-start
			second = pool.ApplyAsync(context.WithoutCancel(ctx), p, task(2), pool.WithKey("k"))
			return 0, nil
		})
		synctest.Wait()
		systemOf(t).Root.Send(p.PID(), &messages.Task{Key: "k", Func: func(ctx context.Context) (any, error) { return task(1)(ctx) }})
		synctest.Wait()
		require.EqualValues(t, 2, p.Stats().Accepted)
		close(start)
		require.NoError(t, r.Wait(hour(t)))
		require.NoError(t, second.Wait(hour(t)))
		require.Equal(t, []int{1, 2}, order)
	})
}
