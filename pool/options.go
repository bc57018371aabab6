package pool

import (
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/actors"
)

// DefaultQueueLimit is how many tasks may wait in a pool that is not told
// otherwise: enough for a Python programmer's loop of apply_async, and at about
// 400 bytes a task no more than some 25 MB.
const DefaultQueueLimit = 1 << 16

// MaxWorkers is the largest pool that New accepts.
const MaxWorkers = actors.MaxWorkers

// Option sets up a pool. If one is given twice, the last counts.
type Option func(*config)

type config struct {
	actors.Config
	strategy func() Strategy
	system   *actor.ActorSystem
	hooks
	optionErrors
}

func newConfig(opts []Option) (*config, error) {
	c := &config{
		Config: actors.Config{
			Workers: runtime.GOMAXPROCS(0),
			Limit:   DefaultQueueLimit,
			Logger:  quiet,
		},
		strategy: SharedQueue,
	}
	for i, opt := range opts {
		if opt == nil {
			c.isNil("option", i)
			continue
		}
		opt(c)
	}
	c.Initializer, c.Cleanup = c.hooks.initializer(), c.hooks.cleanup()
	c.contradictions()
	return c, c.err()
}

// contradictions records options that are allowed, but not together.
func (c *config) contradictions() {
	if c.Workers >= 1 && c.MinWorkers > c.Workers {
		c.check(false, "WithMinWorkers", "%d workers, more than the %d that the pool has", c.MinWorkers, c.Workers)
	}
	if c.Initializer == nil && c.InitTimeout > 0 {
		c.check(false, "WithInitializerTimeout", "it has no effect without WithInitializer or WithState")
	}
}

// WithWorkers sets how many tasks may run at once. Default
// runtime.GOMAXPROCS(0). New rejects fewer than 1 and more than [MaxWorkers].
// Workers are started when tasks first need them, or at once if the pool has an
// initializer.
func WithWorkers(n int) Option {
	return func(c *config) {
		c.Workers = n
		c.check(n >= 1 && n <= MaxWorkers, "WithWorkers", "%d workers; there must be 1 to %d", n, MaxWorkers)
	}
}

// WithIdleTimeout has a worker leave that has been idle for d, or up to an eighth longer;
// its clean-up hook is called. Another one comes in its place when there is something to
// do for it. [WithMinWorkers] says how many stay. Default: idle workers stay, at the cost
// of some 600 bytes each. New rejects d that is not positive.
func WithIdleTimeout(d time.Duration) Option {
	return func(c *config) {
		c.IdleTimeout = d
		c.check(d > 0, "WithIdleTimeout", "%v; it must be positive", d)
	}
}

// WithMinWorkers sets how many workers remain: so many are kept by [WithIdleTimeout], once
// they have started, and by the directive [Stop], and no fewer can be asked for with
// [Pool.Resize]. Default: none are kept when idle, and 1 by Stop. New rejects fewer than
// 1 and more than the pool has workers.
func WithMinWorkers(n int) Option {
	return func(c *config) {
		c.MinWorkers = n
		c.check(n >= 1, "WithMinWorkers", "%d workers; there must be 1 at least", n)
	}
}

// DefaultOverrun is how long a function may be at work after the end of its task before
// that is reported; see [WithOverrunAfter].
const DefaultOverrun = actors.DefaultOverrun

// WithOverrunAfter sets how long a function may be at work after its task has ended
// without it (a deadline, Cancel, Terminate) before the task is overrun: that is logged,
// told as [TaskOverrun], with the function's stack, and counted by [Stats]. Nobody can stop
// a goroutine from outside: a function must look at its context. Default
// [DefaultOverrun]. New rejects d that is not positive.
func WithOverrunAfter(d time.Duration) Option {
	return func(c *config) {
		c.Overrun = d
		c.check(d > 0, "WithOverrunAfter", "%v; it must be positive", d)
	}
}

// WithReplacements has another worker come in the stead of one that is kept by an overrun
// task, so that the pool keeps its size: with an initializer and a state of its own, and
// what waits for the other worker alone. When the function returns at last, its worker
// leaves. At most n functions are abandoned in that way at a time; Join waits for them, and
// others are replaced when one of them has returned. One that runs in the place of a task is
// replaced when that has returned, too. Default: none are replaced. New rejects n < 1.
func WithReplacements(n int) Option {
	return func(c *config) {
		c.Replacements = n
		c.check(n >= 1, "WithReplacements", "%d; there must be 1 at least", n)
	}
}

