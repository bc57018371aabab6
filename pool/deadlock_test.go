package pool_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// hour is a context that ends after an hour of the bubble's time, so that a wait
// that would never end fails the test instead of the whole run.
func hour(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	t.Cleanup(cancel)
	return ctx
}

func TestMapOfAnotherPoolInACycleIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(1))
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			return pool.Apply(ctx, q, func(ctx context.Context) (int, error) {
				_, err := pool.Map(ctx, p, double, []int{1, 2})
				return 0, err
			})
		})
		_, err := r.Get(hour(t))
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

func TestStreamOfAnotherPoolInACycleIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(1))
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			return pool.Apply(ctx, q, func(ctx context.Context) (int, error) {
				return pool.IMap(ctx, p, double, seq(1, 2)).Next(ctx)
			})
		})
		_, err := r.Get(hour(t))
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

func TestPerWorkerQueueOfAnotherPoolInACycleIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.RoundRobin)), newPool(t, pool.WithWorkers(1))
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { // worker 1
			return pool.Apply(ctx, q, func(ctx context.Context) (int, error) {
				if _, err := pool.Apply(ctx, p, value(1)); err != nil { // worker 2
					return 0, err
				}
				return pool.Apply(ctx, p, value(1)) // worker 1, which waits for us
			})
		})
		_, err := r.Get(hour(t))
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

func TestWaitForRoomInACycleOfTwoPoolsIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0))
		self := make(chan *pool.AsyncResult[int], 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			me := <-self
			pool.ApplyAsync(ctx, q, func(ctx context.Context) (int, error) { return me.Get(ctx) })
			_, err := pool.Apply(ctx, q, value(1)) // no room before we have ended
			return 0, err
		})
		self <- r
		_, err := r.Get(hour(t))
		require.NotErrorIs(t, err, pool.ErrNotReady, "hangs")
	})
}

func TestJoinOfAnotherPoolInACycleIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(1))
		self := make(chan *pool.AsyncResult[int], 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			me := <-self
			pool.ApplyAsync(ctx, q, func(ctx context.Context) (int, error) { return me.Get(ctx) })
			q.Close()
			return 0, q.Join(ctx)
		})
		self <- r
		_, err := r.Get(hour(t))
		require.NotErrorIs(t, err, pool.ErrNotReady, "hangs")
	})
}

func TestCycleThroughAnOrphanInPlaceIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		self := make(chan *pool.AsyncResult[int], 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			me := <-self
			orphan := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) {
				time.Sleep(time.Minute)
				return me.Get(ctx)
			})
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_ = orphan.Wait(short) // runs it in place, and gives up
			return pool.Apply(ctx, p, value(1))
		})
		self <- r
		_, err := r.Get(hour(t))
		require.NotErrorIs(t, err, pool.ErrNotReady, "hangs")
	})
}

func TestCycleThroughThePlaceOfAnOrphanIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		other := make(chan *pool.AsyncResult[int], 1)
		first := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			hold := make(chan struct{})
			// Both workers are busy, so that this one is run in place.
			pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { close(hold); time.Sleep(5 * time.Second); return 0, nil })
			<-hold
			orphan := pool.ApplyAsync(context.WithoutCancel(ctx), p, func(ctx context.Context) (int, error) {
				return (<-other).Get(ctx)
			})
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_ = orphan.Wait(short)
			return 0, nil
		})
		_, err := first.Get(hour(t))
		require.NoError(t, err)
		started := make(chan struct{})
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			close(started)
			time.Sleep(time.Second)
			_, err := pool.Broadcast(ctx, p, value(1))
			return 0, err
		})
		<-started // on the other worker
		other <- r
		_, err = r.Get(hour(t))
		require.NotErrorIs(t, err, pool.ErrNotReady, "hangs")
	})
}

func TestTwoGoroutinesOfATaskThatBothWaitAreBothSeen(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		self := make(chan *pool.AsyncResult[int], 1)
		g := newGate()
		free := pool.ApplyAsync(t.Context(), p, g.task)
		<-g.started
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			me := <-self
			started := make(chan struct{})
			back := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) {
				close(started)
				time.Sleep(time.Minute)
				return me.Get(ctx)
			})
			<-started
			done := make(chan error, 1)
			go func() { _, err := back.Get(ctx); done <- err }()
			time.Sleep(time.Second)
			_ = free.Wait(ctx) // the latest wait of this task; ends after a while
			return 0, <-done
		})
		self <- r
		time.Sleep(2 * time.Second)
		close(g.open) // ends the other wait, which takes the record of both away
		_, err := r.Get(hour(t))
		require.NotErrorIs(t, err, pool.ErrNotReady, "hangs")
	})
}

func TestWaitWithATimeoutIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		self := make(chan *pool.AsyncResult[int], 1)
		var back *pool.AsyncResult[int]
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			me := <-self
			started := make(chan struct{})
			back = pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { close(started); time.Sleep(time.Second); return me.Get(ctx) })
			<-started
			short, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			if err := back.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
				return 0, err
			}
			return 5, nil
		})
		self <- r
		v, err := r.Get(hour(t))
		require.NoError(t, err)
		require.Equal(t, 5, v)
		v, err = back.Get(hour(t))
		require.NoError(t, err)
		require.Equal(t, 5, v)
	})
}

func TestUnorderedStreamThatIsStillFedIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		self := make(chan *pool.AsyncResult[int], 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			me := <-self
			s := pool.IMapUnordered(t.Context(), p, func(ctx context.Context, n int) (int, error) {
				if n == 0 {
					return me.Get(ctx) // goes on when the reader has got another item
				}
				return n, nil
			}, func(yield func(int) bool) {
				if yield(0) {
					time.Sleep(time.Second)
					yield(7)
				}
			})
			time.Sleep(time.Millisecond)
			v, err := s.Next(ctx)
			return v, err
		})
		self <- r
		v, err := r.Get(hour(t))
		require.NoError(t, err)
		require.Equal(t, 7, v)
	})
}

func TestFirstExceptionThatWillComeIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		self := make(chan *pool.AsyncResult[int], 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			me := <-self
			back := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return me.Get(ctx) })
			fails := pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { time.Sleep(time.Minute); return 0, errors.New("mine") })
			time.Sleep(time.Second)
			done, _, err := pool.WaitFor(ctx, pool.FirstException, back, fails)
			return len(done), err
		})
		self <- r
		v, err := r.Get(hour(t))
		require.NoError(t, err)
		require.Equal(t, 1, v)
	})
}

func TestStreamChunkWithAPanicIsReadOnOneWorker(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			s := pool.IMap(ctx, p, func(_ context.Context, n int) (int, error) {
				if n == 0 {
					panic("boom")
				}
				return n, nil
			}, seq(0, 1, 2), pool.WithChunkSize(3))
			time.Sleep(time.Second) // all are fed
			sum := 0
			for v, err := range s.All() {
				var item *pool.ItemError
				if err != nil && !errors.As(err, &item) {
					return 0, err
				}
				sum += v
			}
			return sum, nil
		})
		v, err := r.Get(hour(t))
		require.NoError(t, err)
		require.Equal(t, 3, v)
	})
}

func TestThirdOfAKeyIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.KeyOrdered))
		g := newGate()
		pool.ApplyAsync(t.Context(), p, g.task, pool.WithKey("k"))
		<-g.started
		third := make(chan *pool.AsyncResult[int], 1)
		waiter := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return (<-third).Get(ctx) })
		synctest.Wait()
		blocked := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return waiter.Get(ctx) })
		pool.ApplyAsync(t.Context(), p, value(2), pool.WithKey("k"))
		third <- pool.ApplyAsync(t.Context(), p, value(3), pool.WithKey("k"))
		synctest.Wait()
		close(g.open)
		v, err := blocked.Get(hour(t))
		require.NoError(t, err)
		require.Equal(t, 3, v)
	})
}

// The search for a cycle must not take longer than the number of tasks allows:
// searching all paths never ended with so many.
func TestDeadlockOfManyTasksInTwoPoolsIsFound(t *testing.T) {
	const workers = 40
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(workers)), newPool(t, pool.WithWorkers(workers))
		var inside sync.WaitGroup
		inside.Add(workers)
		deadlocks := 0
		var results []pool.Awaitable
		for range workers {
			results = append(results, pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
				return pool.Apply(ctx, q, func(ctx context.Context) (int, error) {
					inside.Done()
					inside.Wait()
					return pool.Apply(ctx, p, value(1))
				})
			}))
		}
		_, _, err := pool.WaitFor(hour(t), pool.AllCompleted, results...)
		require.NoError(t, err)
		for _, r := range results {
			if ok, _ := r.Successful(); !ok {
				deadlocks++
			}
		}
		require.NotZero(t, deadlocks)
		require.Less(t, deadlocks, workers, "the others went on")
	})
}

func TestDeadlockOfManyTasksThatWaitForTheFirstOfAllOthersIsFound(t *testing.T) {
	const workers = 40
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(workers))
		results := make([]pool.Awaitable, workers)
		all := make(chan struct{})
		for i := range workers {
			results[i] = pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
				<-all
				others := slices.Delete(slices.Clone(results), i, i+1)
				_, _, err := pool.WaitFor(ctx, pool.FirstCompleted, others...)
				return 0, err
			})
		}
		synctest.Wait()
		close(all)
		_, _, err := pool.WaitFor(hour(t), pool.AllCompleted, results...)
		require.NoError(t, err)
	})
}
