package actors

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/extensions"
)

// Injector makes workers fail. A pool has one only under test (package pool/pooltest).
type Injector interface {
	// Inject is called by a worker, on the goroutine and in the place of the function
	// that it is about to call. What it does is what that function does: it may panic,
	// call Goexit or take its time. If it returns an error, that is what a hook
	// returns, which is then not called; before a task the error is ignored.
	Inject(at Call) error
}

// Call is a call of the user's code that a worker is about to make.
type Call struct {
	Pool   string // its name
	Worker int    // its number
	Moment Moment
	Task   string // the name of the task, if it has one
}

// Moment says what a worker is at.
type Moment int

const (
	// InTask: it runs a task, or a chunk of a map, or a range of a stream.
	InTask Moment = iota
	// InInitializer: it has just started.
	InInitializer
	// InCleanup: it is about to end.
	InCleanup
)

// injectorKey is where an actor system has its injector.
var injectorKey = extensions.NextExtensionID()

// injection is the injector of an actor system as an extension of it.
type injection struct{ Injector }

func (injection) ExtensionID() extensions.ExtensionID { return injectorKey }

// UseInjector gives an actor system an injector, or takes it from it if i is nil. Pools
// that are there keep theirs.
func UseInjector(system *actor.ActorSystem, i Injector) {
	system.Extensions.Register(injection{i})
}

func injectorOf(system *actor.ActorSystem) Injector {
	if e, ok := system.Extensions.Get(injectorKey).(injection); ok {
		return e.Injector
	}
	return nil
}

// Inject is called by a body that is about to call the user's function, where it is ready
// for whatever that may do.
func (t *Task) Inject() {
	if t.router.injector != nil {
		t.inject()
	}
}

func (t *Task) inject() {
	if t.place > 0 { // else no worker runs it
		_ = t.router.injector.Inject(Call{t.router.config.Name, int(t.place), InTask, t.Name()})
	}
}

// injectedFunction is Inject for a function that has no task.
func (r *Router) injectedFunction(worker int) {
	if r.injector != nil {
		_ = r.injector.Inject(Call{r.config.Name, worker, InTask, ""})
	}
}

// injectedInitializer is an initializer before which the injector is asked.
func (r *Router) injectedInitializer(worker int, initializer func(context.Context) (any, error)) func(context.Context) (any, error) {
	if r.injector == nil {
		return initializer
	}
	return func(ctx context.Context) (any, error) {
		if err := r.injector.Inject(Call{r.config.Name, worker, InInitializer, ""}); err != nil {
			return nil, err
		}
		return initializer(ctx)
	}
}

// injectedCleanup is a clean-up hook before which the injector is asked.
func (r *Router) injectedCleanup(worker int, hook func(context.Context, any) error) func(context.Context, any) error {
	if r.injector == nil {
		return hook
	}
	return func(ctx context.Context, state any) error {
		if err := r.injector.Inject(Call{r.config.Name, worker, InCleanup, ""}); err != nil {
			return err
		}
		return hook(ctx, state)
	}
}

// IsPool reports whether an actor is the one at the address of a pool.
func IsPool(a actor.Actor) bool {
	_, ok := a.(*supervisor)
	return ok
}
