package pool_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

var (
	tangleSeeds    = flag.Uint64("tangles", 0, "how many random tangles TestTangleInChaosEnds tries; 0: 200, or 20 with -short or the race detector")
	tangleFirst    = flag.Uint64("tangles.first", 1, "the seed of the first of them")
	tangleExplored = flag.Uint64("tangles.explored", 0, "how many TestTangleInChaosExplored tries; 0: 20, or 2 with -short or the race detector")
	tangleOrders   = flag.Int("tangles.orders", 3, "in how many orders it has the goroutines of each go on")
)

// tangle is up to three pools whose tasks wait for those of each other, in every way there
// is. The seed decides what they do; the order is up to the scheduler.
type tangle struct {
	goroutines
	t     testing.TB
	pools []tanglePool
	// ordered: a task waits only for those of pools behind its own, and for those that it
	// has submitted itself. Then every wait ends, and ErrDeadlock would be wrong.
	ordered bool

	mu     sync.Mutex
	random *rand.Rand
	knots  []knot
	groups []tangleGroup
}

type tanglePool struct {
	*pool.Pool
	keyed, urgent bool // it has a use for keys, for priorities
}

type tangleGroup struct {
	*pool.Group
	pool int
}

// strand is a function at work, or a user of the pools.
type strand struct {
	c     *tangle
	pool  int // in which it runs; -1: none
	depth int // how many more tasks, one in the other, it may submit
}

// knot is a task that strands wait for.
type knot struct {
	*pool.AsyncResult[int]
	pool int
	by   *strand
}

func TestTangleInChaosEnds(t *testing.T) {
	tangles := *tangleSeeds
	if tangles == 0 {
		tangles = inEachRun(200, 20)
	}
	for seed := *tangleFirst; seed < *tangleFirst+tangles; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T) { newTangle(t, nil, seed).rage() })
		})
	}
}

// TestTangleInChaosExplored has the goroutines of each go on in orders that can be repeated.
func TestTangleInChaosExplored(t *testing.T) {
	tangles := *tangleExplored
	if tangles == 0 {
		tangles = inEachRun(20, 2)
	}
	for seed := *tangleFirst; seed < *tangleFirst+tangles; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			pooltest.Explore(t, pooltest.Options{Seeds: *tangleOrders}, func(k *pooltest.Kit) { newTangle(k, k, seed).rage() })
		})
	}
}

func newTangle(t testing.TB, kit *pooltest.Kit, seed uint64) *tangle {
	c := &tangle{goroutines: goroutines{kit: kit}, t: t, random: rand.New(rand.NewPCG(seed, 17))}
	c.ordered = c.n(2) == 0
	for range 1 + c.n(3) {
		c.pools = append(c.pools, c.newPool())
	}
	for i, p := range c.pools {
		if c.n(2) == 0 {
			g := pool.NewGroup(t.Context(), p.Pool, pool.WithGroupLimit(1+c.n(2)), pool.WithKeepGoing())
			c.groups = append(c.groups, tangleGroup{g, i})
		}
	}
	return c
}

func (c *tangle) newPool() tanglePool {
	routing := c.n(5)
	p := tanglePool{keyed: routing == 4, urgent: c.n(5) == 0}
	opts := []pool.Option{
		pool.WithWorkers(1 + c.n(3)),
		pool.WithRouting([]func() pool.Strategy{pool.SharedQueue, pool.SharedQueue, pool.RoundRobin, pool.LeastLoaded, pool.KeyOrdered}[routing]),
	}
	if c.n(3) > 0 {
		policies := []pool.Policy{pool.WaitForRoom, pool.WaitForRoom, pool.WaitForRoom, pool.CallerRuns, pool.Reject, pool.DropOldest}
		opts = append(opts, pool.WithQueueLimit(c.n(4)), pool.WithQueuePolicy(policies[c.n(len(policies))]))
	}
	if p.urgent {
		opts = append(opts, pool.WithPriorities(3))
	}
	for _, opt := range []pool.Option{pool.WithIdleTimeout(time.Second), pool.WithReplacements(1), pool.WithMaxTasksPerWorker(2)} {
		if c.n(5) == 0 {
			opts = append(opts, opt)
		}
	}
	p.Pool = newPool(c.t, opts...)
	return p
}

