package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

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
