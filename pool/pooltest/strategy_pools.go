package pooltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

// errLate is what whoever waited for a task of a suite has waited in vain for.
var errLate = errors.New("not ended")

// company is a pool with the strategy under test, and what its tasks did.
type company struct {
	k    *Kit
	pool *pool.Pool
	keys bool

	mu   sync.Mutex
	runs map[int]int
}

func newCompany(k *Kit, newStrategy func() pool.Strategy, opts ...pool.Option) *company {
	return &company{
		k:    k,
		pool: k.Pool(append(opts, pool.WithWorkers(3), pool.WithRouting(newStrategy))...),
		keys: newStrategy().UsesKeys(),
		runs: map[int]int{},
	}
}

// give submits the i-th task. Its value is i, if what it does is not an error.
func (c *company) give(i int, does func() error) *pool.AsyncResult[int] {
	var opts []pool.TaskOption
	if key := []string{"", "a", "b"}[i%3]; c.keys && key != "" {
		opts = append(opts, pool.WithKey(key))
	}
	return pool.ApplyAsync(c.k.Context(), c.pool, func(context.Context) (int, error) {
		c.mu.Lock()
		c.runs[i]++
		c.mu.Unlock()
		if does != nil {
			return i, does()
		}
		return i, nil
	}, opts...)
}

// ran is how often the i-th task was called.
func (c *company) ran(i int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.runs[i]
}

// end waits for the end of the i-th task, an hour at most, and returns its error.
func (c *company) end(i int, r *pool.AsyncResult[int]) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := r.Wait(ctx)
	if !r.Ready() {
		c.k.violate("task %d has not ended in %v (%v): it ran %d times", i, patience, err, c.ran(i))
		return errLate
	}
	v, err := r.Get(context.Background())
	if err == nil && v != i {
		c.k.violate("task %d has the result %d, which is that of another", i, v)
	}
	return err
}

// mustEnd checks that tasks have ended as want says, and have run as often as that needs.
func (c *company) mustEnd(results []*pool.AsyncResult[int], want func(i int, err error) bool) {
	for i, r := range results {
		err := c.end(i, r)
		switch {
		case errors.Is(err, errLate):
		case !want(i, err):
			c.k.violate("task %d ended with %v", i, err)
		case err == nil && c.ran(i) != 1:
			c.k.violate("task %d ended without an error and was called %d times", i, c.ran(i))
		}
	}
}

func succeeds(_ int, err error) bool { return err == nil }

// crowd is how many tasks there are: some for each worker and each key.
const crowd = 9

func (c *company) giveAll(does func() error) (results []*pool.AsyncResult[int]) {
	for i := range crowd {
		results = append(results, c.give(i, does))
	}
	return results
}

func runsEachTaskOnce(k *Kit, newStrategy func() pool.Strategy) {
	c := newCompany(k, newStrategy)
	c.mustEnd(c.giveAll(nil), succeeds)
}

func endsWhileResized(k *Kit, newStrategy func() pool.Strategy) {
	c := newCompany(k, newStrategy)
	resized := make(chan struct{})
	k.Go("resizer", func() {
		defer close(resized)
		for _, workers := range []int{1, 5, 2} {
			if err := c.pool.Resize(workers); err != nil {
				k.violate("Resize(%d): %v", workers, err)
			}
			k.Yield()
		}
	})
	c.mustEnd(c.giveAll(nil), succeeds)
	<-resized // the kit would terminate the pool
}

func endsWhileWorkersFail(k *Kit, newStrategy func() pool.Strategy) {
	c := newCompany(k, newStrategy, pool.WithSupervision(pool.Supervision{Scope: pool.AllForOne}))
	var results []*pool.AsyncResult[int]
	fails := func(i int) bool { return i%4 == 1 }
	for i := range crowd {
		results = append(results, c.give(i, func() error {
			if fails(i) {
				panic(fmt.Sprintf("task %d panics", i))
			}
			return nil
		}))
	}
	c.mustEnd(results, func(i int, err error) bool {
		var panicked *pool.PanicError
		return fails(i) && errors.As(err, &panicked) || !fails(i) && err == nil
	})
}

func endsBesideCancelled(k *Kit, newStrategy func() pool.Strategy) {
	c := newCompany(k, newStrategy)
	results := c.giveAll(nil)
	cancelled := func(i int) bool { return i%2 == 1 }
	for i, r := range results {
		if cancelled(i) {
			r.Cancel()
		}
	}
	c.mustEnd(results, func(i int, err error) bool {
		return err == nil || cancelled(i) && errors.Is(err, pool.ErrCancelled)
	})
}

