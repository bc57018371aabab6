package pool_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

var (
	chaosExplored = flag.Uint64("chaos.explored", 0, "how many random pools TestChaosExplored tries, from -chaos.first on; 0: 20, or 2 with -short or the race detector")
	chaosOrders   = flag.Int("chaos.orders", 3, "in how many orders it has the goroutines of each go on")
)

// TestChaosExplored is chaos in which one goroutine goes on at a time, in an order that a
// seed of its own fixes: what fails can be repeated. It fails, too, if an order is not the
// same when it is repeated, in this run of the test or in those before, on another number
// of processors.
func TestChaosExplored(t *testing.T) {
	pools := *chaosExplored
	if pools == 0 {
		pools = inEachRun(20, 2)
	}
	var all tally
	seed := *chaosFirst
	for ; seed < *chaosFirst+pools && !t.Failed(); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("to repeat it, add -chaos.first %d -chaos.explored 1", seed)
				}
			})
			run := 0
			pooltest.Explore(t, pooltest.Options{Seeds: *chaosOrders}, func(k *pooltest.Kit) {
				run++
				c := newChaos(k, k, seed)
				all.add(c.run())
				c.compare(diaryName{seed, run})
			})
		})
	}
	fmt.Printf("chaos: %d pools, %d tasks accepted and %d items of maps and streams begun, each in several orders\n",
		seed-*chaosFirst, all.accepted, all.items)
}

// inEachRun is how many random pools are tried in every run of the tests: few with the race
// detector, which takes its time. More of them are tried by CI and by make chaos.
func inEachRun(most, few uint64) uint64 {
	if testing.Short() || withRace() {
		return few
	}
	return most
}

// diaryName is the n-th run for a seed.
type diaryName struct {
	seed uint64
	run  int
}

// diaries have sums of those of the runs of TestChaosExplored, by diaryName.
var diaries sync.Map

// note takes down that a function begins.
func (c *chaos) note(b *body, at string) {
	if c.kit == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(&c.diary, c.kit.Elapsed(), at, b.id)
}

// compare fails if another run of the same name was another one.
func (c *chaos) compare(name diaryName) {
	fmt.Fprintf(&c.diary, "%+v", c.p.Stats().Outcomes)
	sum := sha256.Sum256(c.diary.Bytes())
	if before, _ := diaries.LoadOrStore(name, sum); before != sum && !c.t.Failed() {
		c.t.Errorf("run %d for seed %d began other functions, or in another order, than it did before", name.run, name.seed)
	}
}

// goroutines starts those of the test, has them wait, and knows whether a kit orders them.
type goroutines struct {
	kit     *pooltest.Kit // nil: they run as Go has them run
	started atomic.Int64
}

// spawn has f called on a goroutine.
func (g *goroutines) spawn(what string, f func()) {
	if g.kit == nil {
		go f()
		return
	}
	g.kit.Go(fmt.Sprintf("%s %d", what, g.started.Add(1)), f)
}

// together calls each function on a goroutine of its own, and returns when these have
// ended: with Goexit, perhaps.
func (g *goroutines) together(what string, functions ...func()) {
	var all sync.WaitGroup
	all.Add(len(functions))
	for _, f := range functions {
		g.spawn(what, func() {
			defer all.Done()
			f()
		})
	}
	all.Wait()
	g.woken()
}

// after has f called when a time has passed.
func (g *goroutines) after(d time.Duration, f func()) {
	g.spawn("later", func() {
		g.sleep(d)
		f()
	})
}

func (g *goroutines) sleep(d time.Duration) {
	time.Sleep(d)
	g.woken()
}

// woken is to be called as the first thing after a wait that is not one of the pool's.
func (g *goroutines) woken() {
	if g.kit != nil {
		g.kit.Yield()
	}
}

// idle waits until nothing goes on at this time.
func (g *goroutines) idle() {
	if g.kit != nil {
		g.kit.Idle()
	} else {
		synctest.Wait()
	}
}
