package pool_test

import (
	"context"
	"iter"
	"math/rand/v2"
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

// Runners take several items at once while these are short; so the first ones are,
// in these tests, and then some block with others behind them in the same range.

var streams = []func(context.Context, *pool.Pool, func(context.Context, int) (int, error), iter.Seq[int], ...pool.MapOption) *pool.Stream[int]{
	pool.IMap[int, int], pool.IMapUnordered[int, int],
}

func TestItemBehindABlockedOneInARangeIsTakenByAnotherWorker(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		for blocked := 500; blocked < 510; blocked++ { // wherever in its range it is
			for _, stream := range streams {
				behind := make(chan struct{})
				s := stream(t.Context(), p, func(_ context.Context, n int) (int, error) {
					switch n {
					case blocked:
						<-behind
					case blocked + 1:
						close(behind)
					}
					return n, nil
				}, count(600), pool.WithWindow(64))
				got := read(t, s)
				slices.Sort(got)
				require.Equal(t, slices.Collect(count(600)), got)
			}
		}
	})
}

// read reads a stream without errors to its end, within an hour.
func read(t testing.TB, s *pool.Stream[int]) (got []int) {
	t.Helper()
	ctx := hour(t)
	for {
		v, err := s.Next(ctx)
		if err == pool.ErrStreamEnd {
			return got
		}
		if err != nil {
			s.Cancel()
		}
		require.NoError(t, err)
		got = append(got, v)
	}
}

func TestItemBehindABlockedOneInARangeIsTakenByTheTaskThatReads(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		reader := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			taken := make(chan struct{})
			s := pool.IMap(ctx, p, func(_ context.Context, n int) (int, error) {
				switch {
				case n == 300:
					<-taken // by the reader, for the other worker is here
				case n == 301:
					close(taken)
				}
				return n, nil
			}, count(400), pool.WithWindow(64))
			n := 0
			for v, err := range s.All() {
				require.NoError(t, err)
				require.Equal(t, n, v)
				n++
			}
			return n, nil
		})
		require.NoError(t, reader.Wait(hour(t)))
		n, err := reader.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 400, n)
	})
}

func TestFailureInARangeLosesNothingBehindIt(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, workers := range []int{1, 3} {
			for _, chunk := range []int{1, 5} {
				p := newPool(t, pool.WithWorkers(workers))
				s := pool.IMap(t.Context(), p, func(_ context.Context, n int) (int, error) {
					switch n % 50 {
					case 7:
						panic("boom")
					case 13:
						runtime.Goexit()
					}
					return n, nil
				}, count(500), pool.WithChunkSize(chunk))
				ctx := hour(t)
				for n := range 500 {
					v, err := s.Next(ctx)
					switch n % 50 {
					case 7:
						require.ErrorContains(t, err, "boom")
					case 13:
						require.ErrorIs(t, err, pool.ErrGoexit)
					default:
						require.NoError(t, err)
						require.Equal(t, n, v)
					}
				}
				_, err := s.Next(hour(t))
				require.ErrorIs(t, err, pool.ErrStreamEnd)
			}
		}
	})
}

func TestCancelQueuedDropsWhatIsInARangeAndWasNotBegun(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, stream := range streams {
			p := newPool(t, pool.WithWorkers(2))
			open := make(chan struct{})
			var ran atomic.Int64
			fn := func(_ context.Context, n int) (int, error) {
				ran.Add(1)
				if n == 300 || n == 301 {
					<-open
				}
				return n, nil
			}
			s := stream(t.Context(), p, fn, count(1000), pool.WithWindow(64))
			var got []int
			for range 300 {
				v, err := s.Next(hour(t))
				require.NoError(t, err)
				got = append(got, v)
			}
			synctest.Wait()
			require.Equal(t, 1, p.CancelQueued())
			begun := ran.Load()
			close(open)
			var err error
			for err == nil || !(err == pool.ErrStreamEnd) {
				var v int
				if v, err = s.Next(hour(t)); err == nil {
					got = append(got, v)
				} else if err != pool.ErrStreamEnd {
					require.ErrorIs(t, err, pool.ErrCancelled)
				}
			}
			require.Equal(t, begun, ran.Load(), "nothing began afterwards")
			require.EqualValues(t, begun, len(got), "what had begun has its result")
		}
	})
}

func TestStreamIsWholeWhateverItsWindow(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(4))
		for _, window := range []int{1, 2, 63, 64, 65, 200, 600} {
			slow := func(_ context.Context, n int) (int, error) {
				if n%97 == 0 { // one of many is overtaken by hundreds
					time.Sleep(time.Second)
				}
				return n, nil
			}
			require.Equal(t, slices.Collect(count(500)), read(t, pool.IMap(t.Context(), p, slow, count(500), pool.WithWindow(window))))
			got := read(t, pool.IMapUnordered(t.Context(), p, slow, count(500), pool.WithWindow(window)))
			slices.Sort(got)
			require.Equal(t, slices.Collect(count(500)), got)
		}
	})
}

// Feeder, runners and readers fall asleep and wake each other at every point. If a
// wake-up is lost, a stream never ends.
func TestStreamLosesNoWakeUp(t *testing.T) {
	for _, workers := range []int{1, 2, 8} {
		p, err := pool.New(pool.WithWorkers(workers))
		require.NoError(t, err)
		var progress atomic.Int64
		over := make(chan struct{})
		go func() {
			defer close(over)
			for range max(1, numberOfBursts()/100) {
				gapped(t, p, &progress)
			}
		}()
		watch(t, over, func() string { return "a stream" }, &progress)
		require.NoError(t, p.Shutdown(context.Background()))
	}
}

// gapped reads a stream in which everybody pauses now and then.
func gapped(t testing.TB, p *pool.Pool, progress *atomic.Int64) {
	const items = 200
	pause := func() {
		if rand.IntN(8) == 0 {
			gap()
		}
	}
	sequence := func(yield func(int) bool) {
		for i := range items {
			pause()
			if !yield(i) {
				return
			}
		}
	}
	fn := func(_ context.Context, n int) (int, error) { pause(); return n, nil }
	opts := []pool.MapOption{pool.WithWindow(1 + rand.IntN(100)), pool.WithChunkSize(1 + rand.IntN(3))}
	s := streams[rand.IntN(2)](context.Background(), p, fn, sequence, opts...)
	var sum atomic.Int64
	var readers sync.WaitGroup
	for range 1 + rand.IntN(2) {
		readers.Go(func() {
			for v, err := range s.All() {
				if err != nil {
					t.Errorf("item: %v", err)
				}
				progress.Add(1)
				sum.Add(int64(v))
				pause()
			}
		})
	}
	readers.Wait()
	if sum.Load() != items*(items-1)/2 {
		t.Errorf("sum %d", sum.Load())
	}
}
