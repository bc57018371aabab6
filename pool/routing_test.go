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

// strategies are all there are; the conformance suite below runs with each.
var strategies = map[string]func() pool.Strategy{
	"shared queue": pool.SharedQueue,
	"round robin":  pool.RoundRobin,
	"random":       pool.Random,
	"least loaded": pool.LeastLoaded,
	"key ordered":  pool.KeyOrdered,
}

func TestEveryStrategy(t *testing.T) {
	suite := map[string]func(t testing.TB, p *pool.Pool){
		"runs every task once":                  runsEveryTaskOnce,
		"runs what a task waits for":            runsWhatATaskWaitsFor,
		"drains on close":                       drainsOnClose,
		"ends every task on terminate":          endsEveryTaskOnTerminate,
		"frees the place of a cancelled task":   freesThePlaceOfACancelledTask,
		"goes on after panics on every worker":  goesOnAfterPanics,
		"runs maps, streams and broadcasts":     runsMapsStreamsAndBroadcasts,
		"starts the tasks of a worker in order": startsTheTasksOfAWorkerInOrder,
	}
	for name, routing := range strategies {
		for behaviour, check := range suite {
			t.Run(name+"/"+behaviour, func(t *testing.T) {
				pooltest.Run(t, func(t *pooltest.Kit) {
					check(t, newPool(t, pool.WithWorkers(3), pool.WithRouting(routing)))
				})
			})
		}
	}
}

func runsEveryTaskOnce(t testing.TB, p *pool.Pool) {
	var mu sync.Mutex
	ran := map[int]int{}
	for i := range 100 {
		pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			ran[i]++
			return 0, nil
		})
	}
	require.NoError(t, p.Shutdown(t.Context()))
	require.Len(t, ran, 100)
	for _, n := range ran {
		require.Equal(t, 1, n)
	}
}

func runsWhatATaskWaitsFor(t testing.TB, p *pool.Pool) {
	v, err := pool.Apply(t.Context(), p, fib(p, 10))
	require.NoError(t, err)
	require.Equal(t, 55, v)
}

func drainsOnClose(t testing.TB, p *pool.Pool) {
	results := make([]pool.Awaitable, 50)
	for i := range results {
		results[i] = pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { time.Sleep(time.Second); return i, nil })
	}
	require.NoError(t, p.Shutdown(t.Context()))
	for _, r := range results {
		ok, err := r.Successful()
		require.NoError(t, err)
		require.True(t, ok)
	}
}

func endsEveryTaskOnTerminate(t testing.TB, p *pool.Pool) {
	results := make([]*pool.AsyncResult[string], 50)
	for i := range results {
		g := &gate{make(chan struct{}, 1), make(chan struct{})}
		results[i] = pool.ApplyAsync(t.Context(), p, g.task)
	}
	p.Terminate()
	for _, r := range results {
		_, err := r.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrTerminated)
	}
}

func freesThePlaceOfACancelledTask(t testing.TB, p *pool.Pool) {
	for range p.Workers() {
		pool.ApplyAsync(t.Context(), p, newGate().task)
	}
	var results []*pool.AsyncResult[int]
	for range 30 {
		results = append(results, pool.ApplyAsync(t.Context(), p, value(1)))
	}
	synctest.Wait()
	for _, r := range results { // those routed to a worker without a gate have run
		require.NotEqual(t, r.Ready(), r.Cancel())
	}
	require.LessOrEqual(t, p.Stats().Waiting, p.Workers()-1, "only gates may still wait, behind each other")
}

func goesOnAfterPanics(t testing.TB, p *pool.Pool) {
	for range 20 {
		_, err := pool.Apply(t.Context(), p, func(context.Context) (int, error) { panic("boom") })
		var panicked *pool.PanicError
		require.ErrorAs(t, err, &panicked)
	}
	runsEveryTaskOnce(t, p)
}