// rage has three users act until all that they have begun has ended.
func (c *tangle) rage() {
	user := func() {
		s := &strand{c: c, pool: -1, depth: 3}
		for range 10 {
			s.act(c.t.Context())
		}
	}
	over := make(chan struct{})
	c.spawn("rage", func() {
		defer close(over)
		c.together("user", user, user, user)
		for i := 0; i < c.count(); i++ { // there may be more of them meanwhile
			c.see("Wait", c.knot(i).Wait(c.t.Context()))
		}
		for _, g := range c.groups {
			_ = g.Wait(c.t.Context())
		}
		for _, p := range c.pools {
			p.Close()
		}
		for _, p := range c.pools { // functions go on whose tasks were cancelled
			c.see("Join", p.Join(c.t.Context()))
		}
	})
	select {
	case <-over:
	case <-time.After(1000 * time.Hour):
		c.t.Errorf("somebody waits for ever")
		for _, p := range c.pools {
			_, _ = fmt.Fprintf(os.Stderr, "%s: %+v\n", p.Name(), p.Stats())
		}
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		for _, p := range c.pools {
			p.Terminate()
		}
		<-over
	}
	c.woken()
	for _, k := range c.knots {
		require.True(c.t, k.Ready())
		_, err := k.Get(c.t.Context())
		c.see("result", err)
	}
	c.sleep(time.Minute) // for those that come later, and see that nothing is left
}

func (c *tangle) n(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func (c *tangle) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.knots)
}

func (c *tangle) knot(i int) knot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.knots[i]
}

// see fails if a wait was in vain that could not be.
func (c *tangle) see(what string, err error) {
	if c.ordered && errors.Is(err, pool.ErrDeadlock) {
		c.t.Errorf("%s: a deadlock where no task waits for itself: %v", what, err)
	}
}

// behind is one of the pools for whose tasks s may wait.
func (s *strand) behind() int {
	if s.c.ordered && s.pool >= 0 {
		return s.pool + s.c.n(len(s.c.pools)-s.pool)
	}
	return s.c.n(len(s.c.pools))
}

// pick is one of the latest tasks that s may wait for, or nil.
func (s *strand) pick() *pool.AsyncResult[int] {
	c := s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	var may []knot
	for i := len(c.knots) - 1; i >= 0 && len(may) < 8; i-- {
		if k := c.knots[i]; !c.ordered || s.pool < 0 || k.pool > s.pool || k.by == s {
			may = append(may, k)
		}
	}
	if len(may) == 0 {
		return nil
	}
	return may[c.random.IntN(len(may))].AsyncResult
}

