package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

func ExamplePool_Resize() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1), pool.WithName("cast"))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	// Three that wait for one another need three workers.
	met := make(chan struct{}, 3)
	all := make(chan struct{})
	meet := func(ctx context.Context, name string) (string, error) {
		if met <- struct{}{}; len(met) == cap(met) {
			close(all)
		}
		select {
		case <-all:
			return name, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	r := pool.MapAsync(ctx, p, meet, []string{"Ann", "Bea", "Cem"}, pool.WithChunkSize(1))
	fmt.Println(p.Resize(3), p.Workers())
	fmt.Println(r.Get(ctx))
	fmt.Println(p.Resize(0))
	// Output:
	// <nil> 3
	// [Ann Bea Cem] <nil>
	// resize pool "cast": invalid argument: 0 workers; there must be 1 to 1048576
}

// A pool that carries on without the worker whose device is broken.
func ExampleWithMinWorkers() {
	ctx := context.Background()
	open := func(ctx context.Context) (string, error) {
		if pool.WorkerName(ctx) == "gpus/worker-2" {
			return "", errors.New("device 2 does not answer")
		}
		return "a device", nil
	}
	p, err := pool.New(pool.WithWorkers(4), pool.WithName("gpus"), pool.WithMinWorkers(2), pool.WithState(open, nil),
		pool.WithIdleTimeout(time.Minute),
		pool.WithSupervision(pool.Supervision{Decide: func(f pool.Failure) pool.Directive {
			if f.Kind == pool.InitializerFailed {
				return pool.Stop
			}
			return pool.Restart
		}}))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	fmt.Println(p.Ready(ctx), p.Workers())
	// Output:
	// <nil> 3
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
