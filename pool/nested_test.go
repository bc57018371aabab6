package pool_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// fib waits for two tasks of its own pool at every level.
func fib(p *pool.Pool, n int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		if n < 2 {
			return n, nil
		}
		a := pool.ApplyAsync(ctx, p, fib(p, n-1))
		b, err := pool.Apply(ctx, p, fib(p, n-2))
		if err != nil {
			return 0, err
		}
		v, err := a.Get(ctx)
		return v + b, err
	}
}

func TestEveryWaitInsideATaskIsSafeOnOneWorker(t *testing.T) {
	waits := map[string]func(ctx context.Context, p *pool.Pool) error{
		"Apply": func(ctx context.Context, p *pool.Pool) error {
			_, err := pool.Apply(ctx, p, value(1))
			return err
		},
		"Get": func(ctx context.Context, p *pool.Pool) error {
			_, err := pool.ApplyAsync(ctx, p, value(1)).Get(ctx)
			return err
		},
		"Wait": func(ctx context.Context, p *pool.Pool) error {
			return pool.ApplyAsync(ctx, p, value(1)).Wait(ctx)
		},
		"Call": func(ctx context.Context, p *pool.Pool) error {
			_, err := pool.Call(ctx, p, func() {})
			return err
		},
		"Map": func(ctx context.Context, p *pool.Pool) error {
			_, err := pool.Map(ctx, p, double, []int{1, 2, 3})
			return err
		},
		"MapAsync": func(ctx context.Context, p *pool.Pool) error {
			_, err := pool.MapAsync(ctx, p, double, []int{1, 2, 3}, pool.WithChunkSize(1)).Get(ctx)
			return err
		},
		"StarMap": func(ctx context.Context, p *pool.Pool) error {
			_, err := pool.StarMap(ctx, p, add, func(yield func(int, int) bool) { yield(1, 2) })
			return err
		},
		"IMap": func(ctx context.Context, p *pool.Pool) error {
			for _, err := range pool.IMap(ctx, p, double, count(200), pool.WithWindow(3)).All() {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"IMapUnordered": func(ctx context.Context, p *pool.Pool) error {
			for _, err := range pool.IMapUnordered(ctx, p, double, count(200), pool.WithChunkSize(3)).All() {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Broadcast": func(ctx context.Context, p *pool.Pool) error {
			_, err := pool.Broadcast(ctx, p, value(1))
			return err
		},
		"WaitFor all": func(ctx context.Context, p *pool.Pool) error {
			_, _, err := pool.WaitFor(ctx, pool.AllCompleted, pool.ApplyAsync(ctx, p, value(1)), pool.ApplyAsync(ctx, p, value("x")))
			return err
		},
		"WaitFor first": func(ctx context.Context, p *pool.Pool) error {
			_, _, err := pool.WaitFor(ctx, pool.FirstCompleted, pool.ApplyAsync(ctx, p, value(1)), pool.ApplyAsync(ctx, p, value("x")))
			return err
		},
		"AsCompleted": func(ctx context.Context, p *pool.Pool) error {
			for _, err := range pool.AsCompleted(ctx, pool.ApplyAsync(ctx, p, value(1)), pool.ApplyAsync(ctx, p, value(2))) {
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1))
				_, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) {
					// Two levels, and work from outside in the queue.
					pool.ApplyAsync(t.Context(), p, value(1))
					_, err := pool.Apply(ctx, p, func(ctx context.Context) (int, error) { return 0, wait(ctx, p) })
					if err != nil {
						return 0, err
					}
					return 0, wait(ctx, p)
				})
				require.NoError(t, err)
			})
		})
	}
}

func TestNestedWaitsNeedNoMoreThanTheWorkersThereAre(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for workers := 1; workers <= 3; workers++ {
			p := newPool(t, pool.WithWorkers(workers))
			v, err := pool.Apply(t.Context(), p, fib(p, 10))
			require.NoError(t, err)
			require.Equal(t, 55, v)
		}
	})
}

func TestTaskRunInPlaceCountsAsItsWaiter(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		var busy, most atomic.Int64
		work := func(context.Context) (int, error) {
			if n := busy.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			busy.Add(-1)
			return 0, nil
		}
		parent := func(ctx context.Context) (int, error) {
			for range 5 {
				if _, err := pool.Apply(ctx, p, work); err != nil {
					return 0, err
				}
			}
			return 0, nil
		}
		_, err := pool.Map(t.Context(), p, func(ctx context.Context, _ int) (int, error) { return parent(ctx) }, make([]int, 6), pool.WithChunkSize(1))
		require.NoError(t, err)
		require.EqualValues(t, 2, most.Load())
	})
}

func TestGoexitOfATaskRunInPlaceSparesItsWaiter(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		v, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) {
			_, err := pool.Apply(ctx, p, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			require.ErrorIs(t, err, pool.ErrGoexit)
			_, err = pool.Apply(ctx, p, func(context.Context) (int, error) { panic("boom") })
			require.Error(t, err)
			return 7, nil
		})
		require.NoError(t, err)
		require.Equal(t, 7, v)
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Restarts, "the worker is restarted when the waiter has returned")
	})
}

func TestTaskThatWaitsForItselfIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		self := make(chan *pool.AsyncResult[int], 1)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return (<-self).Get(ctx) })
		self <- r
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

func TestCycleOfTwoTasksIsADeadlockForOneOfThem(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for workers := 1; workers <= 2; workers++ {
			p := newPool(t, pool.WithWorkers(workers))
			a, b := make(chan *pool.AsyncResult[int], 1), make(chan *pool.AsyncResult[int], 1)
			ra := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return (<-b).Get(ctx) })
			rb := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return (<-a).Get(ctx) })
			a <- ra
			b <- rb
			_, err := ra.Get(t.Context())
			require.ErrorIs(t, err, pool.ErrDeadlock)
			_, err = rb.Get(t.Context())
			require.ErrorIs(t, err, pool.ErrDeadlock)
		}
	})
}

func TestCycleThroughTwoPoolsIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(1))
		_, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) {
			return pool.Apply(ctx, q, func(ctx context.Context) (int, error) {
				return pool.Apply(ctx, p, value(1)) // p's only worker waits for us
			})
		})
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

func TestWaitForTheNextTaskWithOnesOwnKeyIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.KeyOrdered))
		_, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) {
			return pool.Apply(ctx, p, value(1), pool.WithKey("k"))
		}, pool.WithKey("k"))
		require.ErrorIs(t, err, pool.ErrDeadlock)
	})
}

func TestWaitForAKeyRunsWhatIsBeforeItFirst(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithRouting(pool.KeyOrdered))
		_, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) {
			var order []int
			var last *pool.AsyncResult[int]
			for i := range 5 {
				last = pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { order = append(order, i); return i, nil }, pool.WithKey("k"))
			}
			v, err := last.Get(ctx)
			require.Equal(t, []int{0, 1, 2, 3, 4}, order)
			return v, err
		})
		require.NoError(t, err)
	})
}

func TestWaitForAKeyThatRunsElsewhereGoesOnAfterIt(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.KeyOrdered))
		g := newGate()
		pool.ApplyAsync(t.Context(), p, g.task, pool.WithKey("k"))
		<-g.started
		waiter := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			return pool.Apply(ctx, p, value(3), pool.WithKey("k"))
		})
		synctest.Wait()
		// The other worker will be taken by this one, which waits for the waiter.
		blocked := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return waiter.Get(ctx) })
		synctest.Wait()
		close(g.open)
		v, err := blocked.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, v)
	})
}

func TestJoinInsideATaskIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		_, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) {
			require.ErrorIs(t, p.Shutdown(ctx), pool.ErrDeadlock)
			p.Close()
			return 0, p.Join(ctx)
		})
		require.ErrorIs(t, err, pool.ErrDeadlock)
		require.NoError(t, p.Join(t.Context()))
	})
}

func TestTwoTasksThatBroadcastAreNotBothServed(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		both := make(chan struct{}, 2)
		task := func(ctx context.Context) (int, error) {
			both <- struct{}{}
			for len(both) < 2 {
				time.Sleep(time.Second)
			}
			_, err := pool.Broadcast(ctx, p, value(1))
			return 0, err
		}
		a, b := pool.ApplyAsync(t.Context(), p, task), pool.ApplyAsync(t.Context(), p, task)
		_, errA := a.Get(t.Context())
		_, errB := b.Get(t.Context())
		require.True(t, (errA == nil) != (errB == nil), "%v, %v", errA, errB)
	})
}

func TestGetInsideATaskTimesOutThoughItRunsInPlace(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		_, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) {
			r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { time.Sleep(time.Minute); return 1, nil })
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := r.Get(short)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			return r.Get(ctx)
		})
		require.NoError(t, err)
	})
}

func TestGoroutinesOfATaskShareItsPlace(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		var busy, most atomic.Int64
		_, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) {
			done := make(chan error)
			for range 5 {
				go func() {
					_, err := pool.Apply(ctx, p, func(context.Context) (int, error) {
						if n := busy.Add(1); n > most.Load() {
							most.Store(n)
						}
						time.Sleep(time.Second)
						busy.Add(-1)
						return 0, nil
					})
					done <- err
				}()
			}
			for range 5 {
				if err := <-done; err != nil {
					return 0, err
				}
			}
			return 0, nil
		})
		require.NoError(t, err)
		require.EqualValues(t, 1, most.Load())
	})
}

func TestContextOfATaskThatHasReturnedIsAnOrdinaryOne(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		ctxs := make(chan context.Context, 1)
		_, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) { ctxs <- context.WithoutCancel(ctx); return 0, nil })
		require.NoError(t, err)
		ctx := <-ctxs
		v, err := pool.Apply(ctx, p, value(4))
		require.NoError(t, err)
		require.Equal(t, 4, v)
		p.Close()
		require.NoError(t, p.Join(ctx))
	})
}