// WithActorSystem makes the pool live in the given actor system. Default: one
// system, which logs nothing, shared by all pools of the process and made on
// first use. New rejects nil and a system that was shut down.
func WithActorSystem(system *actor.ActorSystem) Option {
	return func(c *config) {
		c.system = system
		c.check(system != nil, "WithActorSystem", "the system is nil")
		if system != nil {
			c.check(!system.IsStopped(), "WithActorSystem", "the system was shut down")
		}
	}
}

// WithSupervision sets what becomes of workers that fail, and of the pool if they do
// so too often. Default: the zero Supervision. New rejects rules that are wrong or
// have no effect, and says which.
func WithSupervision(rules Supervision) Option {
	return func(c *config) {
		err := rules.Check()
		c.Supervision = rules
		c.check(err == nil, "WithSupervision", "%v", err)
	}
}

// WithMaxTasksPerWorker has a worker begin anew, with its clean-up hook and its
// initializer, when it has run n tasks: Python's maxtasksperchild, for what collects in
// a worker's state. What a worker does of a map or a stream at a stretch counts as one
// task. Default: any number. New rejects n below 1. A pool with it does not lend its
// workers' places to the callers of [Apply] and [Map].
func WithMaxTasksPerWorker(n int) Option {
	return func(c *config) {
		c.MaxTasks = n
		c.check(n >= 1, "WithMaxTasksPerWorker", "%d tasks; there must be 1 at least", n)
	}
}

// WithMaxWorkerAge is [WithMaxTasksPerWorker] for workers that are older than d when
// they have run a task: an idle worker grows old undisturbed. Default: any age. New
// rejects d that is not positive.
func WithMaxWorkerAge(d time.Duration) Option {
	return func(c *config) {
		c.MaxAge = d
		c.check(d > 0, "WithMaxWorkerAge", "%v; it must be positive", d)
	}
}

// WithEventStream has all events of the pool published on the event stream of its actor
// system, as *[Event], in order, one at a time, on a goroutine of their own. A
// subscriber there that does not return holds up the others there, until events are
// lost ([EventsLost]), but never the pool. To subscribe without actors, see
// [Pool.Events].
func WithEventStream() Option { return func(c *config) { c.Publishes = true } }

// WithName names the pool, in logs and in the names of its workers, which are
// NAME/worker-1 and so on. Default: greenroom and a number. Two pools may have
// the same name. New rejects an empty name and one with a slash.
func WithName(name string) Option {
	return func(c *config) {
		c.Name = name
		c.check(name != "" && !strings.Contains(name, "/"), "WithName", "%q; a name must not be empty and has no slash", name)
	}
}

// WithLogger sets where the pool reports failing workers, failing callbacks,
// what Terminate dropped, how many errors nobody fetched ([WithUnfetchedErrors]), and a
// pool that was never closed. Default: nowhere. New rejects nil. The supervisor is among
// those who call its handler: while that blocks there, no worker is started or restarted.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) {
		c.Logger = logger
		c.check(logger != nil, "WithLogger", "the logger is nil")
	}
}

// WithQueueLimit bounds how many accepted tasks may wait. Tasks that a free
// worker is about to take do not count, nor do the items of maps and streams: a
// map counts as one task and a stream, which has a window of its own, as none.
// Default [DefaultQueueLimit]. With 0 a task is accepted only when a worker is
// free. The limit is for all workers together: a routing that gives each worker
// its own queue may have a task wait for one of them while another is free. New
// rejects n < 0.
func WithQueueLimit(n int) Option {
	return func(c *config) {
		c.Limit = n
		c.check(n >= 0, "WithQueueLimit", "%d tasks; use WithUnboundedQueue for no limit", n)
	}
}

// DefaultAgeing is the ageing of [WithPriorities] for those who have no reason for another.
const DefaultAgeing = 1000

// WithPriorities has tasks with a higher priority ([WithPriority]) taken first. So that
// nothing starves, a task that waits rises by one level with every ageing tasks that are
// submitted after it: one with priority p is overtaken by tasks that come later and have
// priority q only as long as fewer than ageing × (q-p) have come since. Whoever runs is not
// interrupted. Maps and streams have priority 0. Tasks with the same key keep their order, and those that
// are routed to one worker overtake one another there. Default: priorities are refused.
// New rejects ageing < 1 and more than 1,000,000.
//
// A pool with priorities takes tasks one by one, and does not lend its workers' places to
// the callers of [Apply] and [Map]: a short task costs about as much as with
// [KeyOrdered].
func WithPriorities(ageing int) Option {
	return func(c *config) {
		c.Ageing = ageing
		c.check(ageing >= 1 && ageing <= 1_000_000, "WithPriorities", "an ageing of %d; it must be from 1 to 1000000", ageing)
	}
}

