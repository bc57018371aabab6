package pool_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// These tests are about who takes which chunk of a map, and what is known of
// chunks that others have.

// manyChunks is more than the bits of a word.
const manyChunks = 200

// mapInPlace maps as a caller who works on the map, on a goroutine of its own.
func mapInPlace(p *pool.Pool, fn func(context.Context, int) (int, error), n int, opts ...pool.MapOption) <-chan mapped {
	over := make(chan mapped, 1)
	go func() {
		values, err := pool.Map(context.Background(), p, fn, slices.Collect(count(n)), opts...)
		over <- mapped{values, err}
	}()
	return over
}

type mapped struct {
	values []int
	err    error
}

func TestEveryItemOfAMapIsCalledOnce(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 4)
		for _, size := range []int{1, 3, 64} {
			for range 20 {
				calls := make([]atomic.Int32, 500)
				_, err := pool.Map(context.Background(), p, func(_ context.Context, n int) (int, error) {
					calls[n].Add(1)
					return n, nil
				}, slices.Collect(count(len(calls))), pool.WithChunkSize(size))
				require.NoError(t, err)
				for n := range calls {
					require.EqualValues(t, 1, calls[n].Load(), "item %d", n)
				}
			}
		}
	})
}

func TestItemsBehindABlockedOneAreTakenByAnotherWorker(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 2)
		last := make(chan struct{})
		m := <-mapInPlace(p, func(_ context.Context, n int) (int, error) {
			switch n {
			case 0:
				<-last
			case manyChunks - 1:
				close(last)
			}
			return 2 * n, nil
		}, manyChunks, pool.WithChunkSize(1))
		require.NoError(t, m.err)
		for n, v := range m.values {
			require.Equal(t, 2*n, v)
		}
	})
}

func TestItemsBehindABlockedOneAreTakenByATaskThatWaitsForThem(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := occupy(t, p)
		last := make(chan struct{})
		started := make(chan struct{})
		m := pool.MapAsync(t.Context(), p, func(_ context.Context, n int) (int, error) {
			switch n {
			case 5:
				close(started)
				<-last
			case manyChunks - 1:
				close(last)
			}
			return n, nil
		}, slices.Collect(count(manyChunks)), pool.WithChunkSize(1))
		<-started // on the only free worker
		waiter := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			values, err := m.Get(ctx)
			return len(values), err
		}, pool.WithTaskName("waiter"))
		close(g.open)
		n, err := waiter.Get(hour(t))
		require.NoError(t, err)
		require.Equal(t, manyChunks, n)
	})
}

// An item can rely on it that those before it have begun.
func TestChunksStartInTheOrderOfTheItems(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 3)
		var mu sync.Mutex
		var begun []int
		m := <-mapInPlace(p, func(_ context.Context, n int) (int, error) {
			mu.Lock()
			begun = append(begun, n)
			mu.Unlock()
			time.Sleep(time.Duration(1+n%3) * time.Second)
			return n, nil
		}, 30, pool.WithChunkSize(1))
		require.NoError(t, m.err)
		for i, n := range begun {
			require.InDelta(t, i, n, 2, "no more than the workers are out of order: %v", begun)
		}
	})
}

func TestCancelQueuedCutsAMapThatItsCallerWorksOn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 2)
		open := make(chan struct{})
		m := mapInPlace(p, func(_ context.Context, n int) (int, error) {
			if n >= 70 {
				<-open
			}
			return n + 1, nil
		}, manyChunks, pool.WithChunkSize(1))
		synctest.Wait()
		require.Equal(t, 1, p.CancelQueued())
		require.Zero(t, p.CancelQueued(), "there is nothing left to cancel")
		close(open)
		got := <-m
		require.ErrorIs(t, got.err, pool.ErrCancelled)
		var partial *pool.MapError
		require.ErrorAs(t, got.err, &partial)
		for n := range manyChunks {
			require.Equal(t, n < 72, partial.Completed[n], "item %d", n)
			if n < 72 {
				require.Equal(t, n+1, got.values[n])
			} else {
				require.Zero(t, got.values[n])
			}
		}
	})
}

func TestErrorsAbandonTheRestOfTheirChunksAmongMany(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		mine := errors.New("mine")
		for _, workers := range []int{1, 3} {
			p := idlePool(t, workers)
			m := <-mapInPlace(p, func(_ context.Context, n int) (int, error) {
				switch n % 50 {
				case 12:
					return 0, mine
				case 34:
					panic(mine)
				}
				return n, nil
			}, 2*manyChunks, pool.WithChunkSize(5))
			require.ErrorIs(t, m.err, mine)
			var failed *pool.MapError
			require.ErrorAs(t, m.err, &failed)
			for n, completed := range failed.Completed {
				at := n % 50
				require.Equal(t, !(at >= 12 && at < 15 || at == 34), completed, "item %d", n)
			}
		}
	})
}

