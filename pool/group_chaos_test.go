package pool_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

var (
	groupSeeds    = flag.Uint64("groups", 0, "how many random pools TestGroupsInChaosAllEnd tries; 0: 100, or 20 with -short or the race detector")
	groupFirst    = flag.Uint64("groups.first", 1, "the seed of the first of them")
	groupExplored = flag.Uint64("groups.explored", 0, "how many TestGroupsInChaosExplored tries; 0: 20, or 3 with -short or the race detector")
	groupOrders   = flag.Int("groups.orders", 3, "in how many orders it has the goroutines of each go on")
)

// crowd is a tree of groups with whom everything happens at once that can. The seed
// decides what; the order is up to the scheduler.
type crowd struct {
	goroutines
	p *pool.Pool
	// calm: nothing ends before its function has returned. Else a waiting task may find
	// itself at work beside what runs in its place, and limits cannot be checked.
	calm  bool
	keyed bool

	mu      sync.Mutex
	random  *rand.Rand
	groups  []*crowdGroup
	results []*pool.AsyncResult[int]
}

// crowdGroup counts the functions at work in a group and in those below it that do
// not wait.
type crowdGroup struct {
	*pool.Group
	parent *crowdGroup
	limit  int64 // 0: none
	atWork atomic.Int64
	// gaveUp counts those that did not wait to the end: each goes on beside what may run in
	// its place yet, and when it has returned, the one in whose place it ran does.
	gaveUp atomic.Int64
}

func TestGroupsInChaosAllEnd(t *testing.T) {
	pools := *groupSeeds
	if pools == 0 {
		pools = inEachRun(100, 20)
	}
	for seed := *groupFirst; seed < *groupFirst+pools; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T) { newCrowd(t, nil, seed).rage(t) })
		})
	}
}

// TestGroupsInChaosExplored has the goroutines of each go on in orders that can be repeated.
func TestGroupsInChaosExplored(t *testing.T) {
	pools := *groupExplored
	if pools == 0 {
		pools = inEachRun(20, 3)
	}
	for seed := *groupFirst; seed < *groupFirst+pools; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			pooltest.Explore(t, pooltest.Options{Seeds: *groupOrders}, func(k *pooltest.Kit) { newCrowd(k, k, seed).rage(k) })
		})
	}
}

// newCrowd makes a pool and its users for a seed, in the system of the kit, if there is one.
func newCrowd(t testing.TB, kit *pooltest.Kit, seed uint64) *crowd {
	c := &crowd{goroutines: goroutines{kit: kit}, random: rand.New(rand.NewPCG(seed, 11))}
	c.calm = c.n(2) == 0
	opts := []pool.Option{pool.WithWorkers(1 + c.n(3))}
	if c.n(2) == 0 {
		policies := []pool.Policy{pool.WaitForRoom, pool.Reject, pool.DropOldest, pool.CallerRuns}
		opts = append(opts, pool.WithQueueLimit(c.n(4)), pool.WithQueuePolicy(policies[c.n(4)]))
	}
	routing := c.n(5)
	c.keyed = routing == 4
	opts = append(opts, pool.WithRouting([]func() pool.Strategy{pool.SharedQueue, pool.SharedQueue, pool.RoundRobin, pool.LeastLoaded, pool.KeyOrdered}[routing]))
	c.p = newPool(t, opts...)
	return c
}

func (c *crowd) rage(t testing.TB) {
	for range 1 + c.n(3) {
		c.found(t.Context(), nil)
	}
	user := func() {
		for range 10 {
			c.act(t, t.Context(), 3, nil)
		}
	}
	if ends := c.n(8); ends < 3 && !c.calm {
		c.after(time.Duration(c.n(10))*time.Second, []func(){c.p.Close, c.p.Terminate, func() { c.p.CancelQueued() }}[ends])
	}
	over := make(chan struct{})
	c.spawn("rage", func() {
		defer close(over)
		c.together("user", user, user, user)
		for i := 0; i < c.count(); i++ { // there may be more of them meanwhile
			_ = c.group(i).Wait(t.Context())
		}
	})
	select {
	case <-over:
	case <-time.After(24 * time.Hour):
		t.Errorf("somebody waits for ever: %+v", c.p.Stats())
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		c.p.Terminate()
		for i := range c.count() {
			c.group(i).Cancel()
		}
		<-over
	}
	c.woken()
	for _, r := range c.results {
		require.True(t, r.Ready())
	}
	for _, g := range c.groups {
		require.Zero(t, g.atWork.Load(), "no function is at work when Wait has returned")
		require.True(t, pool.GroupIsEmpty(g.Group))
	}
	c.sleep(time.Minute) // for those that come later, and see that nothing is left
}

