package workloads

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
	"github.com/greenroom-go/greenroom/pool"
)

const aboutNested = `Fibonacci by fork and join: a task forks another for one half, computes the other
half itself, and waits for the first; below a cut-off that takes about 1 µs (found on
this machine) it computes without forking. Figures are for one forked task. In a bounded
pool all workers soon wait for tasks that no worker is left for: *hangs* was seen of each
pool marked so. Greenroom's tasks wait with their own context, which runs what they wait
for in their place. *Serial* computes the same without any task.`

// NestedApplyAsync forks with ApplyAsync and joins with Get.
const NestedApplyAsync = peers.ApplyAsync

// leaf is how long a task computes that forks no more.
const leaf = time.Microsecond

func nested(s Scale) harness.Workload {
	c := harness.Case{Name: "fib", N: s.of(50_000, 500), Reference: peers.GoroutinePerTask}
	c.Contenders = []harness.Contender{
		{Name: NestedApplyAsync, Kind: harness.Greenroom, Run: nestedGreenroom},
		{Name: peers.GoroutinePerTask, Kind: harness.Raw, Run: nestedGoroutines},
		{Name: "serial", Kind: harness.Raw, Run: nestedSerial},
	}
	for _, p := range peers.Others() {
		if p.Nested != "" {
			c.Contenders = append(c.Contenders, contender(p, p.Nested, nil))
		}
	}
	c.Contenders = append(c.Contenders,
		harness.Contender{Name: peers.ThreadPoolName, Kind: harness.Python, Unable: peers.Hangs})
	return harness.Workload{
		Name:  "nested",
		Title: "nested: fork and join inside of tasks",
		About: aboutNested,
		Cases: []harness.Case{c},
	}
}

// fibonacci computes without tasks; it takes time in proportion to its result.
//
//go:noinline
func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

// cutOff is the largest n whose fibonacci takes no more than a leaf may.
var cutOff = sync.OnceValue(func() int {
	const large = 24
	best := time.Duration(math.MaxInt64)
	for range 20 {
		start := time.Now()
		runtime.KeepAlive(fibonacci(large))
		best = min(best, time.Since(start))
	}
	n := large
	for took := float64(best); n > 2 && took > float64(leaf); n-- {
		took /= math.Phi
	}
	return n
})

// forks is how often a computation of n forks.
func forks(n int) int {
	if n <= cutOff() {
		return 0
	}
	return 1 + forks(n-1) + forks(n-2)
}

// sizeFor is the smallest n that forks at least so often.
func sizeFor(tasks int) int {
	n := cutOff() + 1
	for forks(n) < tasks {
		n++
	}
	return n
}

func checkFibonacci(got, n int) error {
	if want := fibonacci(n); got != want {
		return fmt.Errorf("fibonacci(%d) is %d; want %d", n, got, want)
	}
	return nil
}

func nestedGreenroom(m *harness.Meter, tasks int) error {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(Workers), pool.WithUnboundedQueue())
	if err != nil {
		return err
	}
	n := sizeFor(tasks)
	m.Start()
	got, err := pool.Apply(ctx, p, func(ctx context.Context) (int, error) { return forkGreenroom(ctx, p, n) })
	m.Stop(forks(n))
	return errors.Join(err, checkFibonacci(got, n), p.Shutdown(ctx))
}

func forkGreenroom(ctx context.Context, p *pool.Pool, n int) (int, error) {
	if n <= cutOff() {
		return fibonacci(n), nil
	}
	left := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) { return forkGreenroom(ctx, p, n-1) })
	right, err := forkGreenroom(ctx, p, n-2)
	if err != nil {
		return 0, err
	}
	value, err := left.Get(ctx)
	return value + right, err
}

func nestedGoroutines(m *harness.Meter, tasks int) error {
	n := sizeFor(tasks)
	m.Start()
	got := forkGoroutine(n)
	m.Stop(forks(n))
	return checkFibonacci(got, n)
}

func forkGoroutine(n int) int {
	if n <= cutOff() {
		return fibonacci(n)
	}
	left := &future{}
	left.wg.Add(1)
	go func() {
		left.value = forkGoroutine(n - 1)
		left.wg.Done()
	}()
	right := forkGoroutine(n - 2)
	return left.get() + right
}

func nestedSerial(m *harness.Meter, tasks int) error {
	n := sizeFor(tasks)
	m.Start()
	got := fibonacci(n)
	m.Stop(forks(n))
	return checkFibonacci(got, n)
}
