package pool_test

import (
	"context"
	"iter"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
)

// These are for work on the pool itself; benchmarks/ compares it with others.

func benchPool(b *testing.B, opts ...pool.Option) *pool.Pool {
	p, err := pool.New(append([]pool.Option{pool.WithWorkers(8)}, opts...)...)
	require.NoError(b, err)
	b.ReportAllocs()
	return p
}

func square(_ context.Context, n int) (int, error) { return n * n, nil }

func BenchmarkGo(b *testing.B) {
	p, fn := benchPool(b), func() {}
	for b.Loop() {
		_ = p.Go(context.Background(), fn)
	}
	_ = p.Shutdown(context.Background())
}

func BenchmarkGoOf64Producers(b *testing.B) {
	p, fn := benchPool(b), func() {}
	var producers sync.WaitGroup
	for range 64 {
		producers.Go(func() {
			for range b.N / 64 {
				_ = p.Go(context.Background(), fn)
			}
		})
	}
	producers.Wait()
	_ = p.Shutdown(context.Background())
}

func BenchmarkApplyAsync(b *testing.B) {
	p, fn := benchPool(b), value(1)
	for b.Loop() {
		pool.ApplyAsync(context.Background(), p, fn)
	}
	_ = p.Shutdown(context.Background())
}

func BenchmarkApplyEach(b *testing.B) {
	p, items := benchPool(b, pool.WithUnboundedQueue()), make([]int, 100_000)
	for range max(1, b.N/len(items)) {
		for _, r := range pool.ApplyEach(context.Background(), p, square, items) {
			_ = r.Wait(context.Background())
		}
	}
	_ = p.Shutdown(context.Background())
}

func BenchmarkApply(b *testing.B) {
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, ctx := range map[string]context.Context{"Background": context.Background(), "Cancellable": cancellable} {
		b.Run(name, func(b *testing.B) {
			p, fn := benchPool(b), value(1)
			for b.Loop() {
				_, _ = pool.Apply(ctx, p, fn)
			}
			_ = p.Shutdown(context.Background())
		})
	}
}

func BenchmarkMap(b *testing.B) {
	for name, n := range map[string]int{"1": 1, "16": 16, "256": 256, "1M": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			p, items := benchPool(b), make([]int, n)
			for b.Loop() {
				_, _ = pool.Map(context.Background(), p, square, items)
			}
			_ = p.Shutdown(context.Background())
		})
	}
}

func BenchmarkIMap(b *testing.B) {
	for name, run := range map[string]struct {
		imap func(context.Context, *pool.Pool, func(context.Context, int) (int, error), iter.Seq[int], ...pool.MapOption) *pool.Stream[int]
		opts []pool.MapOption
	}{
		"Ordered":   {pool.IMap[int, int], nil},
		"Unordered": {pool.IMapUnordered[int, int], nil},
		"Chunked":   {pool.IMap[int, int], []pool.MapOption{pool.WithChunkSize(64)}},
	} {
		b.Run(name, func(b *testing.B) {
			p := benchPool(b)
			for range run.imap(context.Background(), p, square, count(b.N), run.opts...).All() {
			}
			_ = p.Shutdown(context.Background())
		})
	}
}

// forkJoin computes fibonacci with a task for one half of each.
func forkJoin(ctx context.Context, p *pool.Pool, n int) int {
	if n < 2 {
		return n
	}
	half := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) { return forkJoin(ctx, p, n-1), nil })
	other := forkJoin(ctx, p, n-2)
	value, _ := half.Get(ctx)
	return value + other
}

func BenchmarkForkJoin(b *testing.B) {
	p := benchPool(b)
	for b.Loop() {
		_, _ = pool.Apply(context.Background(), p, func(ctx context.Context) (int, error) { return forkJoin(ctx, p, 12), nil })
	}
	_ = p.Shutdown(context.Background())
}

// The life of a pool of which every worker is used: all tasks must run at once.
func BenchmarkCreateUseShutDown(b *testing.B) {
	for _, workers := range []int{8, 10_000} {
		b.Run(strconv.Itoa(workers), func(b *testing.B) {
			for b.Loop() {
				p := benchPool(b, pool.WithWorkers(workers))
				var all sync.WaitGroup
				all.Add(workers)
				for range workers {
					_ = p.Go(context.Background(), func() { all.Done(); all.Wait() })
				}
				_ = p.Shutdown(context.Background())
			}
		})
	}
}

// BenchmarkKeys has many tasks wait before the first is taken. What one costs does not
// depend on how many keys there are.
func BenchmarkKeys(b *testing.B) {
	const tasks = 20_000
	for _, keys := range []int{100, tasks / 2} {
		b.Run(strconv.Itoa(keys), func(b *testing.B) {
			of := withKeys(keys)
			for b.Loop() {
				p, err := pool.New(pool.WithWorkers(2), pool.WithRouting(pool.KeyOrdered))
				require.NoError(b, err)
				p.Pause()
				for i := range tasks {
					pool.ApplyAsync(context.Background(), p, value(i), of[i%keys])
				}
				p.Close()
				require.NoError(b, p.Join(context.Background()))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tasks), "ns/task")
		})
	}
}

// BenchmarkKeysDropOldest has each task push out another one.
func BenchmarkKeysDropOldest(b *testing.B) {
	const limit = 20_000
	for _, keys := range []int{100, limit / 2} {
		b.Run(strconv.Itoa(keys), func(b *testing.B) {
			p, of, i := benchPool(b, pool.WithRouting(pool.KeyOrdered), pool.WithQueueLimit(limit), pool.WithQueuePolicy(pool.DropOldest)), withKeys(keys), 0
			p.Pause()
			submit := func() {
				pool.ApplyAsync(context.Background(), p, value(1), of[i%keys])
				i++
			}
			for range limit {
				submit()
			}
			for b.Loop() {
				submit()
			}
			p.Terminate()
			require.NoError(b, p.Join(context.Background()))
		})
	}
}

func withKeys(n int) []pool.TaskOption {
	keys := make([]pool.TaskOption, n)
	for i := range keys {
		keys[i] = pool.WithKey(strconv.Itoa(i))
	}
	return keys
}