func (c *crowd) n(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func (c *crowd) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.groups)
}

func (c *crowd) group(i int) *crowdGroup {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.groups[i]
}

func (c *crowd) any() *crowdGroup { return c.group(c.n(c.count())) }

func (c *crowd) nap() { c.sleep(time.Duration(c.n(3)) * time.Second) }

// found makes a group.
func (c *crowd) found(ctx context.Context, parent *crowdGroup) *crowdGroup {
	g := &crowdGroup{parent: parent, limit: int64(c.n(4))}
	var opts []pool.GroupOption
	if g.limit > 0 {
		opts = append(opts, pool.WithGroupLimit(int(g.limit)))
	}
	if c.calm || c.n(2) == 0 {
		opts = append(opts, pool.WithKeepGoing())
	}
	if c.calm { // others submit to it, too, whose tasks must not end with its founder
		ctx = context.WithoutCancel(ctx)
	}
	if parent == nil {
		g.Group = pool.NewGroup(ctx, c.p, opts...)
	} else {
		g.Group = parent.Subgroup(ctx, opts...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.groups = append(c.groups, g)
	return g
}

// act is a function at work in a group.
type act struct {
	t    testing.TB
	calm bool
	g    *crowdGroup
}

func (u *act) begin() {
	for g := u.g; g != nil; g = g.parent {
		if n, more := g.atWork.Add(1), g.gaveUp.Load(); u.calm && g.limit > 0 && n > g.limit+more {
			u.t.Errorf("%d at work, the limit is %d, and %d have given up waiting", n, g.limit, more)
		}
	}
}

func (u *act) done() {
	for g := u.g; g != nil; g = g.parent {
		g.atWork.Add(-1)
	}
}

// away waits; meanwhile another function may be at work in the place of this one.
func (u *act) away(wait func() error) {
	if u == nil {
		_ = wait()
		return
	}
	u.done()
	if err := wait(); errors.Is(err, pool.ErrNotReady) || errors.Is(err, pool.ErrDeadlock) {
		for g := u.g; g != nil; g = g.parent {
			g.gaveUp.Add(1)
		}
	}
	u.begin()
}

func (c *crowd) body(t testing.TB, g *crowdGroup, depth int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		u := &act{t: t, calm: c.calm, g: g}
		u.begin()
		defer u.done()
		for range 1 + c.n(3) {
			switch c.n(14) {
			case 0:
				panic("boom")
			case 1:
				runtime.Goexit()
			case 2:
				return 0, errOfTask
			case 3, 4, 5:
				c.nap()
			default:
				if depth > 0 && ctx.Err() == nil {
					c.act(t, ctx, depth-1, u)
				}
			}
		}
		return 1, nil
	}
}

// act does one thing, in a function, if in is not nil.
func (c *crowd) act(t testing.TB, ctx context.Context, depth int, in *act) {
	g := c.any()
	switch c.n(12) {
	case 0, 1, 2:
		fn := c.body(t, g, depth)
		_ = g.Go(ctx, func(ctx context.Context) error { _, err := fn(ctx); return err })
	case 3, 4, 5:
		var opts []pool.TaskOption
		if !c.calm && c.n(3) == 0 {
			opts = append(opts, pool.WithTimeout(time.Duration(1+c.n(5))*time.Second))
		}
		if c.keyed && c.n(2) == 0 {
			opts = append(opts, pool.WithKey("key"))
		}
		r := pool.GroupAsync(ctx, g.Group, c.body(t, g, depth), opts...)
		c.mu.Lock()
		c.results = append(c.results, r)
		c.mu.Unlock()
		if c.n(2) == 0 {
			in.away(func() error { return r.Wait(ctx) })
		}
	case 6:
		if r := c.result(); r != nil {
			in.away(func() error { return r.Wait(ctx) })
		}
	case 7:
		if r := c.result(); r != nil && !c.calm {
			r.Cancel()
		}
	case 8:
		if in != nil {
			g = c.found(ctx, in.g)
			_ = g.Go(ctx, func(ctx context.Context) error { _, err := c.body(t, g, depth)(ctx); return err })
			in.away(func() error { return g.Wait(ctx) })
		} else {
			c.found(ctx, g)
		}
	case 9:
		if !c.calm && c.n(6) == 0 {
			g.Cancel()
		}
	case 10:
		if in != nil {
			in.away(func() error { return g.Wait(ctx) })
		}
	case 11:
		if c.n(2) == 0 && c.p.Pause() {
			c.after(time.Duration(c.n(3))*time.Second, c.p.Resume)
		}
	}
}

func (c *crowd) result() *pool.AsyncResult[int] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.results) == 0 {
		return nil
	}
	return c.results[c.random.IntN(len(c.results))]
}
