package pool_test

import (
	"context"
	"errors"
	"iter"
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

func TestIMapKeepsTheOrderOfTheItems(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		for _, opts := range [][]pool.MapOption{nil, {pool.WithWindow(1)}, {pool.WithChunkSize(7)}, {pool.WithChunkSize(4), pool.WithWindow(2)}} {
			next := 0
			for v, err := range pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) {
				time.Sleep(time.Duration(n%5) * time.Millisecond)
				return 2 * n, nil
			}, count(200), opts...).All() {
				require.NoError(t, err)
				require.Equal(t, 2*next, v)
				next++
			}
			require.Equal(t, 200, next)
		}
	})
}

func TestIMapUnorderedGivesTheOrderOfCompletion(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(4))
		var got []int
		for v, err := range pool.IMapUnordered(t.Context(), p, func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Duration(10-n) * time.Second)
			return n, nil
		}, count(4)).All() {
			require.NoError(t, err)
			got = append(got, v)
		}
		require.Equal(t, []int{3, 2, 1, 0}, got)
	})
}

func TestEmptyStreamEndsAtOnce(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		s := pool.IMap(t.Context(), p, double, seq())
		_, err := s.Next(t.Context())
		require.ErrorIs(t, err, pool.ErrStreamEnd)
		_, err = s.Next(t.Context())
		require.ErrorIs(t, err, pool.ErrStreamEnd, "again")
	})
}

func TestErrorOfAnItemIsRaisedAtItsPlaceAndTheStreamGoesOn(t *testing.T) {
	mine := errors.New("mine")
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, chunk := range []int{1, 2, 10} {
			p := newPool(t, pool.WithWorkers(2))
			s := pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) {
				switch n {
				case 1:
					return 0, mine
				case 3:
					panic(mine)
				case 5:
					runtime.Goexit()
				}
				return n, nil
			}, count(7), pool.WithChunkSize(chunk))
			for i := range 7 {
				v, err := s.Next(t.Context())
				var item *pool.ItemError
				switch i {
				case 1, 3:
					require.ErrorIs(t, err, mine)
					require.ErrorAs(t, err, &item)
					require.Equal(t, i, item.Index)
				case 5:
					require.ErrorIs(t, err, pool.ErrGoexit)
				default:
					require.NoError(t, err)
					require.Equal(t, i, v)
				}
			}
			_, err := s.Next(t.Context())
			require.ErrorIs(t, err, pool.ErrStreamEnd)
		}
	})
}

func TestFailingSequenceGivesTheItemsSoFarThenItsErrorThenTheEnd(t *testing.T) {
	mine := errors.New("mine")
	for name, fail := range map[string]func(){
		"panic":    func() { panic(mine) },
		"Goexit":   runtime.Goexit,
		"Fallible": nil,
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t)
				var items iter.Seq[int] = func(yield func(int) bool) {
					_ = yield(1) && yield(2)
					fail()
				}
				if fail == nil {
					items = pool.Fallible(func(yield func(int, error) bool) { _ = yield(1, nil) && yield(2, nil) && yield(0, mine) })
				}
				s := pool.IMap(t.Context(), p, double, items)
				for _, want := range []int{2, 4} {
					v, err := s.Next(t.Context())
					require.NoError(t, err)
					require.Equal(t, want, v)
				}
				_, err := s.Next(t.Context())
				require.Error(t, err)
				require.NotErrorIs(t, err, pool.ErrStreamEnd)
				switch name {
				case "panic":
					require.ErrorIs(t, err, mine)
				case "Fallible":
					require.Same(t, mine, err)
				}
				_, err = s.Next(t.Context())
				require.ErrorIs(t, err, pool.ErrStreamEnd)
			})
		})
	}
}

func TestNextThatIsLateMayBeAskedAgainAndLosesNothing(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		s := pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) { time.Sleep(3 * time.Second); return n, nil }, seq(1, 2))
		begin := time.Now()
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := s.Next(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, pool.ErrNotReady)
		}
		for want := 1; want <= 2; want++ {
			v, err := s.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, want, v)
		}
		require.Equal(t, 6*time.Second, time.Since(begin))
	})
}

func TestSequenceIsPulledAtMostAWindowAhead(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		var pulled atomic.Int64
		items := func(yield func(int) bool) {
			for i := range 100 {
				pulled.Add(1)
				if !yield(i) {
					return
				}
			}
		}
		for _, make := range []func() *pool.Stream[int]{
			func() *pool.Stream[int] { return pool.IMap(t.Context(), p, double, items, pool.WithWindow(5)) },
			func() *pool.Stream[int] { return pool.IMapUnordered(t.Context(), p, double, items, pool.WithWindow(5)) },
		} {
			pulled.Store(0)
			s := make()
			for read := range 20 {
				synctest.Wait()
				require.EqualValues(t, 5+read, pulled.Load())
				_, err := s.Next(t.Context())
				require.NoError(t, err)
			}
			require.True(t, s.Cancel())
			synctest.Wait()
		}
	})
}

func TestCloseAndJoinNeedNoReader(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		var ran atomic.Int64
		s := pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) { ran.Add(1); return n, nil }, count(1000), pool.WithWindow(3))
		synctest.Wait()
		require.EqualValues(t, 3, ran.Load())
		p.Close()
		require.NoError(t, p.Join(t.Context()))
		require.EqualValues(t, 1000, ran.Load())
		n := 0
		for v, err := range s.All() {
			require.NoError(t, err)
			require.Equal(t, n, v)
			n++
		}
		require.Equal(t, 1000, n, "the results can still be read")
	})
}

