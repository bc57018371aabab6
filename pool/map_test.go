package pool_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestMapKeepsTheOrderOfTheItems(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		for _, n := range []int{1, 2, 3, 11, 12, 13, 100, 1001} {
			for _, opts := range [][]pool.MapOption{nil, {pool.WithChunkSize(1)}, {pool.WithChunkSize(7)}, {pool.WithChunkSize(pool.MaxChunkSize)}} {
				items := slices.Collect(count(n))
				got, err := pool.Map(t.Context(), p, double, items, opts...)
				require.NoError(t, err)
				require.Len(t, got, n)
				for i := range got {
					require.Equal(t, 2*i, got[i])
				}
			}
		}
	})
}

func TestMapWithoutItemsIsReadyAtOnceWithoutACallback(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		occupy(t, p)
		for _, items := range [][]int{nil, {}} {
			r := pool.MapAsync(t.Context(), p, double, items, pool.WithCallback(func([]int) { t.Error("called") }))
			require.True(t, r.Ready())
			got, err := r.Get(t.Context())
			require.NoError(t, err)
			require.Equal(t, []int{}, got)
		}
		stars, err := pool.StarMap(t.Context(), p, add, func(func(int, int) bool) {})
		require.NoError(t, err)
		require.Empty(t, stars)
	})
}

func add(_ context.Context, a, b int) (int, error) { return a + b, nil }

// chunks returns the sizes of the chunks in which a map of n items runs on the
// given number of workers: a panic at an item abandons the rest of its chunk.
func chunks(t testing.TB, n, workers int, opts ...pool.MapOption) []int {
	p := newPool(t, pool.WithWorkers(workers))
	var sizes []int
	for low := 0; low < n; {
		_, err := pool.Map(t.Context(), p, func(_ context.Context, i int) (int, error) {
			if i == low {
				return 0, errors.New("abandon")
			}
			return i, nil
		}, slices.Collect(count(n)), opts...)
		var failed *pool.MapError
		require.ErrorAs(t, err, &failed)
		high := low
		for high < n && !failed.Completed[high] {
			high++
		}
		sizes = append(sizes, high-low)
		low = high
	}
	return sizes
}

func TestDefaultChunkIsTheItemsByFourTimesTheWorkersRoundedUp(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		require.Equal(t, []int{1, 1, 1, 1, 1, 1, 1}, chunks(t, 7, 2))
		require.Equal(t, []int{1, 1, 1, 1, 1, 1, 1, 1}, chunks(t, 8, 2))
		require.Equal(t, []int{2, 2, 2, 2, 1}, chunks(t, 9, 2))
		require.Equal(t, []int{3, 3, 3, 3, 3, 3, 2}, chunks(t, 20, 2))
		require.Equal(t, []int{6, 6, 6, 2}, chunks(t, 20, 2, pool.WithChunkSize(6)))
	})
}

func TestMapErrorAbandonsOnlyItsOwnChunk(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		mine := errors.New("mine")
		got, err := pool.Map(t.Context(), p, func(_ context.Context, n int) (int, error) {
			if n == 4 {
				return 0, mine
			}
			return n, nil
		}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, pool.WithChunkSize(3))
		require.ErrorIs(t, err, mine)
		require.Equal(t, []int{1, 2, 3, 0, 0, 0, 7, 8, 9}, got)
		var item *pool.ItemError
		require.ErrorAs(t, err, &item)
		require.Equal(t, 3, item.Index)
		require.EqualError(t, err, "item 3: mine")
		var failed *pool.MapError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, []bool{true, true, true, false, false, false, true, true, true}, failed.Completed)
	})
}

func TestMapReportsTheErrorThatCameFirstInTimeAfterTheLastChunk(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		begin := time.Now()
		_, err := pool.Map(t.Context(), p, func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Duration(10-n) * time.Second)
			if n < 9 {
				return 0, fmt.Errorf("of %d", n)
			}
			return n, nil
		}, []int{1, 5, 9}, pool.WithChunkSize(1))
		require.EqualError(t, err, "item 1: of 5", "after 5 seconds; the other comes after 9")
		require.Equal(t, 9*time.Second, time.Since(begin))
	})
}

