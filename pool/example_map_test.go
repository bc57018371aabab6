package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

func ExampleMap() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	fmt.Println(pool.Map(ctx, p, square, []int{1, 2, 3, 4, 5}))
	// Output: [1 4 9 16 25] <nil>
}

func ExampleMap_timeout() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	defer close(gate)
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err = pool.Map(short, p, func(context.Context, int) (int, error) { <-gate; return 0, nil }, []int{1, 2, 3})
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrTimeout), errors.Is(err, context.DeadlineExceeded))
	// Output:
	// task timed out: context deadline exceeded
	// true true
}

func ExampleMapAsync() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	upper := func(_ context.Context, s string) (string, error) { return strings.ToUpper(s), nil }
	r := pool.MapAsync(ctx, p, upper, []string{"ann", "bob"},
		pool.WithCallback(func(names []string) { fmt.Println("callback", names) }))
	fmt.Println(r.Get(ctx))
	// Output:
	// callback [ANN BOB]
	// [ANN BOB] <nil>
}

func ExampleMapAsync_empty() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	r := pool.MapAsync(ctx, p, square, nil, pool.WithCallback(func([]int) { fmt.Println("never called") }))
	fmt.Println(r.Ready())
	fmt.Println(r.Get(ctx))
	// Output:
	// true
	// [] <nil>
}

func ExampleStarMap() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	repeat := func(_ context.Context, times int, word string) (string, error) {
		return strings.Repeat(word, times), nil
	}
	fmt.Println(pool.StarMap(ctx, p, repeat, slices.All([]string{"a", "b", "c"})))
	// Output: [ b cc] <nil>
}

func ExampleStarMapAsync() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	multiply := func(_ context.Context, a, b int) (int, error) { return a * b, nil }
	pairs := func(yield func(int, int) bool) {
		_ = yield(2, 5) && yield(3, 2) && yield(10, 3)
	}
	r := pool.StarMapAsync(ctx, p, multiply, pairs)
	fmt.Println(r.Get(ctx))
	// Output: [10 6 30] <nil>
}

func ExampleWithChunkSize() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	fmt.Println(pool.Map(ctx, p, square, []int{1, 2, 3, 4, 5}, pool.WithChunkSize(2)))
	_, err = pool.Map(ctx, p, square, []int{1, 2, 3, 4, 5}, pool.WithChunkSize(0))
	fmt.Println(errors.Is(err, pool.ErrInvalid))
	// Output:
	// [1 4 9 16 25] <nil>
	// true
}

// An error abandons the rest of its own chunk, here 4; the other chunks run.
func ExampleMapError() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	square := func(_ context.Context, n int) (int, error) {
		if n < 0 {
			return 0, errors.New("negative")
		}
		return n * n, nil
	}
	results, err := pool.Map(ctx, p, square, []int{1, 2, -3, 4, 5, 6}, pool.WithChunkSize(2))
	fmt.Println(err)
	var partial *pool.MapError
	if errors.As(err, &partial) {
		fmt.Println(results)
		fmt.Println(partial.Completed)
	}
	// Output:
	// item 2: negative
	// [1 4 0 0 25 36]
	// [true true false false true true]
}

func ExampleItemError() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	files := []string{"a.txt", "b.txt", "c.txt"}
	_, err = pool.Map(ctx, p, func(_ context.Context, name string) (int, error) {
		if name == "b.txt" {
			panic("corrupt")
		}
		return len(name), nil
	}, files)
	var failed *pool.ItemError
	var panicked *pool.PanicError
	if errors.As(err, &failed) && errors.As(err, &panicked) {
		fmt.Println(files[failed.Index], panicked.Value)
	}
	// Output: b.txt corrupt
}

func ExampleWithFailFast() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	var last atomic.Bool
	_, err = pool.Map(ctx, p, func(ctx context.Context, n int) (int, error) {
		switch n {
		case 0:
			<-ctx.Done() // ends when item 1 fails
		case 1:
			return 0, errors.New("no such file")
		case 5:
			last.Store(true)
		}
		return n, nil
	}, []int{0, 1, 2, 3, 4, 5}, pool.WithChunkSize(1), pool.WithFailFast())
	fmt.Println(err)
	fmt.Println(p.Shutdown(ctx), "item 5 was run:", last.Load())
	// Output:
	// item 1: no such file
	// <nil> item 5 was run: false
}
