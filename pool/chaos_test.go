package pool_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

var (
	chaosSeeds = flag.Uint64("chaos", 0, "how many random pools TestChaosLeavesNoTaskWithoutAnEnd tries; 0: 40, or 10 with -short or the race detector")
	chaosFirst = flag.Uint64("chaos.first", 1, "the seed of the first of them")
	chaosTasks = flag.Int64("chaos.tasks", 0, "if not 0, try as many pools as it takes to run so many tasks")
)

// chaos does everything at once that can be done to a pool. The seed decides
// what is done: each goroutine draws from dice of its own. In which order it happens
// is up to the scheduler: Go's, or that of a kit (chaos_explored_test.go). What is done is
// in chaos_actions_test.go, what must hold in chaos_checks_test.go, chaos_places_test.go,
// when all is done in chaos_quiet_test.go, and at the end of a pool in chaos_end_test.go.
type chaos struct {
	blunders
	goroutines
	p         *pool.Pool
	system    *actor.ActorSystem // the shared one, or that of the kit: thousands of others would fill the memory
	receiver  *actor.PID
	workers   int  // to begin with
	resizes   bool // there may be more or fewer later
	ranked    bool // the pool has priorities
	sheds     bool // it sheds load
	assigned  bool // the routing says which worker is to run a task
	keyed     bool
	unlimited bool
	policy    pool.Policy
	actions   deck
	states    atomic.Int64 // of workers
	events    iter.Seq[pool.Event]

	places places
	turns  turns
	told   told
	tally  tally

	mu   sync.Mutex
	dice *rand.Rand // for the hooks of the pool, which have none of their own

	diary bytes.Buffer // which functions began; guarded by mu. Empty without a kit
}

func TestChaosLeavesNoTaskWithoutAnEnd(t *testing.T) {
	var all tally
	seed := *chaosFirst
	for ; !t.Failed() && moreChaos(seed-*chaosFirst, &all); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Cleanup(func() { sayHowToReplay(t, seed) })
			inBubble(t, func(t *testing.T) {
				all.add(newChaos(t, nil, seed).run())
			})
		})
	}
	require.Empty(t, registeredLike(pool.SharedSystem(), "chaos-"), "processes left in the registry; the number is the seed")
	fmt.Printf("chaos: %d pools, %d tasks accepted and %d items of maps and streams begun\n",
		seed-*chaosFirst, all.accepted, all.items)
}

func moreChaos(pools uint64, all *tally) bool {
	if *chaosTasks > 0 {
		return all.accepted+all.items < *chaosTasks
	}
	if *chaosSeeds == 0 {
		return pools < inEachRun(40, 10)
	}
	return pools < *chaosSeeds
}

func sayHowToReplay(t *testing.T, seed uint64) {
	if !t.Failed() {
		return
	}
	race := ""
	if withRace() {
		race = " -race"
	}
	t.Logf("replay: go test ./pool -run Chaos -chaos.first %d -chaos 1 -cpu %d%s -count 20", seed, runtime.GOMAXPROCS(0), race)
}

// withRace reports whether the race detector is on.
func withRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// newChaos makes a pool for a seed, in the system of the kit, if there is one.
func newChaos(t testing.TB, kit *pooltest.Kit, seed uint64) *chaos {
	c := &chaos{
		blunders: blunders{t}, goroutines: goroutines{kit: kit},
		dice: rand.New(rand.NewPCG(seed, 7)), system: pool.SharedSystem(), actions: actions(),
	}
	c.workers = []int{1, 1, 2, 3, 8}[c.n(5)]
	routing := c.n(5)
	c.keyed, c.assigned = routing == 4, 0 < routing && routing < 4
	opts := []pool.Option{
		pool.WithName(fmt.Sprintf("chaos-%d-", seed)),
		pool.WithLogger(slog.New(c.blunders)),
		pool.WithWorkers(c.workers),
		pool.WithRouting([]func() pool.Strategy{pool.SharedQueue, pool.RoundRobin, pool.Random, pool.LeastLoaded, pool.KeyOrdered}[routing]),
	}
	opts = append(opts, c.queue()...)
	opts = append(opts, c.hooks()...)
	opts = append(opts, c.size()...)
	if c.n(2) == 0 {
		opts = append(opts, pool.WithSupervision(c.supervision()))
	}
	if c.n(4) == 0 {
		opts = append(opts, pool.WithMaxTasksPerWorker(1+c.n(5)), pool.WithMaxWorkerAge(time.Duration(1+c.n(10))*time.Second))
	}
	if kit != nil {
		c.system, c.p = kit.System(), kit.Pool(opts...)
	} else {
		c.p = newPool(t.(*testing.T), opts...)
	}
	c.places.init(t)
	c.events = c.p.Events(context.Background())
	c.receiver = c.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *messages.Result:
			c.answer(m)
		case *actor.DeadLetterResponse:
			c.tally.answer()
		}
	}))
	return c
}

