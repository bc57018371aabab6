package pool_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
)

var bursts = flag.Uint64("bursts", 0, "how many bursts TestNoWakeUpIsLost tries for each number of workers; 0: 3000, or 300 with -short or the race detector")

func numberOfBursts() uint64 {
	if *bursts == 0 {
		return inEachRun(3000, 300)
	}
	return *bursts
}

// Bursts of one to three tasks, with gaps in which workers may fall asleep or not;
// sometimes a task that blocks until the others have run stands before them. If a
// wake-up is lost, a burst never ends.
func TestNoWakeUpIsLost(t *testing.T) {
	tries := numberOfBursts()
	for _, workers := range []int{1, 2, 3, 8} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			p, err := pool.New(pool.WithWorkers(workers))
			require.NoError(t, err)
			var number atomic.Int64
			over := make(chan struct{})
			go func() {
				defer close(over)
				for range tries {
					number.Add(1)
					burst(p, workers > 1 && rand.IntN(2) == 0)
					gap()
				}
			}()
			watch(t, over, func() string { return fmt.Sprintf("burst %d: %+v", number.Load(), p.Stats()) }, &number)
			require.NoError(t, p.Shutdown(context.Background()))
		})
	}
}

// watch fails when nothing has gone on for a long time.
func watch(t testing.TB, over <-chan struct{}, what func() string, progress *atomic.Int64) {
	t.Helper()
	for before := int64(-1); ; before = progress.Load() {
		select {
		case <-over:
			return
		case <-time.After(30 * time.Second):
			if progress.Load() == before {
				stacks := make([]byte, 1<<20)
				t.Fatalf("stuck: %s\n%s", what(), stacks[:runtime.Stack(stacks, true)])
			}
		}
	}
}

// burst submits some tasks and returns when they have ended.
func burst(p *pool.Pool, blocks bool) {
	ctx := context.Background()
	open := make(chan struct{})
	var head, behind sync.WaitGroup
	if blocks {
		head.Add(1)
		if rand.IntN(2) == 0 {
			_ = p.Go(ctx, func() { <-open; head.Done() })
		} else {
			pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { <-open; head.Done(); return 0, nil })
		}
	}
	for range 1 + rand.IntN(3) {
		switch rand.IntN(4) {
		case 0:
			behind.Add(1)
			_ = p.Go(ctx, behind.Done)
		case 1:
			behind.Add(1)
			pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { behind.Done(); return 0, nil })
		case 2:
			_, _ = pool.Apply(ctx, p, value(1))
		case 3:
			cancellable, cancel := context.WithCancel(ctx)
			_, _ = pool.Apply(cancellable, p, value(1))
			cancel()
		}
	}
	behind.Wait()
	close(open)
	head.Wait()
}

// gap lets workers fall asleep, be about to, or not.
func gap() {
	switch rand.IntN(3) {
	case 0:
		for range rand.IntN(20) {
			runtime.Gosched()
		}
	case 1:
		for range rand.IntN(2000) { // on another processor they fall asleep meanwhile
		}
	}
}

// Panics, limits and several submitters on top of that, for a while.
func TestShortFunctionsThatPanicDoNotHoldUpThePool(t *testing.T) {
	p, err := pool.New(pool.WithWorkers(3), pool.WithQueueLimit(8))
	require.NoError(t, err)
	var number atomic.Int64
	over := make(chan struct{})
	go func() {
		defer close(over)
		var users sync.WaitGroup
		for range 6 {
			users.Go(func() {
				for range numberOfBursts() {
					number.Add(1)
					if rand.IntN(50) == 0 {
						_ = p.Go(context.Background(), func() { panic("boom") })
					} else {
						_ = p.Go(context.Background(), func() {})
					}
				}
			})
		}
		users.Wait()
		_ = p.Shutdown(context.Background())
	}()
	watch(t, over, func() string { return fmt.Sprintf("%+v", p.Stats()) }, &number)
	s := p.Stats()
	require.EqualValues(t, 6*numberOfBursts(), s.Outcomes[pool.Succeeded]+s.Outcomes[pool.Panicked])
}