func TestMapThatEndsEarlyHasTheResultsOfAllChunksThatHaveEnded(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		blocked := make(chan int, 3)
		m := pool.MapAsync(t.Context(), p, func(ctx context.Context, n int) (int, error) {
			if n == 101 || n == 231 || n == 300 { // in three chunks
				blocked <- n
				<-ctx.Done()
			}
			return n, nil
		}, slices.Collect(count(2*manyChunks)), pool.WithChunkSize(2))
		for range 3 {
			<-blocked
		}
		require.True(t, m.Cancel())
		got, err := m.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		var partial *pool.MapError
		require.ErrorAs(t, err, &partial)
		for n := range 2 * manyChunks {
			done := n < 300 && n/2 != 50 && n/2 != 115
			require.Equal(t, done, partial.Completed[n], "item %d", n)
			require.Equal(t, done && n > 0, got[n] != 0, "item %d", n)
		}
	})
}

// The second runner is not left in the queue, where it would keep the next caller
// from being lent a place. With more workers than the two, a third runner might have all
// of them awake for a moment.
func TestMapThatItsCallerHasDoneLeavesNothingInTheQueue(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 2)
		caller := goroutine()
		for range 500 {
			_, err := pool.Map(context.Background(), p, double, slices.Collect(count(40)))
			require.NoError(t, err)
			where, err := pool.Apply(context.Background(), p, func(context.Context) (string, error) { return goroutine(), nil })
			require.NoError(t, err)
			require.Equal(t, caller, where)
		}
	})
}

// A map outlives the loan when its caller finds nothing left to take.
func TestTerminateReachesAMapWhoseCallerWaitsForOthers(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 2)
		m := mapInPlace(p, func(ctx context.Context, n int) (int, error) {
			if n == 0 {
				time.Sleep(time.Second) // so that another worker comes
			} else {
				<-ctx.Done()
			}
			return 7, nil
		}, 2, pool.WithChunkSize(1))
		time.Sleep(time.Minute)
		require.Equal(t, 1, p.Stats().Running)
		p.Terminate()
		got := <-m
		require.ErrorIs(t, got.err, pool.ErrTerminated)
		require.Equal(t, []int{7, 0}, got.values)
	})
}

func TestTerminateReachesAMapThatItsCallerWorksOn(t *testing.T) {
	for name, n := range map[string]int{"one chunk": 1, "several": 5} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := idlePool(t, 1)
				m := mapInPlace(p, func(ctx context.Context, n int) (int, error) {
					if n > 0 {
						t.Error("started after the end")
					}
					<-ctx.Done()
					return 7, nil
				}, n, pool.WithChunkSize(1))
				synctest.Wait()
				p.Terminate()
				got := <-m
				require.ErrorIs(t, got.err, pool.ErrTerminated)
				require.Equal(t, make([]int, n), got.values)
				require.NoError(t, p.Join(t.Context()))
				require.EqualValues(t, 1, p.Stats().Outcomes[pool.Terminated])
				require.Zero(t, p.Stats().Late)
			})
		})
	}
}

func TestMapOfOneChunkInPlaceIsLikeAnyOther(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var inits atomic.Int32
		p := idlePool(t, 1, pool.WithInitializer(func(context.Context) error { inits.Add(1); return nil }))
		mine := errors.New("mine")
		for name, fail := range map[string]func() error{
			"an error": func() error { return mine },
			"a panic":  func() error { panic(mine) },
			"a Goexit": func() error { runtime.Goexit(); return nil },
		} {
			before, lives := p.Stats(), inits.Load()
			var inside string
			var got mapped
			over := make(chan struct{})
			go func() {
				defer close(over)
				got.values, got.err = pool.Map(context.Background(), p, func(ctx context.Context, n int) (int, error) {
					inside = pool.WorkerName(ctx)
					if n == 2 {
						return 0, fail()
					}
					return n + 1, nil
				}, []int{0, 1, 2, 3}, pool.WithChunkSize(4), pool.WithTaskName("four"))
			}()
			<-over
			synctest.Wait()
			after := p.Stats()
			require.Equal(t, p.Name()+"/worker-1", inside)
			require.EqualValues(t, 1, after.Accepted-before.Accepted, name)
			require.EqualValues(t, 1, after.Outcomes[pool.Failed]-before.Outcomes[pool.Failed], name)
			require.Zero(t, after.Late, name)
			if name == "an error" {
				require.Equal(t, lives, inits.Load())
			} else {
				require.Equal(t, lives+1, inits.Load(), "the worker is restarted after %s", name)
			}
			if name == "a Goexit" {
				require.Nil(t, got.err, "it took the caller")
				continue
			}
			require.ErrorIs(t, got.err, mine, name)
			require.Equal(t, []int{1, 2, 0, 0}, got.values, name)
			var failed *pool.MapError
			require.ErrorAs(t, got.err, &failed)
			require.Equal(t, []bool{true, true, false, false}, failed.Completed, name)
			var item *pool.ItemError
			require.ErrorAs(t, got.err, &item)
			require.Equal(t, 2, item.Index, name)
		}
	})
}
