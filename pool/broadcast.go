package pool

import "context"

// Broadcast calls fn once on every worker and returns the results in the order
// of the workers: BroadcastAsync and Get in one.
func Broadcast[R any](ctx context.Context, p *Pool, fn func(context.Context) (R, error), opts ...MapOption) ([]R, error) {
	return broadcast(ctx, "Broadcast", p, fn, opts, mapMode{waits: true, pinned: true}).getOrCancel(ctx)
}

// BroadcastAsync has fn called once on every worker, whatever the pool's
// routing, and starts those that have not been needed so far. It is a map over
// the workers, with a map's errors; the i-th place of the result is that of
// worker i+1. A worker takes it in its turn, after the tasks submitted before.
// Two tasks of one pool that each wait for a broadcast cannot both be served:
// one of them gets ErrDeadlock. [WithChunkSize] is refused.
func BroadcastAsync[R any](ctx context.Context, p *Pool, fn func(context.Context) (R, error), opts ...MapOption) *AsyncResult[[]R] {
	return broadcast(ctx, "BroadcastAsync", p, fn, opts, mapMode{pinned: true})
}

func broadcast[R any](ctx context.Context, name string, p *Pool, fn func(context.Context) (R, error),
	opts []MapOption, mode mapMode,
) *AsyncResult[[]R] {
	mustHave(p != nil, name, "pool")
	mustHave(fn != nil, name, "function")
	each := func(ctx context.Context, _ struct{}) (R, error) { return fn(ctx) }
	return mapAsync(ctx, name, p, each, make([]struct{}, p.Workers()), opts, mode)
}
