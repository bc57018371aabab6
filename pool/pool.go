package pool

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"weak"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/actors"
)

// Pool is a company of workers that run tasks. Make one with [New]; the
// zero Pool is not usable. All methods may be called from any goroutine.
//
// A pool that is neither closed nor terminated when the last reference to it
// and to its pending results is gone says so through its logger and is closed,
// unless its PID was asked for.
type Pool struct {
	router    *actors.Router
	pid       *actor.PID
	system    *actor.ActorSystem
	addressed *atomic.Bool
}

// New makes a pool. It does not block. It returns ErrInvalid, with the option
// and its value, if an option is not allowed.
func New(opts ...Option) (*Pool, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, fmt.Errorf("new pool: %w", err)
	}
	if c.system == nil {
		c.system = sharedSystem()
	}
	number := c.system.ProcessRegistry.NextId()
	id := c.Name + number
	if c.Name == "" {
		id = "greenroom" + number
		c.Name = id
	}
	if c.Strategy = c.strategy(); c.Strategy == nil {
		return nil, fmt.Errorf("new pool: %w: WithRouting: the constructor returned nil", ErrInvalid)
	}
	router := actors.NewRouter(c.Config)
	pid, err := c.system.Root.SpawnNamed(actors.Props(func() *actors.Router { return router }), id)
	if err != nil {
		return nil, fmt.Errorf("new pool %q: %w", c.Name, err)
	}
	p := &Pool{router: router, pid: pid, system: c.system, addressed: new(atomic.Bool)}
	this := weak.Make(p)
	router.KeepWhileBusy(func() any {
		if p := this.Value(); p != nil {
			return p
		}
		return nil
	})
	runtime.AddCleanup(p, abandoned, handle{weak.Make(router), p.addressed})
	return p, nil
}

// handle is what is left of a pool that nobody can reach. The actor system keeps the
// router until the pool has ended; if this did, too, a logger, an initializer, whatever
// the pool was given that refers to the pool would keep it for good.
type handle struct {
	router    weak.Pointer[actors.Router]
	addressed *atomic.Bool
}

// abandoned is called when nobody can reach the pool any more.
func abandoned(h handle) {
	router := h.router.Value()
	if router == nil || !router.Open() {
		return
	}
	if !h.addressed.Load() {
		router.Close()
	}
	actors.Log(router.Logger(), slog.LevelWarn, "pool was never closed", "pool", router.Name())
}

// Props describes a pool as an actor, to be spawned by another one, whose child
// it becomes: it stops when that actor stops. It is used by messages alone:
//
//	pid := ctx.Spawn(pool.Props(pool.WithWorkers(4)))
//	ctx.Request(pid, &messages.Task{Func: work})
//
// A poison pill drains it, a Stop terminates it. If an option is not allowed,
// spawning fails with that error; [WithActorSystem] is not allowed here.
func Props(opts ...Option) *actor.Props {
	c, err := newConfig(opts)
	if err == nil && c.system != nil {
		err = fmt.Errorf("%w: WithActorSystem: a child lives in its parent's system", ErrInvalid)
	}
	if err == nil && c.strategy() == nil {
		err = fmt.Errorf("%w: WithRouting: the constructor returned nil", ErrInvalid)
	}
	if err != nil {
		err = fmt.Errorf("spawn pool: %w", err)
		fails := func(*actor.ActorSystem, string, *actor.Props, actor.SpawnerContext) (*actor.PID, error) {
			return nil, err
		}
		return actor.PropsFromFunc(func(actor.Context) {}, actor.WithSpawnFunc(fails))
	}
	if c.Name == "" {
		c.Name = "greenroom"
	}
	return actors.Props(func() *actors.Router {
		config := c.Config
		config.Strategy = c.strategy()
		return actors.NewRouter(config)
	})
}

// Name is the pool's name.
func (p *Pool) Name() string { return p.router.Name() }

// Workers is how many tasks the pool runs at once.
func (p *Pool) Workers() int { return p.router.Workers() }

// Resize changes how many tasks the pool runs at once, while it works. It does not
// block. More workers come when there is something to do for them, or at once if the
// pool has an initializer; maps and streams under way use them, too. Of fewer, those
// with the lowest numbers stay; the others finish what they run, a map or a stream its
// chunk in hand, and then leave: until then more may be at work. Nothing is lost: what
// waits for a worker that leaves, because the pool's routing said so, is taken by
// whoever is free, and a broadcast still calls its function on every worker for which
// it was submitted.
//
// It returns ErrInvalid for less than 1, more than [MaxWorkers], and less than
// [WithMinWorkers] says; ErrBroken; and ErrClosed after Terminate. A pool that was closed
// can be resized, so that it ends sooner. [*messages.Resize] does the same as a message.
func (p *Pool) Resize(workers int) error {
	if err := p.router.Resize(workers); err != nil {
		return fmt.Errorf("resize pool %q: %w", p.Name(), err)
	}
	return nil
}

