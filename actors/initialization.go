package actors

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/messages"
)

// This file gives initializers a time limit.

// initialization is a call of an initializer that has only so much time. The
// initializer has a goroutine of its own, so that the worker can go on without it.
//
// Who gets what it made is decided once, by settle: in time, it is the worker's; late,
// it is ended by the goroutine that made it, which the end of the pool waits for.
type initialization struct {
	router   *Router
	worker   int
	deadline time.Time
	settled  atomic.Int32
	over     chan struct{} // closed once settled

	// Written by the goroutine before it settles; the worker reads them if they came in
	// time.
	state any
	err   error
}

// What becomes of an initialization:
//
//	0 → inTime, late: both final
const (
	inTime int32 = 1 + iota
	late
)

// initializeWithin calls an initializer and returns what it returns, or says why it did
// not: it panicked, called Goexit, or has not returned within the limit. Then it goes on
// alone.
func (r *Router) initializeWithin(limit time.Duration, worker int, initializer func(context.Context) (any, error)) (any, error) {
	i := &initialization{router: r, worker: worker, deadline: time.Now().Add(limit), over: make(chan struct{})}
	ctx, release := context.WithDeadlineCause(r.workerContext(r.life, worker), i.deadline, messages.ErrTimeout)
	r.mu.Lock()
	r.initializing++
	r.mu.Unlock()
	r.Spawn("initializer", func() {
		defer r.initializationEnded()
		defer release()
		defer i.report()
		i.call(ctx, initializer)
	})
	// Not the context: it may end before, with the pool, of which the initializer is to
	// learn while it still has its time.
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-i.over:
	case <-timer.C:
		<-ctx.Done() // by its deadline, which is no later: the initializer must not learn of what follows first
		i.settle(late)
	}
	r.woken()
	if i.settled.Load() == late {
		return nil, fmt.Errorf("it has not returned within %v: %w", limit, messages.ErrTimeout)
	}
	return i.state, i.err
}

// settle decides, unless that has been done.
func (i *initialization) settle(how int32) {
	if i.settled.CompareAndSwap(0, how) {
		close(i.over)
	}
}

// call calls the initializer, whatever that does.
func (i *initialization) call(ctx context.Context, initializer func(context.Context) (any, error)) {
	returned := false
	defer func() {
		if !returned {
			i.err = NewFailure(recover()).Err
		}
		if time.Now().Before(i.deadline) {
			i.settle(inTime)
		}
		i.settle(late) // the worker's timer may be slow; what an initializer returns because its time is over must not count
	}()
	i.state, i.err = initializer(ctx)
	returned = true
}

// report deals with what came late: nobody else knows of it.
func (i *initialization) report() {
	if i.settled.Load() == inTime {
		return
	}
	worker := i.router.WorkerName(i.worker)
	if i.err != nil {
		i.router.log(slog.LevelWarn, "initializer failed after its time", "worker", worker, "error", i.err)
		return
	}
	i.router.log(slog.LevelWarn, "initializer returned after its time", "worker", worker)
	i.router.endState(i.worker, i.state)
}

// initializationEnded is the last that the goroutine of an initialization does.
func (r *Router) initializationEnded() {
	r.mu.Lock()
	r.initializing--
	r.checkEnded()
	r.mu.Unlock()
}
