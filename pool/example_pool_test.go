package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/pool"
)

func Example() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(4))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	square := func(_ context.Context, n int) (int, error) { return n * n, nil }
	fmt.Println(pool.Map(ctx, p, square, []int{1, 2, 3}))
	// Output: [1 4 9] <nil>
}

func ExampleNew() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(3), pool.WithName("studio"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Name(), p.Workers())
	p.Close()
	fmt.Println(p.Join(ctx))

	_, err = pool.New(pool.WithWorkers(0))
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrInvalid))
	// Output:
	// studio 3
	// <nil>
	// new pool: invalid argument: WithWorkers: 0 workers; there must be 1 to 1048576
	// true
}

func ExampleWithWorkers() {
	ctx := context.Background()
	for _, opts := range [][]pool.Option{{pool.WithWorkers(16)}, {}} {
		p, err := pool.New(opts...)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Workers() == 16, p.Workers() == runtime.GOMAXPROCS(0), p.Shutdown(ctx))
	}
	// Output:
	// true false <nil>
	// false true <nil>
}

func ExamplePool_Ready() {
	ctx := context.Background()
	var initialized atomic.Int64
	p, err := pool.New(pool.WithWorkers(3), pool.WithInitializer(func(context.Context) error {
		initialized.Add(1)
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	fmt.Println(p.Ready(ctx), initialized.Load())
	// Output: <nil> 3
}

func ExampleWithName() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1), pool.WithName("scan"))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	name, err := pool.Apply(ctx, p, func(ctx context.Context) (string, error) {
		return pool.WorkerName(ctx), nil
	})
	fmt.Println(p.Name(), name, err)
	// Output: scan scan/worker-1 <nil>
}

func ExampleWithLogger() {
	ctx := context.Background()
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	p, err := pool.New(pool.WithWorkers(1), pool.WithName("scan"), pool.WithLogger(logger))
	if err != nil {
		log.Fatal(err)
	}
	untilCancelled := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
	pool.ApplyAsync(ctx, p, untilCancelled)
	pool.ApplyAsync(ctx, p, untilCancelled)
	p.Terminate()
	fmt.Println(p.Join(ctx))
	// Output:
	// level=INFO msg="pool terminated before all tasks had ended" tasks=2 pool=scan
	// <nil>
}

func ExamplePool_Stats() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	fails := func(context.Context) (int, error) { return 0, errors.New("no such file") }
	works := func(context.Context) (int, error) { return 1, nil }
	pool.ApplyAsync(ctx, p, fails)
	pool.ApplyAsync(ctx, p, works)
	pool.ApplyAsync(ctx, p, works)
	fmt.Println(p.Shutdown(ctx))
	stats := p.Stats()
	fmt.Println("accepted", stats.Accepted)
	fmt.Println(pool.Succeeded, stats.Outcomes[pool.Succeeded])
	fmt.Println(pool.Failed, stats.Outcomes[pool.Failed])
	// Output:
	// <nil>
	// accepted 3
	// succeeded 2
	// failed 1
}

func ExamplePool_Pause() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	p.Pause() // a deployment, say
	r := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "done", nil })
	fmt.Println(p.Stats().Waiting, "waits")
	p.Resume()
	fmt.Println(r.Get(ctx))
	// Output:
	// 1 waits
	// done <nil>
}

func ExamplePool_Events() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1), pool.WithName("stage"))
	if err != nil {
		log.Fatal(err)
	}
	events := p.Events(ctx)
	_, _ = pool.Apply(ctx, p, func(context.Context) (int, error) { panic("forgot the lines") })
	_, _ = pool.Apply(ctx, p, func(context.Context) (int, error) { return 1, nil })
	_ = p.Shutdown(ctx)
	for event := range events {
		fmt.Println(event)
	}
	// Output:
	// stage: worker started stage/worker-1
	// stage: worker failed stage/worker-1, restart: task panicked: forgot the lines
	// stage: worker restarted stage/worker-1
	// stage: pool closing
	// stage: worker stopped stage/worker-1
	// stage: pool closed
}
