// Supervision prints a pool's tree while its workers are made to panic, and
// shows that they come back with fresh state: one for one, then all for one, then
// with a pause that grows, until they fail more often than they may.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

// lives counts how often each worker was made ready.
type lives struct {
	mu    sync.Mutex
	count map[string]int
}

func (l *lives) begin(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count[pool.WorkerName(ctx)]++
	return nil
}

func (l *lives) of(worker string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count[worker]
}

func main() {
	ctx := context.Background()
	seen := &lives{count: map[string]int{}}
	p, err := pool.New(pool.WithWorkers(3), pool.WithName("stage"), pool.WithInitializer(seen.begin))
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Ready(ctx); err != nil {
		log.Fatal(err)
	}
	show("at the start", p, seen)

	_, err = pool.Broadcast(ctx, p, func(ctx context.Context) (int, error) {
		if pool.WorkerName(ctx) == "stage/worker-2" {
			panic("worker 2 forgot its lines")
		}
		return 0, nil
	})
	report(err)
	show("after worker 2 panicked", p, seen)

	_, err = pool.Broadcast(ctx, p, func(context.Context) (int, error) { panic("the set fell down") })
	report(err)
	show("after all of them panicked", p, seen)

	if err := p.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("shut down, restarts:", p.Stats().Restarts)

	allForOne(ctx)
	tooOften(ctx)
}

// allForOne has one worker fail and all come back.
func allForOne(ctx context.Context) {
	seen := &lives{count: map[string]int{}}
	begun := make(chan struct{}, 6)
	initialize := func(ctx context.Context) error {
		defer func() { begun <- struct{}{} }()
		return seen.begin(ctx)
	}
	everybody := func() {
		for range 3 {
			<-begun
		}
	}
	err := pool.With(ctx, func(p *pool.Pool) error {
		everybody()
		_, err := pool.Apply(ctx, p, func(context.Context) (int, error) { panic("the lights went out") })
		report(err)
		everybody()
		show("after one of them panicked, all for one", p, seen)
		return nil
	}, pool.WithWorkers(3), pool.WithName("choir"), pool.WithInitializer(initialize),
		pool.WithSupervision(pool.Supervision{Scope: pool.AllForOne}))
	if err != nil {
		log.Fatal(err)
	}
}

// tooOften has a worker fail again and again, until its pool gives up.
func tooOften(ctx context.Context) {
	err := pool.With(ctx, func(p *pool.Pool) error {
		for {
			began := time.Now()
			_, err := pool.Apply(ctx, p, func(context.Context) (int, error) { panic("stage fright") })
			if errors.Is(err, pool.ErrTooManyRestarts) {
				fmt.Println("the pool gave up: failed 4 times within a minute, 3 are allowed")
				return nil
			}
			report(err)
			fmt.Println("  after", time.Since(began).Round(10*time.Millisecond))
		}
	}, pool.WithWorkers(1), pool.WithName("soloist"), pool.WithSupervision(pool.Supervision{
		MaxRestarts: 3, Within: time.Minute,
		MinBackoff: 20 * time.Millisecond, MaxBackoff: time.Second,
	}))
	if err != nil {
		log.Fatal(err)
	}
}

func report(err error) {
	var panicked *pool.PanicError
	if errors.As(err, &panicked) {
		fmt.Println("the result says:", panicked.Value)
	}
}

// show prints the tree, once every worker is at work again: a broadcast reaches
// a worker only after its initializer.
func show(when string, p *pool.Pool, seen *lives) {
	workers, err := pool.Broadcast(context.Background(), p, func(ctx context.Context) (string, error) {
		return pool.WorkerName(ctx), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s:\n%s (supervisor)\n├── router\n", when, p.Name())
	for i, worker := range workers {
		branch := "├──"
		if i == len(workers)-1 {
			branch = "└──"
		}
		fmt.Printf("%s %s, life %d\n", branch, worker, seen.of(worker))
	}
	fmt.Println()
}
