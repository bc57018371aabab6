package actors

import (
	"context"
	"fmt"
	"log/slog"
)

// This file is about what a worker has besides its tasks: a name, and a state that
// its initializer makes and its clean-up hook ends.

// initialize runs the initializer; its failure is the worker's.
func (w *worker) initialize() {
	initializer := w.router.config.Initializer
	if initializer == nil {
		w.initialized = true
		return
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		failure := NewFailure(recover())
		err := fmt.Errorf("initializer of %s: %w", w.router.WorkerName(w.number), failure.Err)
		initFailure := &Failure{Kind: InitializerFailed, Err: err}
		if failure.Kind == TaskExited {
			w.box.running.failure = initFailure
			return
		}
		panic(initFailure)
	}()
	state, err := w.makeState(initializer)
	returned = true
	if err != nil {
		panic(&Failure{Kind: InitializerFailed, Err: fmt.Errorf("initializer of %s: %w", w.router.WorkerName(w.number), err)})
	}
	w.router.slot(int32(w.number)).state.Store(&state)
	w.initialized = true
}

// makeState calls the initializer, which has only so much time if there is a limit.
func (w *worker) makeState(initializer func(context.Context) (any, error)) (any, error) {
	initializer = w.router.injectedInitializer(w.number, initializer)
	if limit := w.router.config.InitTimeout; limit > 0 {
		return w.router.initializeWithin(limit, w.number, initializer)
	}
	return initializer(w.router.workerContext(w.router.life, w.number))
}

// cleanUp ends the state of a worker that stops, or is about to begin anew. Whatever
// the hook does, the worker goes its way.
func (w *worker) cleanUp() {
	if !w.initialized {
		return
	}
	w.initialized = false
	state := w.router.slot(int32(w.number)).state.Swap(nil)
	w.router.endState(w.number, valueOf(state))
}

// endState ends what an initializer made for a worker.
func (r *Router) endState(worker int, state any) {
	hook := r.config.Cleanup
	if hook == nil {
		return
	}
	hook = r.injectedCleanup(worker, hook)
	var err error
	failure := r.contained("clean-up", func() { err = hook(r.workerContext(context.Background(), worker), state) })
	if failure != nil {
		err = failure.Err
	}
	if err != nil {
		r.log(slog.LevelError, "clean-up of a worker failed", "worker", r.WorkerName(worker), "error", err)
	}
}

func valueOf(state *any) any {
	if state == nil {
		return nil
	}
	return *state
}

// workerContext is what the hooks of a worker are called with.
func (r *Router) workerContext(parent context.Context, worker int) context.Context {
	return context.WithValue(parent, workerKey{}, r.WorkerName(worker))
}

type workerKey struct{}

// WorkerName is the name of the worker that runs the task or one of the hooks to
// which ctx belongs, or "".
func WorkerName(ctx context.Context) string {
	if t := runningTask(ctx); t != nil && t.place > 0 {
		return t.router.WorkerName(int(t.place))
	}
	name, _ := ctx.Value(workerKey{}).(string)
	return name
}

// WorkerState is what the initializer made for the worker that runs the task to which
// ctx belongs, or nil.
func WorkerState(ctx context.Context) any {
	if t := runningTask(ctx); t != nil && t.place > 0 {
		return valueOf(t.router.slot(t.place).state.Load())
	}
	return nil
}
