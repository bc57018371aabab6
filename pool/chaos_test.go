package pool_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

var (
	chaosSeeds = flag.Int("chaos", 100, "how many random pools TestChaosLeavesNoTaskWithoutAnEnd tries")
	chaosFirst = flag.Uint64("chaos.first", 1, "the seed of the first of them")
)

// blunders is a log that fails the test if something panicked that the test did not
// make panic.
type blunders struct{ t *testing.T }

func (b blunders) Enabled(context.Context, slog.Level) bool { return true }
func (b blunders) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b blunders) WithGroup(string) slog.Handler            { return b }
func (b blunders) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			b.see(err)
		}
		return true
	})
	return nil
}

func (b blunders) see(err error) {
	var p *pool.PanicError
	ours := []any{"boom", "callback", "sequence", "decide", "cleanup"}
	if errors.As(err, &p) && !slices.Contains(ours, p.Value) {
		b.t.Errorf("not one of the test's panics: %v", err)
	}
}

// chaos does everything at once that can be done to a pool. The seed decides
// what is done; in which order it happens is up to the scheduler.
type chaos struct {
	blunders
	p         *pool.Pool
	system    *actor.ActorSystem // the shared one: thousands of others would fill the memory
	receiver  *actor.PID
	keyed     bool
	ranked    bool // the pool has priorities
	unlimited bool
	sent      atomic.Int64
	answered  atomic.Int64
	states    atomic.Int64 // of workers
	events    iter.Seq[pool.Event]

	mu      sync.Mutex
	random  *rand.Rand
	results []*pool.AsyncResult[int]
}

func TestChaosLeavesNoTaskWithoutAnEnd(t *testing.T) {
	for seed := *chaosFirst; seed < *chaosFirst+uint64(*chaosSeeds); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				c := newChaos(t, seed)
				c.rage(t)
				c.shutDown(t)
			})
		})
	}
}

func newChaos(t *testing.T, seed uint64) *chaos {
	c := &chaos{blunders: blunders{t}, random: rand.New(rand.NewPCG(seed, 7)), system: pool.SharedSystem()}
	routing := c.n(5)
	c.keyed = routing == 4
	opts := []pool.Option{
		pool.WithLogger(slog.New(c.blunders)),
		pool.WithWorkers(1 + c.n(3)),
		pool.WithRouting([]func() pool.Strategy{pool.SharedQueue, pool.RoundRobin, pool.Random, pool.LeastLoaded, pool.KeyOrdered}[routing]),
	}
	if c.unlimited = c.n(2) == 0; !c.unlimited {
		policies := []pool.Policy{pool.WaitForRoom, pool.Reject, pool.DropOldest, pool.CallerRuns}
		opts = append(opts, pool.WithQueueLimit(c.n(4)), pool.WithQueuePolicy(policies[c.n(4)]))
	}
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
	if c.n(2) == 0 {
		opts = append(opts, pool.WithSupervision(c.supervision()))
	}
	if c.n(4) == 0 {
		opts = append(opts, pool.WithMaxTasksPerWorker(1+c.n(5)), pool.WithMaxWorkerAge(time.Duration(1+c.n(10))*time.Second))
	}
	if c.n(3) == 0 {
		opts = append(opts, pool.WithIdleTimeout(time.Duration(1+c.n(5))*time.Second))
	}
	if c.n(3) == 0 {
		opts = append(opts, pool.WithReplacements(1+c.n(2)))
	}
	if c.n(4) == 0 {
		opts = append(opts, pool.WithShedding(time.Second, 3*time.Second))
	}
	if c.ranked = c.n(4) == 0; c.ranked {
		opts = append(opts, pool.WithPriorities(1+c.n(10)))
	}
	c.p = newPool(t, opts...)
	c.events = c.p.Events(context.Background())
	c.receiver = c.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *messages.Result, *actor.DeadLetterResponse:
			c.answered.Add(1)
		}
	}))
	return c
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
				return pool.Stop
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