func TestSeveralConsumersShareAStream(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		for _, s := range []*pool.Stream[int]{
			pool.IMap(t.Context(), p, double, count(500)),
			pool.IMapUnordered(t.Context(), p, double, count(500)),
		} {
			var mu sync.Mutex
			var got []int
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					for v, err := range s.All() {
						require.NoError(t, err)
						mu.Lock()
						got = append(got, v/2)
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			slices.Sort(got)
			require.Equal(t, slices.Collect(count(500)), got)
		}
	})
}

func TestStreamThatWasReadToItsEndCannotBeCancelled(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		for _, stream := range []func() *pool.Stream[int]{
			func() *pool.Stream[int] { return pool.IMap(t.Context(), p, double, count(3)) },
			func() *pool.Stream[int] { return pool.IMapUnordered(t.Context(), p, double, count(3)) },
		} {
			for range 100 {
				s := stream()
				for {
					if _, err := s.Next(t.Context()); err != nil {
						require.ErrorIs(t, err, pool.ErrStreamEnd)
						break
					}
				}
				require.False(t, s.Cancel())
				_, err := s.Next(t.Context())
				require.ErrorIs(t, err, pool.ErrStreamEnd)
			}
		}
	})
}

func TestSlowSequenceDelaysNobodyElse(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		hold := make(chan struct{})
		s := pool.IMap(t.Context(), p, double, func(yield func(int) bool) { <-hold; yield(1) })
		v, err := pool.Apply(t.Context(), p, value(3))
		require.NoError(t, err)
		require.Equal(t, 3, v)
		close(hold)
		v, err = s.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, v)
	})
}

func TestEndlessStreamLeavesRoomForOtherTasks(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		s := pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) { time.Sleep(time.Second); return n, nil },
			func(yield func(int) bool) {
				for i := 0; yield(i); i++ {
				}
			})
		begin := time.Now()
		v, err := pool.Apply(t.Context(), p, value(3))
		require.NoError(t, err)
		require.Equal(t, 3, v)
		require.LessOrEqual(t, time.Since(begin), time.Second)
		s.Cancel()
	})
}

func TestBreakingOutOfTheLoopCancelsTheStream(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		stopped := false
		s := pool.IMap(t.Context(), p, double, func(yield func(int) bool) {
			defer func() { stopped = true }()
			for i := 0; yield(i); i++ {
			}
		})
		for range s.All() {
			break
		}
		synctest.Wait()
		require.True(t, stopped, "the sequence cleaned up")
		for err := error(nil); !errors.Is(err, pool.ErrCancelled); {
			_, err = s.Next(t.Context()) // what was computed, then why it ended
		}
	})
}

func TestStreamEndsWithTheContextItWasMadeWith(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		mine := errors.New("mine")
		ctx, cancel := context.WithCancelCause(t.Context())
		seen := make(chan error, 3)
		s := pool.IMap(ctx, p, func(ctx context.Context, n int) (int, error) {
			<-ctx.Done()
			seen <- context.Cause(ctx)
			return 0, ctx.Err()
		}, seq(1, 2, 3))
		synctest.Wait()
		cancel(mine)
		for v, err := range s.All() {
			require.ErrorIs(t, err, pool.ErrCancelled)
			require.ErrorIs(t, err, mine)
			require.Zero(t, v)
		}
		require.ErrorIs(t, <-seen, mine)
	})
}

func TestStreamTimesOutAsAWhole(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		var got []int
		var last error
		for v, err := range pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) { time.Sleep(time.Second); return n, nil },
			count(10), pool.WithTimeout(2500*time.Millisecond)).All() {
			if last = err; err == nil {
				got = append(got, v)
			}
		}
		require.Equal(t, []int{0, 1}, got)
		require.ErrorIs(t, last, pool.ErrTimeout)
	})
}

func TestForsakenStreamRunsToItsEnd(t *testing.T) {
	p, err := pool.New(pool.WithWorkers(2))
	require.NoError(t, err)
	all := make(chan struct{})
	func() {
		pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) {
			if n == 499 {
				close(all)
			}
			return n, nil
		}, count(500), pool.WithWindow(2))
	}()
	for ended := false; !ended; {
		runtime.GC()
		select {
		case <-all:
			ended = true
		case <-t.Context().Done():
			t.Fatal("never")
		default:
			runtime.Gosched()
		}
	}
	require.NoError(t, p.Shutdown(t.Context()))
}

func TestItemThatComesWhileARunnerIsBusyFindsAFreeWorker(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		first, second := make(chan struct{}), make(chan struct{})
		s := pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) {
			if n == 2 {
				close(second)
			} else {
				close(first)
				<-second
			}
			return n, nil
		}, func(yield func(int) bool) {
			if yield(1) {
				<-first
				yield(2)
			}
		})
		v, err := s.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, v)
	})
}

func TestEndlessStreamLeavesRoomForTasksOfPerWorkerQueues(t *testing.T) {
	endless := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
	for name, strategy := range map[string]func() pool.Strategy{"RoundRobin": pool.RoundRobin, "Random": pool.Random, "LeastLoaded": pool.LeastLoaded, "SharedQueue, Broadcast": pool.SharedQueue} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithRouting(strategy))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := pool.IMap(ctx, p, func(_ context.Context, n int) (int, error) { time.Sleep(time.Second); return n, nil }, endless)
				go func() {
					for range s.All() {
					}
				}()
				time.Sleep(1500 * time.Millisecond)
				var err error
				if name == "SharedQueue, Broadcast" {
					_, err = pool.Broadcast(hour(t), p, value(1))
				} else {
					_, err = pool.Apply(hour(t), p, value(1))
				}
				require.NoError(t, err, "starved for an hour")
			})
		})
	}
}
