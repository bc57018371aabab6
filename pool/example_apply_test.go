package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

func ExampleApply() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	base, exponent := 2.0, 10.0
	fmt.Println(pool.Apply(ctx, p, func(context.Context) (float64, error) { return math.Pow(base, exponent), nil }))
	// Output: 1024 <nil>
}

func ExampleApplyAsync() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	six := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return strconv.Atoi("6") })
	bad := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return strconv.Atoi("six") })
	fmt.Println(six.Get(ctx))
	fmt.Println(bad.Get(ctx))
	// Output:
	// 6 <nil>
	// 0 strconv.Atoi: parsing "six": invalid syntax
}

func ExampleApplyEach() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	atoi := func(_ context.Context, s string) (int, error) { return strconv.Atoi(s) }
	for _, r := range pool.ApplyEach(ctx, p, atoi, []string{"6", "six", "7"}) {
		fmt.Println(r.Get(ctx))
	}
	// Output:
	// 6 <nil>
	// 0 strconv.Atoi: parsing "six": invalid syntax
	// 7 <nil>
}

func ExamplePool_Go() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}

	var sum atomic.Int64
	for i := range int64(1000) {
		if err := p.Go(ctx, func() { sum.Add(i) }); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(p.Shutdown(ctx)) // waits for all of them
	fmt.Println(sum.Load())
	// Output:
	// <nil>
	// 499500
}

func ExampleApplyAsync_contextValue() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	type user struct{}
	r := pool.ApplyAsync(context.WithValue(ctx, user{}, "ann"), p, func(ctx context.Context) (any, error) {
		return ctx.Value(user{}), nil
	})
	fmt.Println(r.Get(ctx))
	// Output: ann <nil>
}

func ExampleCall() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	fmt.Println(pool.Call(ctx, p, strings.Repeat, "ab", 3))
	fmt.Println(pool.Call(ctx, p, strconv.Atoi, "six"))
	fmt.Println(pool.Call(ctx, p, strings.Cut, "key=value", "="))
	// Output:
	// ababab <nil>
	// 0 strconv.Atoi: parsing "six": invalid syntax
	// [key value true] <nil>
}

func ExampleCallAsync() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	r := pool.CallAsync(ctx, p, func(ctx context.Context, greeting string, names ...string) string {
		return greeting + " " + strings.Join(names, " and ")
	}, "hello", "Ann", "Bob")
	fmt.Println(r.Get(ctx))
	// Output: hello Ann and Bob <nil>
}

func ExampleCallAsync_wrongArgument() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	_, err = pool.CallAsync(ctx, p, strings.Repeat, "ab", "3").Get(ctx)
	fmt.Println(err)
	_, err = pool.CallAsync(ctx, p, strings.Repeat, "ab").Get(ctx)
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrInvalid))
	// Output:
	// invalid argument: CallAsync: cannot use argument 2 (type string) as int in a call of func(string, int) string
	// invalid argument: CallAsync: the number of arguments is 1, but func(string, int) string takes 2
	// true
}

func ExampleBroadcast() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(3), pool.WithName("cache"))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	flushed, err := pool.Broadcast(ctx, p, func(ctx context.Context) (string, error) {
		return "flushed " + pool.WorkerName(ctx), nil
	})
	fmt.Println(strings.Join(flushed, ", "), err)
	// Output: flushed cache/worker-1, flushed cache/worker-2, flushed cache/worker-3 <nil>
}

func ExampleBroadcastAsync() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2), pool.WithName("cache"))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	r := pool.BroadcastAsync(ctx, p, func(ctx context.Context) (string, error) {
		if strings.HasSuffix(pool.WorkerName(ctx), "-2") {
			return "", errors.New("not flushed")
		}
		return pool.WorkerName(ctx), nil
	})
	flushed, err := r.Get(ctx)
	fmt.Printf("%q %v\n", flushed, err)
	// Output: ["cache/worker-1" ""] item 1: not flushed
}

func ExampleWithTaskName() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 1, nil }, pool.WithTaskName("invoice 7"))
	fmt.Println(r.Name())
	// Output: invoice 7
}

func ExampleWithTimeout() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	defer close(gate)
	_, err = pool.Apply(ctx, p, func(context.Context) (int, error) { <-gate; return 0, nil },
		pool.WithTimeout(time.Millisecond))
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrTimeout), errors.Is(err, context.DeadlineExceeded))
	// Output:
	// task timed out: context deadline exceeded
	// true true
}

func ExampleWithRetry() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	calls := 0
	fetch := func(context.Context) (string, error) {
		if calls++; calls < 3 {
			return "", errors.New("the line is busy")
		}
		return "the programme", nil
	}
	fmt.Println(pool.Apply(ctx, p, fetch, pool.WithRetry(pool.Retry{
		Attempts: 5, MinBackoff: time.Millisecond, MaxBackoff: time.Second, Jitter: 0.2,
	})))
	fmt.Println(p.Stats().Retried, "attempts failed")
	// Output:
	// the programme <nil>
	// 2 attempts failed
}