func runsMapsStreamsAndBroadcasts(t testing.TB, p *pool.Pool) {
	mapped, err := pool.Map(t.Context(), p, double, []int{1, 2, 3, 4, 5})
	require.NoError(t, err)
	require.Equal(t, []int{2, 4, 6, 8, 10}, mapped)
	var streamed []int
	for v, err := range pool.IMap(t.Context(), p, double, count(100)).All() {
		require.NoError(t, err)
		streamed = append(streamed, v)
	}
	require.Len(t, streamed, 100)
	require.True(t, slices.IsSorted(streamed))
	all, err := pool.Broadcast(t.Context(), p, value(1))
	require.NoError(t, err)
	require.Len(t, all, p.Workers())
}

func startsTheTasksOfAWorkerInOrder(t testing.TB, p *pool.Pool) {
	var mu sync.Mutex
	byWorker := map[string][]int{}
	for i := range 100 {
		pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			mu.Lock()
			byWorker[pool.WorkerName(ctx)] = append(byWorker[pool.WorkerName(ctx)], i)
			mu.Unlock()
			time.Sleep(time.Second)
			return 0, nil
		})
	}
	require.NoError(t, p.Shutdown(t.Context()))
	for worker, order := range byWorker {
		require.True(t, slices.IsSorted(order), "%s: %v", worker, order)
	}
}

// workersOf returns the workers that ran n tasks of a second each, by task.
func workersOf(t testing.TB, p *pool.Pool, n int) []string {
	results := make([]*pool.AsyncResult[string], n)
	for i := range results {
		results[i] = pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (string, error) {
			time.Sleep(time.Second)
			return pool.WorkerName(ctx), nil
		})
	}
	names := make([]string, n)
	for i, r := range results {
		name, err := r.Get(t.Context())
		require.NoError(t, err)
		names[i] = name[len(name)-1:]
	}
	return names
}

func TestRoundRobinGivesTheTasksToTheWorkersInTurn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3), pool.WithRouting(pool.RoundRobin))
		require.Equal(t, []string{"1", "2", "3", "1", "2", "3", "1"}, workersOf(t, p, 7))
	})
}

func TestLeastLoadedGivesATaskToTheWorkerThatHoldsTheFewest(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3), pool.WithRouting(pool.LeastLoaded))
		require.Equal(t, []string{"1", "2", "3", "1", "2", "3"}, workersOf(t, p, 6))
	})
}

func TestRandomUsesEveryWorker(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3), pool.WithRouting(pool.Random))
		names := workersOf(t, p, 200) // all on one worker: 3 × 3⁻²⁰⁰
		slices.Sort(names)
		require.Equal(t, []string{"1", "2", "3"}, slices.Compact(names))
	})
}

func TestTasksWithOneKeyRunOneAfterAnotherInOrder(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(4), pool.WithRouting(pool.KeyOrdered))
		var mu sync.Mutex
		order := map[string][]int{}
		begin := time.Now()
		for i := range 40 {
			key := string(rune('a' + i%4))
			pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) {
				time.Sleep(time.Second)
				mu.Lock()
				order[key] = append(order[key], i)
				mu.Unlock()
				if i%8 == 3 {
					panic("boom")
				}
				return 0, nil
			}, pool.WithKey(key))
		}
		require.NoError(t, p.Shutdown(t.Context()))
		require.Equal(t, 10*time.Second, time.Since(begin), "other keys run beside it")
		for key, got := range order {
			require.Len(t, got, 10)
			require.True(t, slices.IsSorted(got), "%s: %v", key, got)
		}
	})
}

func TestCancelledTaskLetsTheNextWithItsKeyGoAhead(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithRouting(pool.KeyOrdered))
		g := occupy(t, p)
		first := pool.ApplyAsync(t.Context(), p, value(1), pool.WithKey("k"))
		second := pool.ApplyAsync(t.Context(), p, value(2), pool.WithKey("k"))
		third := pool.ApplyAsync(t.Context(), p, value(3), pool.WithKey("k"))
		first.Cancel()
		second.Cancel()
		close(g.open)
		v, err := third.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, v)
	})
}

func TestKeyIsRefusedWhereItMeansNothing(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		_, err := pool.Apply(t.Context(), p, value(1), pool.WithKey("k"))
		require.ErrorIs(t, err, pool.ErrKeysUnused)
		require.ErrorContains(t, err, `"k"`)
	})
}

