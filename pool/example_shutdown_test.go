package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

func ExamplePool_Close() {
	ctx := context.Background()
	p, err := pool.New(pool.WithName("studio"))
	if err != nil {
		log.Fatal(err)
	}
	accepted := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "finished", nil })
	p.Close()
	_, err = pool.Apply(ctx, p, func(context.Context) (string, error) { return "late", nil })
	fmt.Println(err)
	fmt.Println(accepted.Get(ctx))
	fmt.Println(p.Join(ctx))
	// Output:
	// pool not running: pool "studio"
	// finished <nil>
	// <nil>
}

func ExamplePool_Join() {
	ctx := context.Background()
	p, err := pool.New(pool.WithName("studio"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Join(ctx))

	gate := make(chan struct{})
	pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-gate; return 1, nil })
	p.Close()
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	fmt.Println(p.Join(short))

	close(gate)
	fmt.Println(p.Join(ctx))
	// Output:
	// join pool "studio": pool still running: call Close or Terminate first
	// join pool "studio": context deadline exceeded
	// <nil>
}

func ExamplePool_Terminate() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	started := make(chan struct{})
	running := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) {
		close(started)
		<-ctx.Done()
		fmt.Println("the task sees:", context.Cause(ctx))
		return 0, ctx.Err()
	})
	queued := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 1, nil })
	<-started
	p.Terminate()
	fmt.Println(p.Join(ctx))
	_, err = running.Get(ctx)
	fmt.Println(err)
	_, err = queued.Get(ctx)
	fmt.Println(err)
	// Output:
	// the task sees: pool terminated
	// <nil>
	// pool terminated
	// pool terminated
}

func ExamplePool_Shutdown() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	first := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 1, nil })
	second := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 2, nil })
	fmt.Println(p.Shutdown(ctx))
	fmt.Println(first.Get(ctx))
	fmt.Println(second.Get(ctx))
	// Output:
	// <nil>
	// 1 <nil>
	// 2 <nil>
}

func ExamplePool_Shutdown_deadline() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	endless := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	err = p.Shutdown(short)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	_, err = endless.Get(ctx)
	fmt.Println(err)
	fmt.Println(p.Join(ctx))
	// Output:
	// true
	// pool terminated
	// <nil>
}

func ExamplePool_CancelQueued() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	started, gate := make(chan struct{}), make(chan struct{})
	running := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) {
		close(started)
		<-gate
		return "finished", nil
	})
	queued := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "never", nil })
	<-started
	p.Close()
	fmt.Println(p.CancelQueued())
	close(gate)
	fmt.Println(p.Join(ctx))
	fmt.Println(running.Get(ctx))
	_, err = queued.Get(ctx)
	fmt.Println(err)
	// Output:
	// 1
	// <nil>
	// finished <nil>
	// task cancelled: context canceled
}

func ExampleWith() {
	ctx := context.Background()
	var pending *pool.AsyncResult[int]
	err := pool.With(ctx, func(p *pool.Pool) error {
		pending = pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		sum, err := pool.Apply(ctx, p, func(context.Context) (int, error) { return 2 + 3, nil })
		fmt.Println(sum)
		return err
	}, pool.WithWorkers(2))
	fmt.Println(err)
	_, err = pending.Get(ctx)
	fmt.Println(err)
	// Output:
	// 5
	// <nil>
	// pool terminated
}

func ExampleWithDrain() {
	ctx := context.Background()
	var pending *pool.AsyncResult[int]
	err := pool.WithDrain(ctx, func(p *pool.Pool) error {
		pending = pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 2 + 3, nil })
		return nil
	}, pool.WithWorkers(1))
	fmt.Println(err)
	fmt.Println(pending.Get(ctx))
	// Output:
	// <nil>
	// 5 <nil>
}

func ExamplePool_With() {
	ctx := context.Background()
	p, err := pool.New(pool.WithName("studio"))
	if err != nil {
		log.Fatal(err)
	}
	use := func(p *pool.Pool) error {
		sum, err := pool.Apply(ctx, p, func(context.Context) (int, error) { return 2 + 3, nil })
		fmt.Println(sum)
		return err
	}
	fmt.Println(p.With(ctx, use))
	fmt.Println(p.With(ctx, use))
	// Output:
	// 5
	// <nil>
	// pool not running: pool "studio"
}