// endless is ctx, or one that does not end with the task.
func (s *strand) endless(ctx context.Context) context.Context {
	if s.c.n(3) == 0 {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// act does one thing.
func (s *strand) act(ctx context.Context) {
	c := s.c
	to := s.behind()
	p := c.pools[to]
	switch c.n(20) {
	case 0, 1, 2, 3, 4, 5:
		if s.depth > 0 {
			s.submit(ctx, to)
		}
	case 6, 7, 8, 9:
		if r := s.pick(); r != nil {
			wait, cancel := s.endless(ctx), func() {}
			if c.n(6) == 0 {
				wait, cancel = context.WithTimeout(wait, time.Second)
			}
			_, err := r.Get(wait)
			cancel()
			c.see("Get", err)
		}
	case 10:
		if a, b := s.pick(), s.pick(); a != nil && a != b {
			_, _, err := pool.WaitFor(ctx, []pool.When{pool.FirstCompleted, pool.AllCompleted}[c.n(2)], a, b)
			c.see("WaitFor", err)
		}
	case 11:
		if r := s.pick(); r != nil {
			r.Cancel()
		}
	case 12:
		c.see("Resize", p.Resize(1+c.n(3)))
	case 13:
		if c.n(3) == 0 && p.Pause() {
			c.after(time.Duration(c.n(3))*time.Second, p.Resume)
		}
	case 14:
		c.sleep(time.Duration(c.n(3)) * time.Second)
	case 15:
		if s.depth > 0 {
			_, err := pool.Map(s.endless(ctx), p.Pool, s.item(to), []int{1, 2, 3}[:1+c.n(3)], pool.WithChunkSize(1))
			c.see("Map", err)
		}
	case 16:
		if s.depth > 0 {
			stream := pool.IMap(ctx, p.Pool, s.item(to), seq(1, 2, 3))
			s.below(s.pool).act(ctx)
			for _, err := range stream.All() {
				c.see("IMap", err)
			}
		}
	case 17:
		if s.depth > 0 && (!c.ordered || to > s.pool) {
			_, err := pool.Broadcast(ctx, p.Pool, s.at(to))
			c.see("Broadcast", err)
		}
	case 18:
		if s.depth > 0 {
			one := func() { s.below(s.pool).act(ctx) }
			c.together("fork", one, one)
		}
	case 19:
		s.group(ctx)
	}
}

// below is a function that s calls or submits, in one of the pools.
func (s *strand) below(to int) *strand {
	return &strand{c: s.c, pool: to, depth: s.depth - 1}
}

// at is what a task of a pool does.
func (s *strand) at(to int) func(context.Context) (int, error) {
	below := s.below(to)
	return func(ctx context.Context) (int, error) {
		for range 1 + s.c.n(3) {
			below.act(ctx)
		}
		switch s.c.n(12) {
		case 0:
			panic("boom")
		case 1, 2:
			return 0, errOfTask
		}
		return 1, nil
	}
}

func (s *strand) item(to int) func(context.Context, int) (int, error) {
	fn := s.at(to)
	return func(ctx context.Context, _ int) (int, error) { return fn(ctx) }
}

func (s *strand) submit(ctx context.Context, to int) {
	c := s.c
	var opts []pool.TaskOption
	// Its own pool's tasks must not wait for it by way of a key, if it may wait for them.
	if p := c.pools[to]; p.keyed && c.n(2) == 0 && (!c.ordered || to != s.pool) {
		opts = append(opts, pool.WithKey(fmt.Sprint(c.n(2))))
	} else if p.urgent {
		opts = append(opts, pool.WithPriority(c.n(3)))
	}
	if c.n(4) == 0 {
		wait := time.Duration(c.n(3)) * time.Second
		opts = append(opts, pool.WithRetry(pool.Retry{Attempts: 2, MinBackoff: wait, MaxBackoff: wait}))
	}
	if c.n(6) == 0 {
		opts = append(opts, pool.WithTimeout(time.Duration(1+c.n(3))*time.Second))
	}
	if c.n(6) == 0 {
		_, err := pool.Apply(s.endless(ctx), c.pools[to].Pool, s.at(to), opts...)
		c.see("Apply", err)
		return
	}
	r := pool.ApplyAsync(s.endless(ctx), c.pools[to].Pool, s.at(to), opts...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.knots = append(c.knots, knot{r, to, s})
}

// group submits to one of the groups, or waits for it. What a group has at work may be
// any tasks: in an order they wait for nothing, and only users wait for groups.
func (s *strand) group(ctx context.Context) {
	c := s.c
	if len(c.groups) == 0 {
		return
	}
	switch g := c.groups[c.n(len(c.groups))]; {
	case !c.ordered && c.n(2) == 0:
		c.see("Group.Wait", g.Wait(ctx))
	case !c.ordered && s.depth > 0:
		fn := s.at(g.pool)
		_ = g.Go(ctx, func(ctx context.Context) error { _, err := fn(ctx); return err })
	case s.pool < g.pool: // else its room might be behind s
		c.see("Group.Go", g.Go(ctx, func(context.Context) error { c.sleep(time.Duration(c.n(3)) * time.Second); return nil }))
	}
}
