package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"sync/atomic"
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

func ExampleWithInitializer() {
	ctx := context.Background()
	database := "orders" // Python's initargs are captured
	var connections sync.Map
	p, err := pool.New(pool.WithWorkers(2), pool.WithName("db"), pool.WithInitializer(func(ctx context.Context) error {
		connections.Store(pool.WorkerName(ctx), database+" for "+pool.WorkerName(ctx))
		return nil
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	opened, err := pool.Broadcast(ctx, p, func(ctx context.Context) (any, error) {
		connection, _ := connections.Load(pool.WorkerName(ctx))
		return connection, nil
	})
	fmt.Println(opened, err)
	// Output: [orders for db/worker-1 orders for db/worker-2] <nil>
}

func ExampleWithState() {
	ctx := context.Background()
	var files atomic.Int64
	p, err := pool.New(pool.WithWorkers(1),
		pool.WithState(
			func(context.Context) (*os.File, error) { files.Add(1); return os.Open(os.DevNull) },
			(*os.File).Close))
	if err != nil {
		log.Fatal(err)
	}
	name := func(ctx context.Context) (string, error) {
		file, _ := pool.State[*os.File](ctx)
		return file.Name(), nil
	}
	for range 3 {
		_, err = pool.Apply(ctx, p, name)
		fmt.Println(err)
	}
	fmt.Println(p.Shutdown(ctx), files.Load(), "file")
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// <nil> 1 file
}

// A panic of our own leaves the connection as it was; a lost connection is made anew.
func ExampleWithSupervision() {
	ctx := context.Background()
	lost := errors.New("connection lost")
	var connected int
	p, err := pool.New(pool.WithWorkers(1),
		pool.WithInitializer(func(context.Context) error { connected++; return nil }),
		pool.WithSupervision(pool.Supervision{Decide: func(f pool.Failure) pool.Directive {
			if errors.Is(f.Err, lost) {
				return pool.Restart
			}
			return pool.Resume
		}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, cause := range []any{"a bug", lost, "another bug"} {
		_, err := pool.Apply(ctx, p, func(context.Context) (int, error) { panic(cause) })
		var panicked *pool.PanicError
		fmt.Println(errors.As(err, &panicked), panicked.Value)
	}
	_ = p.Shutdown(ctx)
	fmt.Println("connected", connected, "times, restarts:", p.Stats().Restarts)
	// Output:
	// true a bug
	// true connection lost
	// true another bug
	// connected 2 times, restarts: 1
}

func ExampleWithInitializer_failure() {
	ctx := context.Background()
	errRefused := errors.New("connection refused")
	p, err := pool.New(pool.WithWorkers(1), pool.WithName("db"), pool.WithInitializer(func(context.Context) error {
		return errRefused
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	_, err = pool.Apply(ctx, p, func(context.Context) (int, error) { return 1, nil })
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrBroken), errors.Is(err, errRefused))
	// Output:
	// pool broken: pool "db": initializer of db/worker-1: connection refused
	// true true
}

func ExampleWithInitializerTimeout() {
	ctx := context.Background()
	connect := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() } // nobody answers
	p, err := pool.New(pool.WithWorkers(1), pool.WithName("db"), pool.WithInitializer(connect),
		pool.WithInitializerTimeout(time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	err = p.Ready(ctx)
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrBroken), errors.Is(err, pool.ErrTimeout))
	// Output:
	// pool broken: pool "db": initializer of db/worker-1: it has not returned within 1ms: task timed out: context deadline exceeded
	// true true
}

func ExampleWorkerName() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(3), pool.WithName("scan"))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	worker := func(ctx context.Context) (string, error) { return pool.WorkerName(ctx), nil }
	fmt.Println(pool.Broadcast(ctx, p, worker))
	fmt.Printf("%q outside of a task\n", pool.WorkerName(ctx))
	// Output:
	// [scan/worker-1 scan/worker-2 scan/worker-3] <nil>
	// "" outside of a task
}