// rage returns when everybody has got what they waited for.
func (c *chaos) rage(t *testing.T) {
	over := make(chan struct{})
	var users sync.WaitGroup
	for range 3 {
		users.Go(func() {
			for range 12 {
				if c.n(3) == 0 {
					c.nap()
				}
				c.act(t.Context(), 3)
			}
		})
	}
	go func() { users.Wait(); close(over) }()
	select {
	case <-over:
	case <-time.After(24 * time.Hour):
		t.Errorf("somebody waits for ever: %+v", c.p.Stats())
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		c.p.Terminate()
		<-over
	}
}

func (c *chaos) shutDown(t *testing.T) {
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
	for _, r := range c.results {
		_, err := r.Outcome()
		require.NotErrorIs(t, err, pool.ErrNotReady)
		c.see(err)
	}
	require.Zero(t, c.states.Load(), "every worker has cleaned up")
	var last pool.Event
	for last = range c.events {
	}
	require.Equal(t, pool.PoolClosed, last.Kind)
	report := c.p.Report()
	require.True(t, report.Ended)
	require.Empty(t, report.Running)
	failed := report.Outcomes[pool.Failed] + report.Outcomes[pool.Panicked] + report.Outcomes[pool.Exited]
	require.LessOrEqual(t, report.Unfetched, failed)
	require.GreaterOrEqual(t, report.Unfetched, int64(0))
	synctest.Wait()
	require.Equal(t, c.sent.Load(), c.answered.Load(), "each message has one answer")
	require.NoError(t, c.system.Root.StopFuture(c.receiver).Wait())
	time.Sleep(time.Minute) // timers of the actor system run out
}

func (c *chaos) n(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func (c *chaos) nap() { time.Sleep(time.Duration(c.n(5)) * time.Second) }

func (c *chaos) keep(r *pool.AsyncResult[int]) *pool.AsyncResult[int] {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results = append(c.results, r)
	return r
}

// recent is one of the latest results.
func (c *chaos) recent() (*pool.AsyncResult[int], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.results) == 0 {
		return nil, false
	}
	low := max(0, len(c.results)-12)
	return c.results[low+c.random.IntN(len(c.results)-low)], true
}

// body is a task's function; depth is how deep it may nest others.
func (c *chaos) body(depth int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		for range 1 + c.n(3) {
			switch c.n(12) {
			case 0:
				panic("boom")
			case 1:
				runtime.Goexit()
			case 2:
				return 0, errors.New("mine")
			case 3, 4:
				c.nap()
			case 5:
				defer panic("boom")
				runtime.Goexit()
			default:
				if depth > 0 {
					c.act(ctx, depth-1)
				}
			}
		}
		return 1, ctx.Err()
	}
}

func (c *chaos) taskOptions() (opts []pool.TaskOption) {
	if c.ranked && c.n(2) == 0 {
		opts = append(opts, pool.WithPriority(c.n(7)-3))
	}
	if c.n(4) == 0 {
		opts = append(opts, pool.WithTimeout(time.Duration(1+c.n(8))*time.Second))
	}
	if c.n(5) == 0 {
		rules := pool.Retry{Attempts: 2 + c.n(3)}
		if c.n(2) == 0 {
			rules.MinBackoff, rules.MaxBackoff, rules.Jitter = time.Second, 3*time.Second, 0.5
		}
		if c.n(2) == 0 {
			rules.If = func(error) bool { return c.n(3) > 0 }
		}
		opts = append(opts, pool.WithRetry(rules))
	}
	if c.n(6) == 0 {
		opts = append(opts, pool.WithRunTimeout(time.Duration(1+c.n(4))*time.Second))
	}
	if c.n(4) == 0 {
		opts = append(opts, pool.WithCallback(func(int) {
			switch c.n(5) {
			case 0:
				panic("callback")
			case 1:
				runtime.Goexit()
			case 2:
				if c.unlimited { // a callback must not wait for room
					c.keep(pool.ApplyAsync(context.Background(), c.p, value(1)))
				}
			}
		}))
	}
	if c.keyed && c.n(2) == 0 {
		opts = append(opts, pool.WithKey(strconv.Itoa(c.n(2))))
	}
	return opts
}

