package pooltest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
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

// failure is one that a test has reported.
type failure struct {
	where   string // file:line
	message string
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

// AfterFunc is time.AfterFunc, but that under [Explore] f takes a turn. name is that of its
// strand.
func (k *Kit) AfterFunc(name string, d time.Duration, f func()) *time.Timer {
	k.inUse("AfterFunc")
	return time.AfterFunc(d, func() {
		if k.scheduler != nil {
			k.scheduler.Go(name, f)
		} else {
			f()
		}
	})
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

// The failing methods of testing.TB. In Run they are those of the test; under Explore a
// failure is one of this run.

// Helper marks the calling function as one whose line is not to be shown.
func (k *Kit) Helper() {
	var pc [1]uintptr
	if runtime.Callers(2, pc[:]) == 0 {
		return
	}
	k.mu.Lock()
	k.helpers[pc[0]] = true
	k.mu.Unlock()
}

// Error is Log and Fail.
func (k *Kit) Error(args ...any) { k.fail(fmt.Sprintln(args...)) }

// Errorf is Logf and Fail.
func (k *Kit) Errorf(format string, args ...any) { k.fail(fmt.Sprintf(format, args...)) }

// Fail marks the test as failed, and goes on.
func (k *Kit) Fail() { k.fail("Fail was called") }

// FailNow marks the test as failed and ends the goroutine.
func (k *Kit) FailNow() {
	if !k.Failed() {
		k.fail("FailNow was called")
	}
	k.end()
}

// Fatal is Log and FailNow.
func (k *Kit) Fatal(args ...any) {
	k.fail(fmt.Sprintln(args...))
	k.end()
}

// Fatalf is Logf and FailNow.
func (k *Kit) Fatalf(format string, args ...any) {
	k.fail(fmt.Sprintf(format, args...))
	k.end()
}

// end ends the goroutine of the body.
func (k *Kit) end() {
	if k.scheduler == nil {
		k.TB.FailNow()
	}
	runtime.Goexit()
}

// Skip is Log and SkipNow.
func (k *Kit) Skip(args ...any) {
	k.TB.Helper()
	k.TB.Log(args...)
	k.SkipNow()
}

// Skipf is Logf and SkipNow.
func (k *Kit) Skipf(format string, args ...any) {
	k.TB.Helper()
	k.TB.Logf(format, args...)
	k.SkipNow()
}

// SkipNow marks the test as skipped and ends the goroutine of the body. Under [Explore]
// there are no further runs then.
func (k *Kit) SkipNow() {
	if k.scheduler == nil {
		k.TB.SkipNow()
	}
	k.mu.Lock()
	k.skipped = true
	k.mu.Unlock()
	runtime.Goexit()
}

// Failed reports whether the test, or this run of it, has failed.
func (k *Kit) Failed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.failures) > 0
}

// Skipped reports whether the test, or this run of it, was skipped.
func (k *Kit) Skipped() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.skipped || k.scheduler == nil && k.TB.Skipped()
}

// Log adds a line to what is shown if the test fails.
func (k *Kit) Log(args ...any) { k.log.add(strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

// Logf adds a line to what is shown if the test fails.
func (k *Kit) Logf(format string, args ...any) { k.log.add(fmt.Sprintf(format, args...)) }

// Output is a writer to Log.
func (k *Kit) Output() io.Writer { return logWriter{k} }

// Cleanup has f called when the body has ended, before the actors stop; the last first.
func (k *Kit) Cleanup(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cleanups = append(k.cleanups, f)
}

// Context ends when the body has.
func (k *Kit) Context() context.Context { return k.context }

// fail notes a failure, with the line of the first caller that is no helper.
func (k *Kit) fail(message string) {
	k.note(failure{message: strings.TrimSuffix(message, "\n"), where: k.callerLine()})
}

// note notes a failure.
func (k *Kit) note(f failure) {
	k.mu.Lock()
	over := k.over
	k.failures = append(k.failures, f)
	k.mu.Unlock()
	if over { // nobody looks at failures any more
		k.TB.Errorf("pooltest: a failure was reported to a Kit after its test, %s, had ended: %s", k.Name(), f)
		return
	}
	if k.scheduler == nil { // Output, where Errorf would name our line
		fmt.Fprintln(k.TB.Output(), f)
		k.TB.Fail()
	}
}

// String is how package testing shows a failure.
func (f failure) String() string { return f.where + ": " + f.message }

// panicked notes a panic of the body. To be called while that is being recovered.
func (k *Kit) panicked(reason any) {
	hint := ""
	if k.scheduler != nil && fmt.Sprint(reason) == "wait already in progress" {
		hint = " (" + waitTaken + ")"
	}
	k.fail(fmt.Sprintf("panic: %v%s\n%s", reason, hint, debug.Stack()))
}

// callerLine is the first line outside of this package, testify, the runtime and what has
// called Helper.
func (k *Kit) callerLine() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	helpers := map[string]bool{}
	k.mu.Lock()
	defer k.mu.Unlock()
	for pc := range k.helpers {
		f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
		helpers[f.Function] = true
	}
	for {
		f, more := frames.Next()
		own := strings.HasPrefix(f.Function, "runtime.") || strings.HasPrefix(f.Function, ownPackage) && !strings.HasSuffix(f.File, "_test.go")
		if !own && !strings.Contains(f.Function, "github.com/stretchr/testify/") && !helpers[f.Function] {
			return fmt.Sprintf("%s:%d", base(f.File), f.Line)
		}
		if !more {
			return "?"
		}
	}
}

// ownPackage begins the names of the functions of this package, and of no other.
var ownPackage = func() string {
	var pc [1]uintptr
	runtime.Callers(1, pc[:])
	f, _ := runtime.CallersFrames(pc[:]).Next()
	return f.Function[:strings.LastIndex(f.Function, "/pooltest.")+len("/pooltest.")]
}()

func base(file string) string { return file[strings.LastIndexByte(file, '/')+1:] }
