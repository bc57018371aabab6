package pool

import "context"

// Broadcast calls fn once on every worker and returns the results in the order
// of the workers: BroadcastAsync and Get in one.
func Broadcast[R any](ctx context.Context, p *Pool, fn func(context.Context) (R, error), opts ...MapOption) ([]R, error) {
	return broadcast(ctx, "Broadcast", p, fn, opts, mapMode{waits: true}).getOrCancel(ctx)
}

// BroadcastAsync has fn called once on every worker, whatever the pool's
// routing, and starts those that have not been needed so far. It is a map over
// the workers that the pool has now, with a map's errors; the results are in the order
// of their numbers. A worker takes it in its turn, after the tasks submitted before.
// Two tasks of one pool that each wait for a broadcast cannot both be served:
// one of them gets ErrDeadlock. [WithChunkSize] is refused.
func BroadcastAsync[R any](ctx context.Context, p *Pool, fn func(context.Context) (R, error), opts ...MapOption) *AsyncResult[[]R] {
	return broadcast(ctx, "BroadcastAsync", p, fn, opts, mapMode{})
}

func broadcast[R any](ctx context.Context, name string, p *Pool, fn func(context.Context) (R, error),
	opts []MapOption, mode mapMode,
) *AsyncResult[[]R] {
	mustHave(p != nil, name, "pool")
	mustHave(fn != nil, name, "function")
	each := func(ctx context.Context, _ struct{}) (R, error) { return fn(ctx) }
	mode.on = p.router.Numbers()
	return mapAsync(ctx, name, p, each, make([]struct{}, len(mode.on)), opts, mode)
}
