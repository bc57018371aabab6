package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

func ExampleIMap() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	for value, err := range pool.IMap(ctx, p, square, slices.Values([]int{1, 2, 3})).All() {
		fmt.Println(value, err)
	}
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
}

// An item's error stands at its place, also within a chunk, and the stream goes on.
func ExampleIMap_error() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	divide := func(_ context.Context, n int) (int, error) { return 12 / n, nil }
	for value, err := range pool.IMap(ctx, p, divide, slices.Values([]int{4, 0, 3}), pool.WithChunkSize(3)).All() {
		var panicked *pool.PanicError
		if errors.As(err, &panicked) {
			fmt.Println(panicked.Value)
			continue
		}
		fmt.Println(value)
	}
	// Output:
	// 3
	// runtime error: integer divide by zero
	// 4
}

func ExampleIMapUnordered() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	fetch := func(_ context.Context, name string) (string, error) {
		if name == "slow" {
			<-gate
		}
		return name, nil
	}
	for name, err := range pool.IMapUnordered(ctx, p, fetch, slices.Values([]string{"slow", "quick", "quicker"})).All() {
		fmt.Println(name, err)
		if name == "quicker" {
			close(gate)
		}
	}
	// Output:
	// quick <nil>
	// quicker <nil>
	// slow <nil>
}

func ExampleStream_Next() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	s := pool.IMap(ctx, p, square, slices.Values([]int{3}))
	fmt.Println(s.Next(ctx))
	_, err = s.Next(ctx)
	fmt.Println(err, errors.Is(err, pool.ErrStreamEnd))
	// Output:
	// 9 <nil>
	// end of stream true
}

func ExampleStream_Next_timeout() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	s := pool.IMap(ctx, p, func(_ context.Context, n int) (int, error) { <-gate; return n * n, nil },
		slices.Values([]int{3, 4}))

	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err = s.Next(short)
	fmt.Println(err)

	close(gate)
	fmt.Println(s.Next(ctx))
	fmt.Println(s.Next(ctx))
	// Output:
	// result not ready: context deadline exceeded
	// 9 <nil>
	// 16 <nil>
}

// Several goroutines may read a stream; each result goes to one of them.
func ExampleStream_Next_readers() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	s := pool.IMap(ctx, p, square, slices.Values([]int{1, 2, 3, 4}))
	var sum atomic.Int64
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for value, err := s.Next(ctx); err == nil; value, err = s.Next(ctx) {
				sum.Add(int64(value))
			}
		})
	}
	readers.Wait()
	fmt.Println(sum.Load())
	// Output: 30
}

func ExampleStream_All() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	endless := func(yield func(int) bool) {
		for n := 1; yield(n); n++ {
		}
	}
	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	s := pool.IMap(ctx, p, square, endless)
	for value, err := range s.All() {
		fmt.Println(value, err)
		if value == 9 {
			break // cancels the stream
		}
	}
	fmt.Println("cancelled before:", !s.Cancel())
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
	// cancelled before: true
}

func ExampleStream_Cancel() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	defer close(gate)
	s := pool.IMap(ctx, p, func(_ context.Context, n int) (int, error) { <-gate; return n, nil },
		slices.Values([]int{1, 2, 3}))
	fmt.Println(s.Cancel())
	_, err = s.Next(ctx)
	fmt.Println(err)
	// Output:
	// true
	// task cancelled: context canceled
}

func ExampleFallible() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	lines := func(yield func(string, error) bool) {
		_ = yield("first", nil) && yield("second", nil) && yield("", errors.New("connection reset"))
	}
	length := func(_ context.Context, line string) (int, error) { return len(line), nil }
	for n, err := range pool.IMap(ctx, p, length, pool.Fallible(lines)).All() {
		fmt.Println(n, err)
	}
	// Output:
	// 5 <nil>
	// 6 <nil>
	// 0 connection reset
}

// The input is endless; no more than the window is taken ahead of the reader.
func ExampleWithWindow() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	var taken atomic.Int64
	endless := func(yield func(int64) bool) {
		for yield(taken.Add(1)) {
		}
	}
	s := pool.IMap(ctx, p, func(_ context.Context, n int64) (int64, error) { return n * n, nil }, endless, pool.WithWindow(4))
	for range 10 {
		if _, err := s.Next(ctx); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println("at most 14 of them:", taken.Load() <= 14)
	fmt.Println(s.Cancel())
	// Output:
	// at most 14 of them: true
	// true
}