// act does one thing and waits for it, or not.
func (c *chaos) act(ctx context.Context, depth int) {
	item := func(ctx context.Context, _ int) (int, error) { return c.body(depth)(ctx) }
	items := make([]int, c.n(7))
	var opts []pool.MapOption
	if c.n(2) == 0 {
		opts = append(opts, pool.WithChunkSize(1+c.n(3)))
	}
	switch c.n(15) {
	case 0, 1:
		_, _ = pool.Apply(ctx, c.p, c.body(depth), c.taskOptions()...)
	case 2, 3:
		c.keep(pool.ApplyAsync(ctx, c.p, c.body(depth), c.taskOptions()...))
	case 4:
		a := c.keep(pool.ApplyAsync(ctx, c.p, c.body(depth), c.taskOptions()...))
		b := c.keep(pool.ApplyAsync(ctx, c.p, c.body(depth)))
		_, _, _ = pool.WaitFor(ctx, pool.When(c.n(3)), a, b)
	case 5, 6:
		if r, ok := c.recent(); ok {
			_ = r.Wait(ctx)
		}
	case 7:
		if r, ok := c.recent(); ok {
			r.Cancel()
		}
	case 8:
		if c.n(3) == 0 {
			opts = append(opts, pool.WithFailFast())
		}
		_, _ = pool.Map(ctx, c.p, item, items, opts...)
	case 9:
		r := pool.MapAsync(ctx, c.p, item, items, opts...)
		if c.n(2) == 0 {
			c.nap()
			r.Cancel()
		}
		_ = r.Wait(ctx)
	case 10, 11:
		c.stream(ctx, item, len(items), opts)
	case 12:
		_, _ = pool.Broadcast(ctx, c.p, c.body(depth))
	case 13:
		c.send(depth)
	case 14:
		c.disturb()
	}
}

func (c *chaos) stream(ctx context.Context, item func(context.Context, int) (int, error), length int, opts []pool.MapOption) {
	imap := pool.IMap[int, int]
	if c.n(2) == 0 {
		imap = pool.IMapUnordered[int, int]
	}
	if c.n(2) == 0 {
		opts = append(opts, pool.WithWindow(1+c.n(3)))
	}
	s := imap(ctx, c.p, item, func(yield func(int) bool) {
		for i := range length {
			if c.n(3) == 0 {
				c.nap()
			}
			if c.n(12) == 0 {
				panic("sequence")
			}
			if !yield(i) {
				return
			}
		}
	}, opts...)
	stop, i := c.n(10), 0
	for range s.All() {
		if i++; i == stop {
			break
		}
	}
}

func (c *chaos) send(depth int) {
	c.sent.Add(1)
	key := ""
	if c.keyed && c.n(2) == 0 {
		key = strconv.Itoa(c.n(2))
	}
	fn := c.body(depth)
	request(c.system, c.p.PID(), c.receiver, &messages.Task{
		Key: key, Func: func(ctx context.Context) (any, error) { return fn(ctx) },
	})
}

// disturb stops a worker, has the pool pause for a while, looks at everything, or
// answers in the place of a task.
func (c *chaos) disturb() {
	switch c.n(9) {
	case 7, 8:
		_ = c.p.Resize(1 + c.n(4))
	case 0:
		pool := c.p.PID()
		c.system.Root.Stop(actor.NewPID(pool.Address, fmt.Sprintf("%s/worker-%d", pool.Id, 1+c.n(4))))
	case 1:
		if c.p.Pause() {
			time.AfterFunc(time.Duration(c.n(5))*time.Second, c.p.Resume)
		}
	case 2:
		_ = c.p.Report().String()
	default:
		if r, ok := c.recent(); ok {
			c.system.Root.Send(r.PID(), &messages.Result{Value: 7})
		}
	}
}
