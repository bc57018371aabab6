package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"runtime"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

func ExampleAsyncResult_Get() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 0, errors.New("no such file") })
	_, first := r.Get(ctx)
	_, second := r.Get(ctx)
	fmt.Println(first)
	fmt.Println("the same error:", first == second)
	// Output:
	// no such file
	// the same error: true
}

func ExampleAsyncResult_Get_timeout() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-gate; return 42, nil })

	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err = r.Get(short)
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrNotReady), errors.Is(err, context.DeadlineExceeded))

	close(gate)
	fmt.Println(r.Get(ctx))
	// Output:
	// result not ready: context deadline exceeded
	// true true
	// 42 <nil>
}

func ExampleAsyncResult_Get_poll() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	ended, cancel := context.WithCancel(ctx)
	cancel()

	gate := make(chan struct{})
	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-gate; return 42, nil })
	_, err = r.Get(ended)
	fmt.Println(err)

	close(gate)
	fmt.Println(r.Wait(ctx))
	fmt.Println(r.Get(ended))
	// Output:
	// result not ready: context canceled
	// <nil>
	// 42 <nil>
}

// A task may wait for other tasks of its own pool, even if there is one worker:
// what has not started is run in the place of the one that waits.
func ExampleAsyncResult_Get_insideTask() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	var fibonacci func(ctx context.Context, n int) (int, error)
	fibonacci = func(ctx context.Context, n int) (int, error) {
		if n < 2 {
			return n, nil
		}
		r := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) { return fibonacci(ctx, n-1) })
		b, err := fibonacci(ctx, n-2)
		if err != nil {
			return 0, err
		}
		a, err := r.Get(ctx)
		return a + b, err
	}
	fmt.Println(pool.Apply(ctx, p, func(ctx context.Context) (int, error) { return fibonacci(ctx, 10) }))
	// Output: 55 <nil>
}

func ExampleErrDeadlock() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	self := make(chan *pool.AsyncResult[int], 1)
	r := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) { return (<-self).Get(ctx) })
	self <- r
	_, err = r.Get(ctx)
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrDeadlock))
	// Output:
	// deadlock: the task waits for itself
	// true
}

func ExampleAsyncResult_Wait() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-gate; return 0, errors.New("no such file") })

	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	fmt.Println(r.Wait(short))

	close(gate)
	fmt.Println(r.Wait(ctx)) // nil: the result is there, though it is an error
	// Output:
	// result not ready: context deadline exceeded
	// <nil>
}

func ExampleAsyncResult_Ready() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-gate; return 42, nil })
	fmt.Println(r.Ready())
	close(gate)
	fmt.Println(r.Wait(ctx), r.Ready())
	// Output:
	// false
	// <nil> true
}

func ExampleAsyncResult_Running() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	started, gate := make(chan struct{}), make(chan struct{})
	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { close(started); <-gate; return 42, nil })
	queued := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 43, nil })
	<-started
	fmt.Println(r.Running(), queued.Running())
	close(gate)
	fmt.Println(r.Wait(ctx), r.Running())
	// Output:
	// true false
	// <nil> false
}

func ExampleAsyncResult_Successful() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	works := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-gate; return 42, nil })
	fails := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 0, errors.New("no such file") })
	fmt.Println(works.Successful())
	close(gate)
	fmt.Println(works.Wait(ctx), fails.Wait(ctx))
	fmt.Println(works.Successful())
	fmt.Println(fails.Successful())
	// Output:
	// false result not ready
	// <nil> <nil>
	// true <nil>
	// false <nil>
}

func ExampleAsyncResult_Done() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 42, nil })
	select {
	case <-r.Done():
		fmt.Println(r.Get(ctx))
	case <-ctx.Done():
		fmt.Println(ctx.Err())
	}
	// Output: 42 <nil>
}

func ExampleAsyncResult_Outcome() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-gate; return 42, nil })
	_, err = r.Outcome()
	fmt.Println(err)
	r.Cancel()
	outcome, err := r.Outcome()
	fmt.Println(outcome == pool.Cancelled, outcome, err)
	close(gate)
	// Output:
	// result not ready
	// true cancelled <nil>
}

func ExampleAsyncResult_Cancel() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	running := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { <-gate; return "finished", nil })
	queued := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "never", nil })
	fmt.Println(queued.Cancel())
	_, err = queued.Get(ctx)
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrCancelled), errors.Is(err, context.Canceled))

	close(gate)
	fmt.Println(running.Get(ctx))
	fmt.Println(running.Cancel()) // too late
	// Output:
	// true
	// task cancelled: context canceled
	// true true
	// finished <nil>
	// false
}

func ExampleAsyncResult_Cancel_running() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	started, cause := make(chan struct{}), make(chan error, 1)
	r := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) {
		close(started)
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return 42, nil // dropped: the result has its end already
	})
	<-started
	fmt.Println(r.Cancel())
	_, err = r.Get(ctx)
	fmt.Println(err)
	fmt.Println(<-cause)
	fmt.Println(p.Shutdown(ctx), p.Stats().Late)
	// Output:
	// true
	// task cancelled: context canceled
	// task cancelled: context canceled
	// <nil> 1
}

func ExampleAsyncResult_OnDone() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	gate := make(chan struct{})
	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-gate; return 42, nil })
	for _, name := range []string{"first", "second"} {
		r.OnDone(func(r *pool.AsyncResult[int]) {
			value, err := r.Get(ctx) // does not wait: r is ready
			fmt.Println(name, value, err)
		})
	}
	close(gate)
	fmt.Println(p.Shutdown(ctx)) // waits for the callbacks too
	r.OnDone(func(*pool.AsyncResult[int]) { fmt.Println("third, at once") })
	// Output:
	// first 42 <nil>
	// second 42 <nil>
	// <nil>
	// third, at once
}

func ExampleWithCallback() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 42, nil },
		pool.WithCallback(func(value int) { fmt.Println("callback", value) }),
		pool.WithErrorCallback(func(err error) { fmt.Println("error callback", err) }))
	fmt.Println(r.Get(ctx))
	// Output:
	// callback 42
	// 42 <nil>
}

func ExampleWithErrorCallback() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 0, errors.New("no such file") },
		pool.WithCallback(func(value int) { fmt.Println("callback", value) }),
		pool.WithErrorCallback(func(err error) { fmt.Println("error callback:", err) }))
	fmt.Println(r.Get(ctx))
	// Output:
	// error callback: no such file
	// 0 no such file
}

func ExampleWithCallback_panic() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return 42, nil },
		pool.WithCallback(func(int) { panic("a bug in the callback") }))
	fmt.Println(r.Get(ctx))
	fmt.Println(pool.Apply(ctx, p, func(context.Context) (int, error) { return 43, nil }))
	// Output:
	// 42 <nil>
	// 43 <nil>
}

func ExamplePanicError() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	_, err = pool.Apply(ctx, p, func(context.Context) (int, error) { panic(fs.ErrNotExist) })
	var panicked *pool.PanicError
	fmt.Println(errors.As(err, &panicked), panicked.Value, len(panicked.Stack) > 0)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	fmt.Println(pool.Apply(ctx, p, func(context.Context) (int, error) { return 42, nil }))
	// Output:
	// true file does not exist true
	// true
	// 42 <nil>
}

func ExampleErrGoexit() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	fmt.Println(pool.Apply(ctx, p, func(context.Context) (int, error) { runtime.Goexit(); return 1, nil }))
	fmt.Println(pool.Apply(ctx, p, func(context.Context) (int, error) { return 42, nil }))
	// Output:
	// 0 task called runtime.Goexit
	// 42 <nil>
}
