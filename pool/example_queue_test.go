package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

func ExampleWithQueueLimit() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1), pool.WithQueueLimit(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	work := func(context.Context) (string, error) { <-gate; return "done", nil }
	running := pool.ApplyAsync(ctx, p, work)
	waiting := pool.ApplyAsync(ctx, p, work)

	// The third one finds no room and is held until its context ends.
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	_, err = pool.ApplyAsync(short, p, work).Get(ctx)
	fmt.Println(err)

	close(gate)
	fmt.Println(running.Get(ctx))
	fmt.Println(waiting.Get(ctx))
	// Output:
	// task timed out: context deadline exceeded
	// done <nil>
	// done <nil>
}

func ExampleWithUnboundedQueue() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1), pool.WithUnboundedQueue())
	if err != nil {
		log.Fatal(err)
	}
	gate := make(chan struct{})
	for range 1000 {
		pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-gate; return 0, nil })
	}
	fmt.Println(p.Stats().Accepted)
	close(gate)
	fmt.Println(p.Shutdown(ctx))
	// Output:
	// 1000
	// <nil>
}

func ExampleWithQueuePolicy() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.Reject))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	work := func(context.Context) (string, error) { <-gate; return "done", nil }
	running := pool.ApplyAsync(ctx, p, work)
	waiting := pool.ApplyAsync(ctx, p, work)
	refused := pool.ApplyAsync(ctx, p, work)
	close(gate)
	fmt.Println(running.Get(ctx))
	fmt.Println(waiting.Get(ctx))
	_, err = refused.Get(ctx)
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrFull))
	// Output:
	// done <nil>
	// done <nil>
	// queue full: 1 tasks wait, the limit is 1
	// true
}

func ExampleWithQueuePolicy_dropOldest() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.DropOldest))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	started, gate := make(chan struct{}), make(chan struct{})
	pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { close(started); <-gate; return "running", nil })
	<-started
	older := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "older", nil })
	newer := pool.ApplyAsync(ctx, p, func(context.Context) (string, error) { return "newer", nil })
	close(gate)
	_, err = older.Get(ctx)
	fmt.Println(err)
	fmt.Println(newer.Get(ctx))
	// Output:
	// task dropped from the queue
	// newer <nil>
}

func ExampleWithQueuePolicy_callerRuns() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithName("scan"),
		pool.WithQueuePolicy(pool.CallerRuns))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	first := pool.ApplyAsync(ctx, p, func(ctx context.Context) (string, error) { <-gate; return pool.WorkerName(ctx), nil })
	second := pool.ApplyAsync(ctx, p, func(ctx context.Context) (string, error) { return pool.WorkerName(ctx), nil })
	fmt.Println("the second has run:", second.Ready())
	close(gate)
	one, _ := first.Get(ctx)
	two, _ := second.Get(ctx)
	fmt.Printf("%q %q\n", one, two)
	// Output:
	// the second has run: true
	// "scan/worker-1" ""
}

func ExampleWithRouting() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2), pool.WithName("scan"), pool.WithRouting(pool.RoundRobin))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	for range 3 {
		fmt.Println(pool.Apply(ctx, p, func(ctx context.Context) (string, error) { return pool.WorkerName(ctx), nil }))
	}
	// Output:
	// scan/worker-1 <nil>
	// scan/worker-2 <nil>
	// scan/worker-1 <nil>
}

func ExampleLeastLoaded() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2), pool.WithName("scan"), pool.WithRouting(pool.LeastLoaded))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	gate := make(chan struct{})
	worker := func(ctx context.Context) (string, error) { <-gate; return pool.WorkerName(ctx), nil }
	first := pool.ApplyAsync(ctx, p, worker)
	second := pool.ApplyAsync(ctx, p, worker)
	close(gate)
	fmt.Println(first.Get(ctx))
	fmt.Println(second.Get(ctx))
	// Output:
	// scan/worker-1 <nil>
	// scan/worker-2 <nil>
}

func ExampleKeyOrdered() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(4), pool.WithRouting(pool.KeyOrdered))
	if err != nil {
		log.Fatal(err)
	}
	var ann, bob []int // without a mutex: tasks with the same key never overlap
	for i := range 4 {
		pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { ann = append(ann, i); return i, nil }, pool.WithKey("ann"))
		pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { bob = append(bob, 10*i); return i, nil }, pool.WithKey("bob"))
	}
	fmt.Println(p.Shutdown(ctx), ann, bob)
	// Output: <nil> [0 1 2 3] [0 10 20 30]
}

func ExampleWithKey() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	_, err = pool.Apply(ctx, p, func(context.Context) (int, error) { return 1, nil }, pool.WithKey("ann"))
	fmt.Println(err)
	fmt.Println(errors.Is(err, pool.ErrKeysUnused))
	// Output:
	// task has a key, but the pool's routing uses none (use KeyOrdered): key "ann"
	// true
}

func ExampleWithPriority() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1), pool.WithPriorities(pool.DefaultAgeing))
	if err != nil {
		log.Fatal(err)
	}
	say := func(what string) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return fmt.Println(what) }
	}
	p.Pause() // so that both wait
	pool.ApplyAsync(ctx, p, say("sweep the stage"), pool.WithPriority(-1))
	pool.ApplyAsync(ctx, p, say("the curtain is on fire"), pool.WithPriority(10))
	p.Resume()
	_ = p.Shutdown(ctx)
	// Output:
	// the curtain is on fire
	// sweep the stage
}