func TestMapSurvivesPanicAndGoexitInItsItems(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, workers := range []int{1, 2, 5} {
			p := newPool(t, pool.WithWorkers(workers))
			got, err := pool.Map(t.Context(), p, func(_ context.Context, n int) (int, error) {
				switch n % 3 {
				case 1:
					panic("boom")
				case 2:
					runtime.Goexit()
				}
				return n + 1, nil
			}, slices.Collect(count(30)), pool.WithChunkSize(1))
			require.Error(t, err)
			for i, v := range got {
				if i%3 == 0 {
					require.Equal(t, i+1, v)
				} else {
					require.Zero(t, v)
				}
			}
		}
	})
}

func TestFailFastEndsTheMapWithItsFirstError(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		mine := errors.New("mine")
		var cancelled atomic.Bool
		begin := time.Now()
		got, err := pool.Map(t.Context(), p, func(ctx context.Context, n int) (int, error) {
			switch n {
			case 1:
				return 7, nil
			case 2:
				<-ctx.Done()
				cancelled.Store(true)
				return 0, ctx.Err()
			case 3:
				time.Sleep(time.Second)
				return 0, mine
			}
			t.Error("started after the error")
			return 0, nil
		}, []int{1, 2, 3, 4, 5}, pool.WithChunkSize(1), pool.WithFailFast())
		require.ErrorIs(t, err, mine)
		require.Equal(t, []int{7, 0, 0, 0, 0}, got)
		require.Equal(t, time.Second, time.Since(begin))
		synctest.Wait()
		require.True(t, cancelled.Load())
	})
}

func TestCancelledMapKeepsWhatWasComputed(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		started := make(chan struct{})
		r := pool.MapAsync(t.Context(), p, func(ctx context.Context, n int) (int, error) {
			if n == 3 {
				close(started)
				<-ctx.Done()
			}
			return n, nil
		}, []int{1, 2, 3, 4}, pool.WithChunkSize(1))
		<-started
		require.True(t, r.Cancel())
		got, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrCancelled)
		require.Equal(t, []int{1, 2, 0, 0}, got)
	})
}

func TestMapTimesOutAsAWhole(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		begin := time.Now()
		got, err := pool.Map(t.Context(), p, func(ctx context.Context, n int) (int, error) {
			time.Sleep(time.Second)
			return n, nil
		}, []int{1, 2, 3, 4, 5}, pool.WithTimeout(2500*time.Millisecond), pool.WithChunkSize(1))
		require.ErrorIs(t, err, pool.ErrTimeout)
		require.Equal(t, []int{1, 2, 0, 0, 0}, got)
		require.Equal(t, 2500*time.Millisecond, time.Since(begin))
	})
}

func TestMapWaitsForRoomAndMayBeDropped(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.DropOldest))
		g := occupy(t, p)
		mapped := pool.MapAsync(t.Context(), p, double, []int{1, 2, 3})
		last := pool.ApplyAsync(t.Context(), p, value(1))
		_, err := mapped.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDropped)
		close(g.open)
		require.NoError(t, last.Wait(t.Context()))
	})
}

func TestMapThatIsRefusedWasNeverThere(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.Reject))
		g := occupy(t, p)
		before := p.Stats().Accepted
		_, err := pool.Map(t.Context(), p, double, []int{1, 2, 3}, pool.WithErrorCallback(func(error) { t.Error("called") }))
		require.ErrorIs(t, err, pool.ErrFull)
		require.Equal(t, before, p.Stats().Accepted)
		close(g.open)
	})
}

func TestStarMapSpreadsPairs(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		got, err := pool.StarMap(t.Context(), p, add, slices.All([]int{10, 20, 30}))
		require.NoError(t, err)
		require.Equal(t, []int{10, 21, 32}, got)
		got, err = pool.StarMapAsync(t.Context(), p, add, slices.All([]int{10})).Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{10}, got)
	})
}

func TestIteratorThatFailsMidwayFailsTheStarMap(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		mine := errors.New("mine")
		var failing iter.Seq2[int, int] = func(yield func(int, int) bool) {
			yield(1, 1)
			panic(mine)
		}
		_, err := pool.StarMap(t.Context(), p, add, failing)
		require.ErrorIs(t, err, mine)
		require.Zero(t, p.Stats().Accepted)
	})
}

func TestBroadcastRunsOnceOnEveryWorkerInTheirOrder(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, routing := range strategies {
			p := newPool(t, pool.WithWorkers(3), pool.WithName("b"), pool.WithRouting(routing))
			got, err := pool.Broadcast(t.Context(), p, func(ctx context.Context) (string, error) { return pool.WorkerName(ctx), nil })
			require.NoError(t, err)
			require.Equal(t, []string{"b/worker-1", "b/worker-2", "b/worker-3"}, got)
		}
	})
}

