package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

func ExampleWaitFor() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	a := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 42, nil })
	b := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "", errors.New("no such file") })
	done, pending, err := pool.WaitFor(ctx, pool.AllCompleted, a, b)
	fmt.Println(len(done), len(pending), err)
	for _, r := range done {
		fmt.Println(r.Successful())
	}
	// Output:
	// 2 0 <nil>
	// true <nil>
	// false <nil>
}

func ExampleWaitFor_firstCompleted() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	defer close(gate)
	slow := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { <-gate; return "slow", nil })
	quick := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "quick", nil })
	done, pending, err := pool.WaitFor(ctx, pool.FirstCompleted, slow, quick)
	fmt.Println(len(done), done[0] == quick, len(pending), pending[0] == slow, err)
	// Output: 1 true 1 true <nil>
}

func ExampleWaitFor_firstException() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	defer close(gate)
	slow := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { <-gate; return "slow", nil })
	works := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "works", nil })
	fails := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "", errors.New("no such file") })
	done, pending, err := pool.WaitFor(ctx, pool.FirstException, slow, works, fails)
	fmt.Println(len(done), done[1] == fails, len(pending), pending[0] == slow, err)
	// Output: 2 true 1 true <nil>
}

func ExampleWaitFor_timeout() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	defer close(gate)
	slow := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { <-gate; return "slow", nil })
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	done, pending, err := pool.WaitFor(short, pool.AllCompleted, slow)
	fmt.Println(len(done), len(pending), err)
	// Output: 0 1 result not ready: context deadline exceeded
}

func ExampleAsCompleted() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	slow := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { <-gate; return "slow", nil })
	quick := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "quick", nil })
	for r, err := range pool.AsCompleted(ctx, slow, quick) {
		if err != nil {
			log.Fatal(err) // ctx has ended
		}
		fmt.Println(r.Get(ctx))
		if r == quick {
			close(gate)
		}
	}
	// Output:
	// quick <nil>
	// slow <nil>
}
