package pool_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/greenroom-go/greenroom/pool"
)

func benchPool(b *testing.B, opts ...pool.Option) *pool.Pool {
	p, err := pool.New(append([]pool.Option{pool.WithWorkers(8)}, opts...)...)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func BenchmarkZGo(b *testing.B) {
	p := benchPool(b)
	b.ReportAllocs()
	ctx := context.Background()
	f := func() {}
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		p.Go(ctx, f)
	}
	p.Shutdown(ctx)
}
func BenchmarkZGo64(b *testing.B) {
	p := benchPool(b)
	b.ReportAllocs()
	ctx := context.Background()
	f := func() {}
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := 0; i < b.N/64; i++ {
				p.Go(ctx, f)
			}
		})
	}
	wg.Wait()
	p.Shutdown(ctx)
}
func BenchmarkZApplyAsync(b *testing.B) {
	p := benchPool(b)
	b.ReportAllocs()
	ctx := context.Background()
	f := func(context.Context) (int, error) { return 1, nil }
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		pool.ApplyAsync(ctx, p, f)
	}
	p.Shutdown(ctx)
}
func BenchmarkZApplyAsync64(b *testing.B) {
	p := benchPool(b)
	b.ReportAllocs()
	ctx := context.Background()
	f := func(context.Context) (int, error) { return 1, nil }
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := 0; i < b.N/64; i++ {
				pool.ApplyAsync(ctx, p, f)
			}
		})
	}
	wg.Wait()
	p.Shutdown(ctx)
}
func BenchmarkZResult(b *testing.B) {
	p := benchPool(b, pool.WithUnboundedQueue())
	b.ReportAllocs()
	ctx := context.Background()
	rs := make([]*pool.AsyncResult[int], 100000)
	b.ResetTimer()
	for n := 0; n < b.N; n += len(rs) {
		for i := range rs {
			rs[i] = pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return i, nil })
		}
		for i := range rs {
			if v, _ := rs[i].Get(ctx); v != i {
				b.Fatal("wrong")
			}
		}
	}
	b.StopTimer()
	p.Shutdown(ctx)
}
func BenchmarkZApply(b *testing.B) {
	p := benchPool(b)
	b.ReportAllocs()
	ctx := context.Background()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		pool.Apply(ctx, p, func(context.Context) (int, error) { return i, nil })
	}
	b.StopTimer()
	p.Shutdown(ctx)
}
func BenchmarkZApplyCancellable(b *testing.B) {
	p := benchPool(b)
	b.ReportAllocs()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		pool.Apply(ctx, p, func(context.Context) (int, error) { return i, nil })
	}
	b.StopTimer()
	p.Shutdown(context.Background())
}
func BenchmarkZChannel(b *testing.B) {
	c := make(chan func(), 1024)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for f := range c {
				f()
			}
		})
	}
	f := func() {}
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		c <- f
	}
	close(c)
	wg.Wait()
}
func BenchmarkZGoroutineApply(b *testing.B) {
	for i := 0; i < b.N; i++ {
		c := make(chan int, 1)
		go func() { c <- i }()
		<-c
	}
}
func BenchmarkZStatic1M(b *testing.B) {
	in := make([]int, 1e6)
	for n := 0; n < b.N; n++ {
		out := make([]int, len(in))
		var wg sync.WaitGroup
		k := runtime.GOMAXPROCS(0)
		for w := range k {
			lo, hi := w*len(in)/k, (w+1)*len(in)/k
			wg.Go(func() {
				for i := lo; i < hi; i++ {
					out[i] = in[i] * in[i]
				}
			})
		}
		wg.Wait()
	}
}
func BenchmarkZMap1M(b *testing.B) {
	p := benchPool(b)
	in := make([]int, 1e6)
	ctx := context.Background()
	b.ResetTimer()
	for n := 0; n < b.N; n++ {
		pool.Map(ctx, p, func(_ context.Context, x int) (int, error) { return x * x, nil }, in)
	}
	b.StopTimer()
	p.Shutdown(context.Background())
}