func TestBroadcastWaitsForItsTurnOnABusyWorker(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := occupy(t, p)
		r := pool.BroadcastAsync(t.Context(), p, value(1))
		synctest.Wait()
		require.False(t, r.Ready())
		close(g.open)
		got, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{1, 1}, got)
	})
}

// Cancelled tasks leave places behind, which are taken out of the queue when there are many.
func TestBroadcastWaitsForItsTurnThoughManyLaterTasksAreCancelled(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := occupy(t, p)
		const tasks = 100
		begun := 0
		begin := func(context.Context) (int, error) { begun++; return begun, nil }
		for range tasks {
			pool.ApplyAsync(t.Context(), p, begin)
		}
		b := pool.BroadcastAsync(t.Context(), p, begin)
		for range 3 * tasks {
			require.True(t, pool.ApplyAsync(t.Context(), p, begin).Cancel())
		}
		last := pool.ApplyAsync(t.Context(), p, begin)
		close(g.open)
		got, err := b.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{tasks + 1}, got)
		turn, err := last.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, tasks+2, turn)
	})
}

func TestBroadcastSurvivesPanics(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		for range 3 {
			got, err := pool.Broadcast(t.Context(), p, func(ctx context.Context) (int, error) {
				if pool.WorkerName(ctx) == p.Name()+"/worker-2" {
					panic("boom")
				}
				return 1, nil
			})
			var panicked *pool.PanicError
			require.ErrorAs(t, err, &panicked)
			require.Equal(t, []int{1, 0, 1}, got)
		}
	})
}

func TestCancelMayMeetTheEndOfTheLastChunk(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		for range 500 {
			started := make(chan struct{})
			r := pool.MapAsync(t.Context(), p, func(context.Context, int) (int, error) { close(started); return 1, nil }, []int{0})
			<-started
			r.Cancel()
			got, err := r.Get(t.Context())
			if err != nil {
				require.ErrorIs(t, err, pool.ErrCancelled)
			} else {
				require.Equal(t, []int{1}, got)
			}
		}
	})
}

func TestStarMapTakesTheOptionsOfAMap(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		pairs := func(yield func(int, int) bool) { _ = yield(1, 2) && yield(3, 4) && yield(5, 6) }
		mine := errors.New("mine")
		var called []string
		r := pool.StarMapAsync(t.Context(), p, func(_ context.Context, a, b int) (int, error) {
			if a == 1 {
				return 0, mine
			}
			return a + b, nil
		}, pairs, pool.WithChunkSize(2), pool.WithTaskName("sums"), pool.WithErrorCallback(func(err error) { called = append(called, err.Error()) }))
		got, err := r.Get(t.Context())
		require.ErrorIs(t, err, mine)
		require.Equal(t, []int{0, 0, 11}, got, "the error abandons the rest of its chunk")
		require.Equal(t, []string{"item 0: mine"}, called)
		require.Equal(t, "sums", r.Name())

		_, err = pool.StarMap(t.Context(), p, func(ctx context.Context, _, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() },
			pairs, pool.WithTimeout(time.Second))
		require.ErrorIs(t, err, pool.ErrTimeout)
	})
}

func TestStarMapDoesNotTouchItsInputForNothing(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		endless := func(yield func(int, int) bool) {
			for yield(1, 2) {
			}
		}
		_, err := pool.StarMap(t.Context(), p, add, endless, pool.WithChunkSize(0))
		require.ErrorIs(t, err, pool.ErrInvalid)
		p.Close()
		_, err = pool.StarMap(t.Context(), p, add, endless)
		require.ErrorIs(t, err, pool.ErrClosed)
	})
}

func TestStarMapFailsWithTheErrorOfTheSequenceItsPairsAreMadeFrom(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		mine := errors.New("mine")
		lines := pool.Fallible(func(yield func(int, error) bool) { _ = yield(1, nil) && yield(0, mine) })
		_, err := pool.StarMap(t.Context(), p, add, func(yield func(int, int) bool) {
			for n := range lines {
				if !yield(n, n) {
					return
				}
			}
		})
		require.Same(t, mine, err)
	})
}

func TestMapWithAnEndedContextIsCancelledEvenIfItIsEmpty(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := pool.Map(ctx, newPool(t), double, nil)
		require.ErrorIs(t, err, pool.ErrCancelled)
	})
}