// badStrategy does what a strategy must not.
type badStrategy struct{ target pool.Target }

func (badStrategy) UsesKeys() bool { return true }
func (s badStrategy) Route(key string, _ int, _ func(int) int) pool.Target {
	if key == "panic" {
		panic(errors.New("mine"))
	}
	return s.target
}

func TestStrategyThatMisbehavesRefusesTheTaskOnly(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, target := range []pool.Target{{Worker: -1}, {Worker: 3}, {Worker: 1, InOrder: true}} {
			p := newPool(t, pool.WithWorkers(2), pool.WithRouting(func() pool.Strategy { return badStrategy{target} }))
			_, err := pool.Apply(t.Context(), p, value(1))
			require.ErrorIs(t, err, pool.ErrInvalid)
		}
		p := newPool(t, pool.WithWorkers(2), pool.WithRouting(func() pool.Strategy { return badStrategy{} }))
		_, err := pool.Apply(t.Context(), p, value(1), pool.WithKey("panic"))
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, "mine")
		v, err := pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
	})
}

// perWorker are the strategies that give each worker a queue of its own.
func perWorker() map[string]func() pool.Strategy {
	return map[string]func() pool.Strategy{
		"round robin": pool.RoundRobin,
		"the first":   func() pool.Strategy { return badStrategy{pool.Target{Worker: 1}} },
	}
}

func TestMapsAndStreamsAreNotRouted(t *testing.T) {
	for name, strategy := range perWorker() {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(2), pool.WithRouting(strategy))
				g := occupy(t, p) // worker 1
				v, err := pool.Map(hour(t), p, double, []int{1, 2, 3}, pool.WithChunkSize(1))
				require.NoError(t, err)
				require.Equal(t, []int{2, 4, 6}, v)
				s := pool.IMap(hour(t), p, func(ctx context.Context, n int) (int, error) {
					time.Sleep(time.Millisecond)
					return double(ctx, n)
				}, func(yield func(int) bool) {
					for i := range 20 {
						if i == 10 {
							time.Sleep(time.Second) // the runner has left by then
						}
						if !yield(i) {
							return
						}
					}
				})
				n := 0
				for v, err := range s.All() {
					require.NoError(t, err)
					require.Equal(t, 2*n, v)
					n++
				}
				require.Equal(t, 20, n)
				close(g.open)
			})
		})
	}
}

func TestChunkThatAnotherWaitsForRunsOnAnyFreeWorker(t *testing.T) {
	for name, strategy := range perWorker() {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(3), pool.WithRouting(strategy))
				g := occupy(t, p) // worker 1
				pool.ApplyAsync(t.Context(), p, value(1))
				second := make(chan struct{})
				r := pool.MapAsync(t.Context(), p, func(_ context.Context, n int) (int, error) {
					if n == 0 {
						<-second
					} else {
						close(second)
					}
					return n, nil
				}, []int{0, 1}, pool.WithChunkSize(1))
				_, err := r.Get(hour(t))
				require.NoError(t, err)
				close(g.open)
			})
		})
	}
}

func TestEndlessStreamLeavesRoomForTheTasksOfItsWorker(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.RoundRobin))
		g := occupy(t, p) // worker 1
		ctx, cancel := context.WithCancel(t.Context())
		pause := func(_ context.Context, n int) (int, error) { time.Sleep(time.Millisecond); return n, nil }
		s := pool.IMap(ctx, p, pause, func(yield func(int) bool) {
			for yield(1) {
			}
		})
		var reader sync.WaitGroup
		reader.Go(func() {
			for range s.All() {
			}
		})
		time.Sleep(time.Second)
		second := pool.ApplyAsync(t.Context(), p, value(2)) // worker 2
		third := pool.ApplyAsync(t.Context(), p, value(1))  // worker 1
		_, err := second.Get(hour(t))
		require.NoError(t, err)
		close(g.open)
		_, err = third.Get(hour(t))
		require.NoError(t, err)
		cancel()
		reader.Wait()
	})
}
