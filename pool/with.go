package pool

import (
	"context"
	"errors"
	"fmt"
)

// With makes a pool, calls run with it, and terminates it when run returns or
// panics: Python's with statement. Results that run did not wait for end with
// ErrTerminated. With waits until the pool has ended or ctx ends, so that no
// function of a task is left running unless ctx ended first. It returns the
// error of New, of run, and of that wait, which is ctx's if that has ended. A nil
// run panics.
func With(ctx context.Context, run func(*Pool) error, opts ...Option) error {
	return with(ctx, "With", run, opts, func(p *Pool) error {
		p.Terminate()
		return p.Join(ctx)
	})
}

// WithDrain is With, but it leaves by [Pool.Shutdown]: tasks that were accepted
// are finished, unless ctx ends first. A run that panics terminates the pool.
func WithDrain(ctx context.Context, run func(*Pool) error, opts ...Option) error {
	return with(ctx, "WithDrain", run, opts, func(p *Pool) error { return p.Shutdown(ctx) })
}

// With calls run with the pool and terminates it when run returns or panics,
// like the function With. It returns ErrClosed, and does not call run, if the
// pool was closed or terminated before.
func (p *Pool) With(ctx context.Context, run func(*Pool) error) error {
	mustHave(run != nil, "Pool.With", "function")
	if ctx == nil {
		return errNilContext("Pool.With")
	}
	if !p.router.Open() {
		return fmt.Errorf("%w: pool %q", ErrClosed, p.Name())
	}
	return p.within(run, func(p *Pool) error {
		p.Terminate()
		return p.Join(ctx)
	})
}

func with(ctx context.Context, call string, run func(*Pool) error, opts []Option, leave func(*Pool) error) error {
	mustHave(run != nil, call, "function")
	if ctx == nil {
		return errNilContext(call)
	}
	p, err := New(opts...)
	if err != nil {
		return err
	}
	return p.within(run, leave)
}

func (p *Pool) within(run func(*Pool) error, leave func(*Pool) error) error {
	defer p.Terminate() // for a run that panics or exits; else leave has been called
	err := run(p)
	if left := leave(p); left != nil {
		return errors.Join(err, left)
	}
	return err
}
