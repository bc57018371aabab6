package pool

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/greenroom-go/greenroom/actors"
)

// Group is tasks of a pool that belong together: they share a context, a limit of
// their own, and a wait for all of them. It is errgroup.WithContext on a pool. Make
// one with [NewGroup]; the zero Group is not usable. All methods may be called from
// any goroutine.
//
// The first error of one of its tasks cancels the context of the group, with that
// error as its cause, and so the tasks that have not ended: none is started any more;
// [WithKeepGoing] leaves them alone. A task that was itself cancelled, by its result or
// by [Pool.CancelQueued], does not cancel the others, though Wait returns its error if
// there is no other.
//
// A group serves once: when Wait has returned because all tasks have ended, the
// group has ended, its context with it, and further tasks are refused with
// ErrClosed. Call Wait or Cancel in any case: until then the group's context is kept
// by that from which it derives.
type Group struct {
	// Set by newGroup, not changed after.
	pool      *Pool
	parent    *Group // nil: none
	tree      *groupTree
	ctx       context.Context
	cancel    context.CancelCauseFunc
	unhook    []func() bool // what watches ctx, and that of the parent
	limit     int           // 0: none
	limited   bool          // it has a limit, or is below one that has
	keepGoing bool
	invalid   error // what is wrong with its arguments

	// Guarded by the mutex of the tree.
	ended             bool
	pending           int // tasks that have not ended, with those of subgroups
	members           memberList
	held              list.List     // of the members, those that wait for a place
	heldBelow         int           // members that wait for a place, with those of subgroups
	places            []*groupPlace // that are taken
	active            list.List     // subgroups with pending tasks
	inActive          *list.Element // of the parent
	failed, cancelled *actors.Task  // the first of each that has ended so
	idle              chan struct{} // closed when pending is 0; made by who waits for it
}

// GroupOption sets up a group. If one is given twice, the last counts.
type GroupOption func(*groupConfig)

type groupConfig struct {
	limit     int
	keepGoing bool
	optionErrors
}

// WithGroupLimit bounds how many tasks of the group are in the pool at once, in its
// queue or at work. The others wait in the group, in the order of their submission:
// they take no room in the queue and no worker. A place is free again when the
// function of a task has returned, or when the task ended without it; then the next
// task enters the queue, be that full or not. Default: no limit. n < 1 is refused.
//
// A task of the group that waits for others of the group lends them its place. So
// a task may fork even in a group with a limit of 1, and never more of the group's
// tasks are at work than its limit. (One that gives up waiting goes on beside what
// runs in its place; when it has returned, so does the one that had lent it the place. A
// task that has a key is not lent one.)
//
// In a pool that orders keys ([KeyOrdered]) a task has its turn from the moment in which
// it enters the queue: while it waits in the group, others with its key may overtake it.
func WithGroupLimit(n int) GroupOption {
	return func(c *groupConfig) {
		c.limit = n
		c.check(n >= 1, "WithGroupLimit", "%d tasks; there must be 1 at least", n)
	}
}

// WithKeepGoing has the group finish its tasks although one has failed. Wait still
// returns the first error.
func WithKeepGoing() GroupOption { return func(c *groupConfig) { c.keepGoing = true } }

// NewGroup makes a group of tasks for a pool. It does not block. The group's
// context derives from ctx: when ctx ends, the tasks of the group are cancelled. A
// nil p panics. If ctx is nil or an option is not allowed, the group refuses its
// tasks with ErrInvalid, and Wait returns that.
func NewGroup(ctx context.Context, p *Pool, opts ...GroupOption) *Group {
	mustHave(p != nil, "NewGroup", "pool")
	return newGroup(ctx, "NewGroup", p, nil, opts)
}

// Subgroup makes a group within the group. A task of it counts towards both limits;
// while it waits for a place in the subgroup, it takes none in the group, so that a
// small limit holds back nobody else. Among those that wait in the group and in its
// subgroups, the first that may start does.
//
// The subgroup ends with ctx and with the context of the group. The group's Wait
// waits for its tasks, too. Errors are its own: they neither cancel the group nor
// are returned by the group's Wait. ctx and opts are those of [NewGroup].
func (g *Group) Subgroup(ctx context.Context, opts ...GroupOption) *Group {
	mustHave(g != nil && g.pool != nil, "Subgroup", "group")
	return newGroup(ctx, "Subgroup", g.pool, g, opts)
}

func newGroup(ctx context.Context, name string, p *Pool, parent *Group, opts []GroupOption) *Group {
	var c groupConfig
	for i, opt := range opts {
		if opt == nil {
			c.isNil("group option", i)
			continue
		}
		opt(&c)
	}
	g := &Group{pool: p, parent: parent, limit: c.limit, limited: c.limit > 0, keepGoing: c.keepGoing, invalid: c.err()}
	if ctx == nil {
		ctx, g.invalid = context.Background(), errors.Join(errNilContext(name), g.invalid)
	}
	if parent == nil {
		g.tree = &groupTree{root: g}
	} else {
		g.tree, g.limited = parent.tree, g.limited || parent.limited
	}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	g.unhook = append(g.unhook, p.router.AfterEnd(g.ctx, "end of a group", g.settle))
	if parent != nil {
		g.unhook = append(g.unhook, p.router.AfterEnd(parent.ctx, "end of a group", func() { g.cancel(context.Cause(parent.ctx)) }))
	}
	return g
}

