package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/extensions"
)

// Scheduler decides when the goroutines of a pool go on. A pool has one only under
// test, where it lets one run at a time and tries one order after another (package
// pool/pooltest); otherwise they run when Go lets them.
//
// No lock is held when its methods are called, except by Go and AfterFunc, which do
// not block.
type Scheduler interface {
	// Go has f called on a goroutine. Of those that have the same name one runs at a
	// time, unless it waits.
	Go(name string, f func())
	// Yield lets others go on before the caller does: what follows could come before
	// what they do, or after. what says what follows.
	Yield(what string)
	// YieldAs is Yield for who knows the name under which it was started.
	YieldAs(name, what string)
	// IntN draws a number below n.
	IntN(n int) int
}

// schedulerKey is where an actor system has its scheduler.
var schedulerKey = extensions.NextExtensionID()

// scheduling is the scheduler of an actor system as an extension of it.
type scheduling struct{ Scheduler }

func (scheduling) ExtensionID() extensions.ExtensionID { return schedulerKey }

// UseScheduler gives an actor system a scheduler, or takes it from it if s is nil. Pools
// that are there keep theirs.
func UseScheduler(system *actor.ActorSystem, s Scheduler) {
	system.Extensions.Register(scheduling{s})
}

func schedulerOf(system *actor.ActorSystem) Scheduler {
	if e, ok := system.Extensions.Get(schedulerKey).(scheduling); ok {
		return e.Scheduler
	}
	return nil
}

// scheduledDispatcher has a mailbox run when a scheduler says so.
type scheduledDispatcher struct {
	scheduler Scheduler
	name      string // of the actor
}

func (d *scheduledDispatcher) Schedule(run func()) { d.scheduler.Go(d.name, run) }
func (d *scheduledDispatcher) Throughput() int     { return 1 }

// yield lets others go on before the mailbox does, under a Scheduler.
func (m *mailbox) yield(what string) {
	if d, ok := m.dispatcher.(*scheduledDispatcher); ok {
		d.scheduler.YieldAs(d.name, what)
	}
}

// Yield lets others go on under a Scheduler, and else does nothing.
func (r *Router) Yield(what string) {
	if r.scheduler != nil {
		r.scheduler.Yield(what)
	}
}

// Spawn has f called on a goroutine of the pool.
func (r *Router) Spawn(name string, f func()) {
	if r.scheduler != nil {
		r.scheduler.Go(r.config.Name+"/"+name, f)
		return
	}
	go f()
}

// AfterFunc is time.AfterFunc for a timer of the pool.
func (r *Router) AfterFunc(name string, d time.Duration, f func()) *time.Timer {
	if r.scheduler == nil {
		return time.AfterFunc(d, f)
	}
	return time.AfterFunc(d, r.inTurn(name, f))
}

// inTurn makes f something that whoever it concerns can call at any time, and that a
// Scheduler calls later. Each has a name of its own: those that are called at the same
// instant come in any order, out of which the Scheduler makes one by their names.
func (r *Router) inTurn(name string, f func()) func() {
	name = fmt.Sprintf("%s/%s %d", r.config.Name, name, r.timers.Add(1))
	return func() { r.scheduler.Go(name, f) }
}

// woken is called by who has been woken and is about to go on.
func (r *Router) woken() { r.Yield("woken") }

// routerOf is the router of the pool to which w belongs, or nil.
func routerOf(w Wait) *Router {
	switch w := w.(type) {
	case endWait:
		return w.Router
	case interface{ Router() *Router }:
		return w.Router()
	}
	return nil
}

// repeatable has everything that the pool would leave to chance drawn by the scheduler.
func (r *Router) repeatable() {
	if _, ok := r.config.Strategy.(random); ok {
		r.config.Strategy = random{r.IntN}
	}
}