func (c *chaos) queue() (opts []pool.Option) {
	if c.ranked = c.n(4) == 0; c.ranked {
		opts = append(opts, pool.WithPriorities(1+c.n(10)))
	}
	if c.sheds = c.n(4) == 0; c.sheds {
		opts = append(opts, pool.WithShedding(time.Second, 3*time.Second))
	}
	if c.unlimited = c.n(2) == 0; c.unlimited {
		return opts
	}
	c.policy = []pool.Policy{pool.WaitForRoom, pool.Reject, pool.DropOldest, pool.CallerRuns}[c.n(4)]
	return append(opts, pool.WithQueueLimit(c.n(4)), pool.WithQueuePolicy(c.policy))
}

// size has the pool have more workers or fewer in the course of time.
func (c *chaos) size() (opts []pool.Option) {
	c.resizes = c.n(2) == 0
	if c.n(3) == 0 {
		opts = append(opts, pool.WithIdleTimeout(time.Duration(1+c.n(5))*time.Second))
	}
	if c.n(3) == 0 {
		opts = append(opts, pool.WithReplacements(1+c.n(2)))
	}
	return opts
}

func (c *chaos) hooks() (opts []pool.Option) {
	if c.n(3) == 0 {
		opts = append(opts, pool.WithInitializer(func(context.Context) error { c.nap(); return nil }))
	}
	if c.n(3) == 0 {
		opts = append(opts, pool.WithState(func(context.Context) (int, error) {
			c.nap()
			return int(c.states.Add(1)), nil
		}, func(int) error {
			defer c.states.Add(-1)
			if c.n(10) == 0 {
				panic("cleanup")
			}
			c.nap()
			return nil
		}))
	}
	if len(opts) > 0 && c.n(3) == 0 { // some naps are longer
		opts = append(opts, pool.WithInitializerTimeout(time.Duration(2+c.n(4))*time.Second))
	}
	return opts
}

// supervision are rules with which the pool goes on for a while at least.
func (c *chaos) supervision() pool.Supervision {
	rules := pool.Supervision{
		Scope: []pool.Scope{pool.OneForOne, pool.AllForOne, pool.RestForOne}[c.n(3)],
		Decide: func(pool.Failure) pool.Directive {
			switch c.n(40) {
			case 0:
				panic("decide")
			case 1:
				runtime.Goexit()
			case 2:
				return pool.Escalate
			case 3, 4, 5:
				if c.resizes {
					return pool.Stop
				}
			}
			return []pool.Directive{pool.Restart, pool.Resume, 0}[c.n(3)]
		},
	}
	if c.n(2) == 0 {
		rules.MinBackoff, rules.MaxBackoff, rules.Jitter = time.Second, 5*time.Second, 0.5
	}
	if c.n(3) == 0 {
		rules.MaxRestarts, rules.Within = 10, 10*time.Second
	}
	return rules
}

// run has the users do what they do, ends the pool, and checks what has come of it.
func (c *chaos) run() *tally {
	c.rage(c.t)
	c.checkQuiet(c.t)
	c.shutDown(c.t)
	return &c.tally
}

// rage returns when everybody has got what they waited for.
func (c *chaos) rage(t testing.TB) {
	var users []func()
	for range 3 {
		user := c.user()
		users = append(users, func() {
			for range 12 {
				if user.n(3) == 0 {
					user.nap()
				}
				user.act(user.context(t.Context()), 3)
			}
		})
	}
	if c.n(3) == 0 {
		user := c.user()
		users = append(users, func() { user.doom(t.Context()) })
	}
	over := make(chan struct{})
	c.spawn("rage", func() {
		defer close(over)
		c.together("user", users...)
	})
	select {
	case <-over:
	case <-time.After(24 * time.Hour):
		t.Errorf("somebody waits for ever: %+v", c.p.Stats())
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		c.p.Terminate()
		<-over
	}
	c.woken()
}

func (c *chaos) shutDown(t testing.TB) {
	if c.n(2) == 0 {
		c.p.Close()
	} else {
		c.p.Terminate()
	}
	if err := c.p.Join(hour(t)); err != nil {
		t.Errorf("%v: %+v", err, c.p.Stats())
		c.p.Terminate()
		require.NoError(t, c.p.Join(t.Context()))
	}
	c.idle()
	require.NoError(t, c.system.Root.StopFuture(c.receiver).Wait())
	c.sleep(time.Minute) // timers of the actor system run out
	c.checkEnd(t)
}

// n draws for the hooks of the pool.
func (c *chaos) n(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dice.IntN(n)
}

func (c *chaos) nap() { c.sleep(time.Duration(c.n(5)) * time.Second) }

// fork makes dice that are somebody's own.
func fork(dice *rand.Rand) *rand.Rand {
	return rand.New(rand.NewPCG(dice.Uint64(), dice.Uint64()))
}