// Context is the context of the group, from which those of its tasks derive. It ends
// with the context the group was made with, with Cancel, with the first error, and
// when Wait has returned.
func (g *Group) Context() context.Context { return g.ctx }

// Go has fn called on a worker as a task of the group. It blocks only while the
// queue of the pool is full and its policy is to wait; not for a place in the group.
//
// ctx bounds that wait, and nothing else: inside of a task, pass that task's context.
// The context that fn receives derives from the group's. The error, which Wait
// returns, too, unless the group has ended, says why fn will not be called: ErrClosed,
// ErrBroken, ErrFull, ErrCancelled, ErrTimeout, ErrKeysUnused or ErrInvalid. A nil fn
// panics.
func (g *Group) Go(ctx context.Context, fn func(context.Context) error, opts ...TaskOption) error {
	mustHave(fn != nil, "Group.Go", "function")
	c := newGroupCall(ctx, "Group.Go", g, func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) }, opts)
	if c.refused {
		return c.task.Fetch()
	}
	return nil
}

// GroupAsync is [ApplyAsync] for a task of a group, with the context of [Group.Go]. A
// nil fn or g panics.
func GroupAsync[R any](ctx context.Context, g *Group, fn func(context.Context) (R, error), opts ...TaskOption) *AsyncResult[R] {
	mustHave(fn != nil, "GroupAsync", "function")
	return &newGroupCall(ctx, "GroupAsync", g, fn, opts).AsyncResult
}

// Cancel ends the tasks of the group and of its subgroups with ErrCancelled, as
// Cancel of their results does: those that wait leave at once, though their results may
// become ready a moment later. Later ones are refused. It does not block and may be
// repeated.
func (g *Group) Cancel() {
	g.cancel(nil)
	g.settle()
}

// Wait blocks until all tasks of the group and of its subgroups have ended, with
// those that are submitted meanwhile, and ends the group. Other than a result, it
// waits for the functions, too: when it has ended the group, none is at work, though
// the task was cancelled before. It returns the first error
// in time of the group's own tasks, ErrCancelled only if there is no other, or nil;
// the same each time.
//
// If ctx ends first, the error matches ErrNotReady and ctx's error, the group goes
// on, and Wait may be called again. Inside of a task of the pool, pass that task's
// context: it runs tasks of the group in its place, also those that wait for a place
// in the group. A task of the group that waits for the group gets ErrDeadlock.
func (g *Group) Wait(ctx context.Context) error {
	if ctx == nil {
		return errNilContext("Group.Wait")
	}
	defer runtime.KeepAlive(g.pool)
	if actors.IsInside(ctx) {
		g.tree.awaited.Add(1)
		defer g.tree.awaited.Add(-1)
	}
	for {
		if err := await(ctx, groupEnd{g}); err != nil {
			return err
		}
		if g.end() {
			return g.err()
		}
	}
}

// end ends the group, unless it has tasks again.
func (g *Group) end() bool {
	g.tree.mu.Lock()
	over := g.pending == 0
	g.ended = g.ended || over
	g.tree.mu.Unlock()
	if over {
		for _, stop := range g.unhook {
			stop()
		}
		g.cancel(nil)
	}
	return over
}

// err is what Wait returns.
func (g *Group) err() error {
	g.tree.mu.Lock()
	failed, cancelled := g.failed, g.cancelled
	g.tree.mu.Unlock()
	switch {
	case g.invalid != nil:
		return g.invalid
	case failed != nil:
		return failed.Fetch()
	case cancelled != nil:
		return cancelled.Fetch()
	}
	return nil
}

// settle cancels the tasks of a group whose context has ended. Those that have no
// place come first: else they would get the places of the others.
func (g *Group) settle() {
	g.tree.mu.Lock()
	var held, others []*actors.Task
	for m := g.members.first; m != nil; m = m.next {
		if m.inHeld != nil {
			held = append(held, m.own)
		} else {
			others = append(others, m.own)
		}
	}
	var below []*Group
	for e := g.active.Front(); e != nil; e = e.Next() {
		below = append(below, e.Value.(*Group))
	}
	g.tree.mu.Unlock()
	outcome, err := actors.ContextOutcome(g.ctx)
	for _, t := range append(held, others...) {
		t.Settle(outcome, err)
	}
	for _, sub := range below {
		sub.cancel(context.Cause(g.ctx))
		sub.settle()
	}
}

// refusal says why the group takes no tasks. Called with the tree's mutex held.
func (g *Group) refusal() error {
	for up := g; up != nil; up = up.parent {
		if up.ended {
			return fmt.Errorf("%w: the group has ended", ErrClosed)
		}
	}
	return nil
}
