package pool

import (
	"context"
	"fmt"
	"runtime"

	"github.com/greenroom-go/greenroom/actors"
)

// Go has fn called on a worker, and nobody is told how it ends: there is no
// result, no context, and nothing is allocated. A panic or Goexit in fn is
// counted in [Stats], logged, and has the worker restarted, like that of any
// task. For a task that can be cancelled, waited for, or that itself waits for
// others of the pool, use [ApplyAsync].
//
// ctx bounds the wait for room in a full queue, and nothing else. The error says
// why fn will not be called: ErrClosed, ErrBroken, ErrFull, ErrCancelled,
// ErrTimeout. A function that was accepted and is then dropped, by a full queue,
// CancelQueued, Terminate or a broken pool, is counted in Stats only. A nil fn
// panics.
func (p *Pool) Go(ctx context.Context, fn func()) error {
	mustHave(fn != nil, "Go", "function")
	if ctx == nil {
		return errNilContext("Go")
	}
	if ctx.Err() != nil {
		_, err := actors.ContextOutcome(ctx)
		return err
	}
	if p.router.Go(fn) {
		p.router.Yield(submitted)
		return nil
	}
	c := &call[struct{}]{fn: func(context.Context) (struct{}, error) { fn(); return struct{}{}, nil }}
	c.task.InitPlain(p.router, c, context.Background())
	defer runtime.KeepAlive(p) // while it waits for room
	if err := p.router.Submit(ctx, &c.task); err != nil {
		return fmt.Errorf("go: %w", err)
	}
	p.router.Yield(submitted)
	return nil
}