// WithShedding has the pool shed load when it cannot keep up: when tasks have waited for
// longer than target throughout an interval, one ends with ErrDropped when its turn comes;
// and while that is not enough, more and more often. A queue that is late now and then,
// after a burst, is left alone, and so are those who give up by themselves: the queue stays
// as short as it has to be for tasks that somebody still wants, whatever its limit. It is
// CoDel (RFC 8289); a good start is for target what a task may wait in good times, and for
// interval some ten times that. How many are shed in a second grows by one over the interval
// every two intervals: under a load of twice what the pool can do, with tasks of 10 ms
// and an interval of 100 ms, the delay is below a second after five seconds.
//
// The pieces of maps and streams under way are never shed, nor is the last task in the
// queue. A wait behind a task with the same key, and in a pause, counts. Default: nothing is shed. New
// rejects a target that is not positive, and an interval that is not longer.
//
// As [WithPriorities], it has the pool take tasks one by one, and lend no places.
func WithShedding(target, interval time.Duration) Option {
	return func(c *config) {
		c.ShedTarget, c.ShedInterval = target, interval
		c.check(target > 0 && interval > target, "WithShedding",
			"a target of %v in an interval of %v; both must be positive, and the interval longer", target, interval)
	}
}

// WithUnboundedQueue lets any number of tasks wait.
func WithUnboundedQueue() Option {
	return func(c *config) {
		c.Limit = actors.Unlimited
		c.check(true, "WithQueueLimit", "")
	}
}

// Policy says what happens to a task that finds the queue full.
type Policy = actors.Policy

const (
	// WaitForRoom, the default, holds the submitter until there is room, its
	// context ends, or the pool is closed. Inside of a task of the same pool
	// nobody waits, since that could be a deadlock: the task is accepted beyond
	// the limit. A task that comes as a message never blocks its sender; it is
	// accepted and waits in front of the queue.
	WaitForRoom = actors.WaitForRoom
	// Reject refuses the task with ErrFull.
	Reject = actors.Reject
	// DropOldest accepts it and ends the task that has waited longest with
	// ErrDropped. A map whose turn has not come counts as one task.
	DropOldest = actors.DropOldest
	// CallerRuns runs the task at once, beside the workers, while the submitter
	// waits; so more tasks may run than there are workers. Tasks that come as
	// messages, tasks that have a key, and broadcasts are held as with
	// WaitForRoom.
	CallerRuns = actors.CallerRuns
)

// WithQueuePolicy sets what a full queue does. Default [WaitForRoom]. New
// rejects values that are none of the constants.
func WithQueuePolicy(p Policy) Option {
	return func(c *config) {
		c.Policy = p
		c.check(p.Valid(), "WithQueuePolicy", "unknown policy %d", p)
	}
}

// Strategy decides which worker may take a task; see [SharedQueue] and the
// others here, or write one. [actors.Strategy] has its methods.
type Strategy = actors.Strategy

// Target is where a [Strategy] sends a task. [actors.Target] has its fields.
type Target = actors.Target

// SharedQueue, the default, lets whichever worker is free first take the task
// that was submitted first.
func SharedQueue() Strategy { return actors.SharedQueue() }

// RoundRobin gives the tasks to the workers in turn.
func RoundRobin() Strategy { return actors.RoundRobin() }

// Random gives each task to a worker drawn with equal chances.
func Random() Strategy { return actors.Random() }

// LeastLoaded gives each task to the worker that holds the fewest, in turn
// among equals. Costs a look at each worker up to the first that is idle.
func LeastLoaded() Strategy { return actors.LeastLoaded() }

// KeyOrdered runs tasks with the same key ([WithKey]) one after another in the
// order of their submission, and tasks with other keys or none beside them.
func KeyOrdered() Strategy { return actors.KeyOrdered() }

// WithRouting sets how tasks get to workers. It takes a constructor, for
// strategies have a state that pools must not share:
//
//	pool.New(pool.WithRouting(pool.KeyOrdered))
//
// Default [SharedQueue]. Whatever the strategy, maps and streams draw on the
// workers that are free, and a task that another task waits for may be run in
// the place of the one that waits. A nil constructor panics; New rejects one that
// returns nil.
func WithRouting(strategy func() Strategy) Option {
	mustHave(strategy != nil, "WithRouting", "function")
	return func(c *config) { c.strategy = strategy }
}
