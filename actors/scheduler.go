package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/extensions"
)

// Scheduler decides when the goroutines of a pool go on. A pool has one only under
// test, where it lets one run at a time and tries one order after another (package
// pool/pooltest); otherwise they run when Go lets them.
//
// No lock is held when its methods are called, except Go and IntN, which must not block.
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
		r.scheduler.Go(r.goroutine(name), f)
		return
	}
	go f()
}

// goroutine is the name of a goroutine for a Scheduler. It has a number: what starts at
// the same time must not have the same name, or its order could not be repeated. It is
// to be asked for by who runs alone, and so not when a timer fires.
func (r *Router) goroutine(name string) string {
	return fmt.Sprintf("%s/%s %d", r.config.Name, name, r.goroutines.Add(1))
}

// AfterFunc is time.AfterFunc for a timer of the pool.
func (r *Router) AfterFunc(name string, d time.Duration, f func()) *time.Timer {
	if r.scheduler == nil {
		return time.AfterFunc(d, f)
	}
	name = r.goroutine(name)
	return time.AfterFunc(d, func() { r.scheduler.Go(name, f) })
}

// AfterEnd is context.AfterFunc for a context on which the pool depends.
func (r *Router) AfterEnd(ctx context.Context, name string, f func()) (stop func() bool) {
	if r.scheduler == nil {
		return context.AfterFunc(ctx, f)
	}
	name = r.goroutine(name)
	return context.AfterFunc(ctx, func() { r.scheduler.Go(name, f) })
}

// received receives from the first of the channels from which it can, under a Scheduler,
// and reports whether there was one. It comes before a select, which would choose by
// chance, and leave something in another channel then.
func (r *Router) received(channels ...<-chan struct{}) bool {
	if r.scheduler == nil {
		return false
	}
	for _, c := range channels {
		select {
		case <-c:
			return true
		default:
		}
	}
	return false
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