func keepsWhilePaused(k *Kit, newStrategy func() pool.Strategy) {
	c := newCompany(k, newStrategy)
	c.pool.Pause()
	results := c.giveAll(nil)
	k.Advance(time.Minute)
	for i := range results {
		if c.ran(i) > 0 {
			k.violate("task %d ran while the pool was paused", i)
		}
	}
	c.pool.Resume()
	c.mustEnd(results, succeeds)
}

// fullQueue has more tasks submitted than there is room for. They succeed, or end with
// refusal.
func fullQueue(policy pool.Policy, refusal error) func(*Kit, func() pool.Strategy) {
	return func(k *Kit, newStrategy func() pool.Strategy) {
		c := newCompany(k, newStrategy, pool.WithQueueLimit(2), pool.WithQueuePolicy(policy))
		results := c.giveAll(func() error { time.Sleep(time.Second); return nil })
		ended := 0
		c.mustEnd(results, func(_ int, err error) bool {
			if err == nil {
				ended++
			}
			return err == nil || refusal != nil && errors.Is(err, refusal)
		})
		if ended < 2 {
			k.violate("%d of %d tasks ended without an error; there is room for 2 in the queue", ended, crowd)
		}
	}
}

func drains(k *Kit, newStrategy func() pool.Strategy) {
	c := newCompany(k, newStrategy)
	results := c.giveAll(nil)
	var gone sync.WaitGroup // those of Go, which have no result
	for i := range 3 {
		gone.Add(1)
		if err := c.pool.Go(k.Context(), gone.Done); err != nil {
			k.violate("Pool.Go refused function %d: %v", i, err)
			gone.Done()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.pool.Shutdown(ctx); err != nil {
		k.violate("the pool has not ended in %v after Close: %v", patience, err)
		return
	}
	gone.Wait()
	for i, r := range results {
		if !r.Ready() {
			k.violate("task %d had not ended when Join returned", i)
		}
	}
	c.mustEnd(results, succeeds)
}

func terminates(k *Kit, newStrategy func() pool.Strategy) {
	c := newCompany(k, newStrategy)
	results := c.giveAll(func() error { k.Yield(); return nil })
	c.pool.Terminate()
	c.mustEnd(results, func(_ int, err error) bool { return err == nil || errors.Is(err, pool.ErrTerminated) })
}

// noted is a strategy that notes which keys it has put in order.
type noted struct {
	pool.Strategy
	mu      *sync.Mutex
	ordered map[string]bool
}

func (n noted) Route(key string, workers int, load func(int) int) pool.Target {
	target := n.Strategy.Route(key, workers, load)
	if target.InOrder {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.ordered[key] = true
	}
	return target
}

func keysOrderAllOrNone(k *Kit, newStrategy func() pool.Strategy) {
	var mu sync.Mutex // of all below
	ordered, running, began := map[string]bool{}, map[string]int{}, map[string][]int{}
	overlaps := map[string]bool{}
	p := k.Pool(pool.WithWorkers(3), pool.WithRouting(func() pool.Strategy { return noted{newStrategy(), &mu, ordered} }))
	if !newStrategy().UsesKeys() {
		if _, err := pool.Apply(k.Context(), p, func(context.Context) (int, error) { return 0, nil }, pool.WithKey("a")); !errors.Is(err, pool.ErrKeysUnused) {
			k.violate("a task with a key ended with %v; UsesKeys() is false, so it must be refused with ErrKeysUnused", err)
		}
		return
	}
	for i := range 2 * crowd {
		key := []string{"a", "b"}[i%2]
		pool.ApplyAsync(k.Context(), p, func(context.Context) (int, error) {
			mu.Lock()
			began[key] = append(began[key], i)
			running[key]++
			overlaps[key] = overlaps[key] || running[key] > 1
			mu.Unlock()
			k.Yield()
			mu.Lock()
			running[key]--
			mu.Unlock()
			return i, nil
		}, pool.WithKey(key))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		k.violate("the pool has not ended in %v after Close: %v", patience, err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, key := range []string{"a", "b"} {
		switch {
		case !ordered[key]:
		case overlaps[key]:
			k.violate("tasks with the key %q ran at the same time, though Route had returned InOrder for it; it must for each task with that key, or for none", key)
		case !slices.IsSorted(began[key]):
			k.violate("the tasks with the key %q began in the order %v, though Route had returned InOrder for it; it must for each task with that key, or for none", key, began[key])
		}
	}
}
