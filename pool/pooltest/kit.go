package pooltest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/pool"
)

// Kit is what a test body works with: an actor system, pools, probes and recorders that
// belong to it and end with it. It is a [testing.TB], so assertions of package testing
// and of testify take it, and their failures point at the line of the caller.
//
// Its methods may be called from any goroutine, except FailNow and what calls it (Fatal,
// require), which end the goroutine of the body and so may be called only there. A Kit is
// of no use after the test: its methods panic then, and say of which test it was.
type Kit struct {
	testing.TB
	seat      *seat
	scheduler *scheduler // nil in Run
	began     time.Time
	log       *logBook
	recorders recorders
	idling    chan struct{} // holds who is in Idle

	deadLettered atomic.Bool // a message has become a dead letter

	mu       sync.Mutex
	over     bool
	failures []failure
	skipped  bool
	cleanups []func()
	helpers  map[uintptr]bool // where Helper was called
	roots    []*actor.PID
	pools    []*pool.Pool
	goes     int // goroutines that were started by Go
	context  context.Context
	cancel   context.CancelFunc

	controlled []fmt.Stringer // the controlled tasks
	faults     *Faults
	remotes    []*Remote
}

func newKit(t testing.TB, s *seat, scheduler *scheduler) *Kit {
	k := &Kit{TB: t, seat: s, scheduler: scheduler, began: time.Now(), idling: make(chan struct{}, 1), helpers: map[uintptr]bool{}}
	k.log = &logBook{kit: k, logLines: new(logLines)}
	k.recorders = newRecorders(k)
	k.context, k.cancel = context.WithCancel(context.Background())
	k.faults = &Faults{kit: k}
	s.sit(k)
	return k
}

// System is the actor system of the test. It writes no log but that of the kit. Actors
// that are spawned in it, and their children, are controlled by the kit: each handles one
// message at a time, in an order that [Explore] chooses, and stops with the test.
func (k *Kit) System() *actor.ActorSystem {
	k.inUse("System")
	return k.seat.system
}

// Root is where the body spawns actors and sends from.
func (k *Kit) Root() *actor.RootContext {
	k.inUse("Root")
	return k.seat.system.Root
}

// Pool makes a pool in the system of the kit, which ends with the test: it is terminated
// then, unless it has ended, and must leave nothing behind. The test fails if an option is
// not allowed.
func (k *Kit) Pool(opts ...pool.Option) *pool.Pool {
	k.Helper()
	k.inUse("Pool")
	p, err := pool.New(append([]pool.Option{pool.WithLogger(k.Logger())}, append(opts, pool.WithActorSystem(k.seat.system))...)...)
	if err != nil {
		k.Fatalf("%v", err)
	}
	k.mu.Lock()
	k.pools = append(k.pools, p)
	k.mu.Unlock()
	return p
}

// Spawn spawns an actor.
func (k *Kit) Spawn(props *actor.Props) *actor.PID {
	k.Helper()
	return k.Root().Spawn(props)
}

// SpawnNamed spawns an actor with a name. The test fails if the name is taken.
func (k *Kit) SpawnNamed(props *actor.Props, name string) *actor.PID {
	k.Helper()
	pid, err := k.Root().SpawnNamed(props, name)
	if err != nil {
		k.Fatalf("spawn %q: %v", name, err)
	}
	return pid
}

// Send sends a message. Under [Explore] others may go on before Send returns.
func (k *Kit) Send(to *actor.PID, message any) { k.Root().Send(to, message) }

// Go has f called on a goroutine that the kit knows by its name, and waits for at the end
// of the test. A panic of f fails the test. Under [Explore] a goroutine that was started in
// another way runs whenever what it waits for has come, at the same time as others.
func (k *Kit) Go(name string, f func()) {
	k.inUse("Go")
	k.start(name, f)
}

// start is Go at any time.
func (k *Kit) start(name string, f func()) {
	k.mu.Lock()
	k.goes++
	k.mu.Unlock()
	run := func() {
		defer func() {
			if reason := recover(); reason != nil {
				k.panicked(reason)
			}
			k.mu.Lock()
			k.goes--
			k.mu.Unlock()
		}()
		f()
	}
	if k.scheduler != nil {
		k.scheduler.Go(name, run)
	} else {
		go run()
	}
}

// Yield lets others go on first, under [Explore]: it says that what follows may come
// before what they do, or after.
func (k *Kit) Yield() {
	if k.scheduler != nil {
		k.scheduler.Yield("yielded")
	}
}

// Idle waits until nothing can go on at this time: every actor has handled its messages,
// everybody waits for something that only the body, or time, can bring.
func (k *Kit) Idle() {
	k.inUse("Idle")
	if k.scheduler != nil {
		k.scheduler.idle("is idle")
	} else {
		k.idling <- struct{}{} // synctest allows one to wait so; those who wait here do nothing
		synctest.Wait()
		<-k.idling
	}
}

// Advance lets a virtual time pass, with everything that happens in it, and waits until
// nothing can go on at the end of it.
func (k *Kit) Advance(d time.Duration) {
	k.inUse("Advance")
	time.Sleep(d)
	k.Idle()
}

// Sleep is time.Sleep, but that under [Explore] whoever sleeps takes a turn when it wakes.
// Goroutines that wake at the same instant from time.Sleep go on at once, and what comes
// of it cannot be repeated.
func (k *Kit) Sleep(d time.Duration) {
	time.Sleep(d)
	k.Yield()
}

// AfterFunc is time.AfterFunc, but that f runs as by [Kit.Go], with a name: under [Explore]
// it takes a turn. The end of the test does not wait for the timer.
func (k *Kit) AfterFunc(name string, d time.Duration, f func()) *time.Timer {
	k.inUse("AfterFunc")
	return time.AfterFunc(d, func() { k.start(name, f) })
}

// Elapsed is the virtual time since the test began.
func (k *Kit) Elapsed() time.Duration { return time.Since(k.began) }

// Logger is what the actor system and the pools of the kit log with. What they do is shown
// if the test fails.
func (k *Kit) Logger() *slog.Logger { return slog.New(k.log) }

// inUse panics when the test is over.
func (k *Kit) inUse(method string) {
	k.mu.Lock()
	over := k.over
	k.mu.Unlock()
	if over {
		panic(fmt.Sprintf("pooltest: Kit.%s was called after its test, %s, had ended", method, k.Name()))
	}
}