// PID is the pool's address: tasks can be sent there as [*messages.Task]. A
// poison pill sent there closes the pool behind the tasks sent before; a Stop
// terminates it.
func (p *Pool) PID() *actor.PID {
	p.addressed.Store(true)
	return p.pid
}

// Ready starts the workers that are not there, since they have not been needed so far, and
// waits until each has run its initializer; meanwhile none leaves because it is idle. A
// worker that has failed and waits for its restart counts as before. It returns nil,
// ErrBroken with the initializer's failure, ErrClosed if the pool has been terminated or has
// ended, or ctx's error.
func (p *Pool) Ready(ctx context.Context) error {
	if ctx == nil {
		return errNilContext("Ready")
	}
	defer runtime.KeepAlive(p)
	return p.router.AwaitReady(ctx)
}

// Close makes the pool refuse new tasks with ErrClosed, including those that
// wait for room in the queue. Tasks that were accepted are finished, and so are
// maps and streams; a stream no longer waits for its reader. A pause ends. Close does not
// block; it may be repeated and has no effect after Terminate.
func (p *Pool) Close() { p.router.Close() }

// Pause has the workers take up nothing new until [Pool.Resume]: tasks are accepted as
// before, and wait. What runs is finished, with what it waits for; maps and streams
// under way finish the chunks in hand. It does not block, may be repeated, and reports
// false if the pool was closed or terminated: Close ends a pause, since what was
// accepted is to be finished. [*messages.Pause] does the same as a message.
func (p *Pool) Pause() bool { return p.router.Pause() }

// Resume ends a pause.
func (p *Pool) Resume() { p.router.Resume() }

// CancelQueued cancels every task that has not started, with ErrCancelled, and
// reports how many results it ended or cut short. What runs is finished. A map
// under way finishes the chunks in hand and then ends with a [*MapError]; a
// stream finishes the items in hand, gives their results, then ErrCancelled,
// and takes no more from its sequence. It does not block.
//
// Close, CancelQueued and Join are Python's shutdown(cancel_futures=True).
func (p *Pool) CancelQueued() int { return p.router.CancelUnstarted() }

// Terminate ends every task that has not ended, with ErrTerminated: those that
// wait are dropped, those that run see their context cancelled and their
// results end at once. How many there were is logged. It does not block, not
// even for the functions that run: [Pool.Join] waits for them. It may be
// repeated.
func (p *Pool) Terminate() { p.router.Terminate() }

// Join waits until a closed or terminated pool has ended: all functions and
// callbacks have returned, all workers are gone. It may be repeated. It returns
// nil, ErrRunning if the pool was neither closed nor terminated, ErrDeadlock
// inside of a task of this pool or of one that such a task waits for, or ctx's
// error if that ends first.
func (p *Pool) Join(ctx context.Context) error {
	if ctx == nil {
		return errNilContext("Join")
	}
	if p.router.Open() {
		return fmt.Errorf("join pool %q: %w", p.Name(), ErrRunning)
	}
	if p.isInside(ctx) {
		return fmt.Errorf("join pool %q inside of one of its tasks: %w", p.Name(), ErrDeadlock)
	}
	if err := actors.Await(ctx, p.router.Ended()); err != nil {
		return fmt.Errorf("join pool %q: %w", p.Name(), err)
	}
	return nil
}

// isInside reports whether ctx is that of one of the pool's tasks.
func (p *Pool) isInside(ctx context.Context) bool {
	f := actors.FrameOf(ctx)
	return f != nil && f.Router() == p.router
}

// Shutdown closes the pool and waits until it has ended. If ctx ends first, it
// terminates the pool and returns an [*UnfinishedError] at once, which wraps ctx's
// error and says which functions were at work; they may still be, and Join waits for
// them. Inside of a task of this pool it returns ErrDeadlock and does nothing.
func (p *Pool) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return errNilContext("Shutdown")
	}
	if p.isInside(ctx) {
		return fmt.Errorf("shut down pool %q inside of one of its tasks: %w", p.Name(), ErrDeadlock)
	}
	p.Close()
	err := p.Join(ctx)
	if err == nil {
		return nil
	}
	before := p.Report()
	p.Terminate()
	if ctx.Err() == nil { // a deadlock
		return err
	}
	report := p.Report()
	report.Running, report.WaitsFor = before.Running, before.WaitsFor
	return &UnfinishedError{report, err}
}

// Stats is a snapshot of a pool's counters. [actors.Stats] has its fields.
type Stats = actors.Stats

// Stats returns a snapshot.
func (p *Pool) Stats() Stats { return p.router.Stats() }

// WorkerStats is a snapshot of one worker. [actors.WorkerStats] has its fields.
type WorkerStats = actors.WorkerStats

// WorkerStats lists the workers in the order of their numbers: those that the pool has, and
// those that leave. It costs an allocation and a string for each.
func (p *Pool) WorkerStats() []WorkerStats { return p.router.WorkerStats() }

// WorkerName is the name of the worker that runs the task, or the initializer,
// to which ctx belongs; "" elsewhere, and for a task that its submitter runs.
func WorkerName(ctx context.Context) string { return actors.WorkerName(ctx) }
