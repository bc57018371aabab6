package pool

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// member is a task as its group sees it. It is in the list of the group from joining
// it until it has ended and its function, if that was started, has returned; which of
// these comes first does not matter. If a limit applies to it, it is held or has
// places, which it gives back when the function has returned.
type member struct {
	group *Group
	own   *actors.Task
	keyed bool
	gone  atomic.Int32 // of these two, how many have happened

	// Guarded by the mutex of the tree.
	prev, next *member
	inHeld     *list.Element // nil: not held
	number     uint64        // the order of those that are held
	places     []*groupPlace
	letIn      func() // ends the wait for room in the queue; nil: it does not wait
	// waiting is the context of that wait; nil: there is none, or one that has a deadline
	// and so ends by itself.
	waiting context.Context
}

// groupCall is a task of a group that calls one function.
type groupCall[R any] struct {
	AsyncResult[R]
	member
	fn      func(context.Context) (R, error) // cleared by whoever claims or abandons the task
	refused bool
}

func newGroupCall[R any](ctx context.Context, name string, g *Group, fn func(context.Context) (R, error), opts []TaskOption) *groupCall[R] {
	mustHave(g != nil && g.pool != nil, name, "group")
	c := &groupCall[R]{fn: fn}
	c.group, c.own = g, &c.task
	err := g.invalid
	if len(opts) == 0 {
		c.task.InitPlain(g.pool.router, c, g.ctx)
		c.task.WaiterCancels() // the group does
	} else {
		config := newTaskConfig(opts)
		if config.retry.Attempts != 0 {
			config.check(false, "WithRetry", "it is not for a task of a group; let its function try again")
		}
		callback, mismatch := callback(&config, &c.AsyncResult)
		parent, release := config.parent(g.ctx)
		options := config.options(callback, release)
		options.WaiterCancels = release == nil
		c.keyed = config.key != ""
		c.task.Init(g.pool.router, c, parent, options)
		err = errors.Join(err, config.err(), mismatch)
	}
	c.task.MayPark()
	if ctx == nil {
		err = errNilContext(name)
	}
	joined, err := c.submit(ctx, len(opts) == 0, err)
	if err == nil {
		return c
	}
	c.fn, c.refused = nil, true
	c.refuse(err)
	if joined { // in this order: those that are held are cancelled, and do not get its place
		c.over(errors.Is(err, ErrCancelled))
		c.leave()
	}
	return c
}

// Run calls the function, unless the group was cancelled and has not come round to
// this task.
func (c *groupCall[R]) Run(ctx context.Context) {
	if c.group.ctx.Err() != nil {
		c.fn = nil
		c.leave()
		c.task.Settle(actors.ContextOutcome(c.group.ctx))
		return
	}
	value, err := c.call(ctx)
	c.task.VacateForDecision()
	c.finish(value, err)
}

// call gives the places back before anybody sees the outcome, also if the function
// panics or exits.
func (c *groupCall[R]) call(ctx context.Context) (R, error) {
	fn := c.fn
	c.fn = nil
	defer c.leave()
	c.task.Inject()
	return fn(ctx)
}

// Abandon drops what will not be needed.
func (c *groupCall[R]) Abandon(_ messages.Outcome, err error, started bool) error {
	if !started {
		c.fn = nil
		c.leave()
	}
	return err
}

// Accept takes a value that came as a message.
func (c *groupCall[R]) Accept(value any) (func(), error) { return c.accept(value) }

// Ready tells the group of the end of the task. It is not that of the result.
func (c *groupCall[R]) Ready() { c.over(c.task.Outcome() == Cancelled) }

// asMember finds the member in the body of a task.
func (m *member) asMember() *member { return m }

// memberOf is the task of a frame if it belongs to a group, or nil.
func memberOf(f *actors.Frame) *member {
	if body, ok := f.Body().(interface{ asMember() *member }); ok {
		return body.asMember()
	}
	return nil
}

// lender is the task of a frame that waits for m, if it belongs to a group. A task
// with a key is not lent a place: it might have to wait for its turn there.
func (m *member) lender(f *actors.Frame) *member {
	if m.keyed {
		return nil
	}
	return memberOf(f)
}

// submit makes m a member of its group and hands it to the pool: at once if there is
// a place for it, else as parked. err is what is wrong with it already.
func (m *member) submit(ctx context.Context, plain bool, err error) (joined bool, _ error) {
	g := m.group
	if err == nil && g.ctx.Err() != nil {
		_, err = actors.ContextOutcome(g.ctx)
	}
	if err == nil && ctx.Err() != nil {
		_, err = actors.ContextOutcome(ctx)
	}
	g.tree.mu.Lock()
	if ended := g.refusal(); ended != nil {
		g.tree.mu.Unlock()
		return false, errors.Join(err, ended)
	}
	g.join(m)
	holds := err == nil && g.limited && !m.take(nil)
	if holds {
		if err = g.pool.router.Park(m.own); err == nil {
			m.hold()
			g.tree.watchers.nudge()
		}
	}
	g.tree.mu.Unlock()
	if err == nil && !holds {
		err = m.queue(ctx, plain)
	}
	if err != nil {
		return true, err
	}
	if g.ctx.Err() != nil { // it may have ended before it could find the task
		m.own.Settle(actors.ContextOutcome(g.ctx))
	}
	m.recheckWaits()
	g.pool.router.Yield(submitted)
	return true, nil
}

// errLetIn ends the wait for room of a task that is waited for.
var errLetIn = errors.New("let in")

// queue hands m to the pool. While it waits for room, a task of the pool that waits
// for the group lets it in: there might be room only after that one.
func (m *member) queue(ctx context.Context, plain bool) error {
	g, r := m.group, m.group.pool.router
	if plain && r.SubmitAtOnce(g.ctx, 1, func(int) *actors.Task { m.Queued(); return m.own }) == 1 {
		return nil
	}
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer r.AfterEnd(g.ctx, "end of a group", func() { cancel(context.Cause(g.ctx)) })()
	counted := waiting
	if _, finite := ctx.Deadline(); finite {
		counted = nil
	}
	m.setLetIn(func() { cancel(errLetIn) }, counted)
	g.tree.watchers.nudge()
	err := r.Submit(waiting, m.own)
	m.setLetIn(nil, nil)
	if errors.Is(err, ErrCancelled) && context.Cause(waiting) == errLetIn {
		err = r.SubmitAwaited(ctx, m.own)
	}
	if err != nil && g.ctx.Err() != nil {
		_, err = actors.ContextOutcome(g.ctx)
	}
	return err
}

// Queued has those look again who wait in the tree: m can be run in the place of one of them.
func (m *member) Queued() { m.group.tree.watchers.nudge() }

// recheckWaits looks for a cycle that m has closed by entering the queue: others may be
// held behind it, and tasks at work wait for those, or for the group.
func (m *member) recheckWaits() {
	tree := m.group.tree
	concerns := tree.awaited.Load() > 0
	if !concerns && m.group.limited {
		tree.mu.Lock()
		concerns = len(m.places) > 0 && tree.root.heldBelow > 0
		tree.mu.Unlock()
	}
	if concerns {
		actors.RecheckBehind(m.own)
	}
}

// awaitsRoom reports whether m waits for room, and nothing has ended that wait yet: nobody
// has let it in, its submitter has not given up, and the group goes on. Else it is about to
// be accepted or refused. Called with the tree's mutex held.
func (m *member) awaitsRoom() bool {
	return m.waiting != nil && m.waiting.Err() == nil && m.group.ctx.Err() == nil && m.group.pool.router.AwaitsRoom(m.own)
}

func letAllIn(letIns []func()) {
	for _, letIn := range letIns {
		letIn()
	}
}

func (m *member) setLetIn(f func(), waiting context.Context) {
	m.group.tree.mu.Lock()
	m.letIn, m.waiting = f, waiting
	m.group.tree.mu.Unlock()
}

// over is told when the outcome of m can be read. If it is the first that has failed,
// the group is cancelled before anybody can see that it has no more tasks.
func (m *member) over(cancelled bool) {
	g := m.group
	if m.own.Err() != nil && g.noteError(m.own, cancelled) && !g.keepGoing {
		g.cancel(m.own.Err())
		g.settle()
	}
	m.mayPart()
}

// noteError reports whether t is the first to have failed. Its error is for Wait; it
// stands for those of the others.
func (g *Group) noteError(t *actors.Task, cancelled bool) (first bool) {
	g.tree.mu.Lock()
	defer g.tree.mu.Unlock()
	switch {
	case cancelled:
		if g.cancelled == nil {
			g.cancelled = t
		}
	case g.failed == nil:
		g.failed = t
		return true
	default:
		t.Asked()
	}
	return false
}

// mayPart takes m out of its group at the second call.
func (m *member) mayPart() {
	if m.gone.Add(1) == 2 {
		m.group.tree.mu.Lock()
		m.group.part(m)
		m.group.tree.mu.Unlock()
	}
}

// leave is told when the function of m has returned, or will not be called.
func (m *member) leave() {
	if m.group.limited {
		m.givePlaces()
	}
	m.mayPart()
}

// givePlaces gives the places of m back, or takes it out of those that wait for one.
func (m *member) givePlaces() {
	tree := m.group.tree
	tree.mu.Lock()
	m.unhold()
	for _, p := range m.places {
		p.users = slices.DeleteFunc(p.users, func(other *member) bool { return other == m })
		if len(p.users) == 0 {
			p.free()
		}
	}
	m.places = nil
	admitted := tree.admit()
	tree.mu.Unlock()
	tree.watchers.nudge() // those that were admitted can be claimed already
	for _, next := range admitted {
		next.group.pool.router.Unpark(next.own)
	}
}

// ClaimParked claims m for a task that waits for it, in a place that is free or that
// the waiting task lends; or else one of those that are in its way.
func (m *member) ClaimParked(f *actors.Frame, nudge *actors.Nudge) *actors.Task {
	r, tree := m.group.pool.router, m.group.tree
	var ahead []*actors.Task
	var letIns []func()
	tree.watchers.add(nudge)
	tree.mu.Lock()
	claimed := m.claimHeld(f)
	held := m.inHeld != nil
	if held {
		for _, p := range m.fullGroup().places {
			for _, user := range p.users {
				ahead = append(ahead, user.own)
				if user.letIn != nil {
					letIns = append(letIns, user.letIn)
				}
			}
		}
	}
	tree.mu.Unlock()
	switch {
	case claimed:
		return m.own
	case !held:
		return r.ClaimParked(m.own, f.Worker(), nudge)
	}
	piece := claimFirst(r, f, nudge, ahead)
	if piece == nil && nudge != nil {
		letAllIn(letIns)
	}
	return piece
}

// claimHeld gives m, if it is held, places that are free or that the waiting task lends,
// and claims it, unless its key is to say when it runs. Both is one step: what has been
// lent a place runs in that of the lender, who so lends nothing else until it has ended.
// Called with the tree's mutex held.
func (m *member) claimHeld(f *actors.Frame) (claimed bool) {
	if m.inHeld == nil || !m.take(m.lender(f)) {
		return false
	}
	m.unhold()
	return !m.keyed && m.group.pool.router.ClaimHeld(m.own, f.Worker())
}

// ParkedBehind are those that have the places which m waits for.
func (m *member) ParkedBehind() (b actors.Blockers) {
	m.group.tree.mu.Lock()
	defer m.group.tree.mu.Unlock()
	if m.inHeld == nil {
		return b
	}
	full := m.fullGroup()
	if !full.isFull() {
		return b // it is about to end with its group
	}
	for _, p := range full.places {
		first := p.users[0] // others run in its place
		if !first.own.WasAccepted() && !first.awaitsRoom() {
			return actors.Blockers{} // it is about to be
		}
		b.AnyPlace = append(b.AnyPlace, first.own)
	}
	return b
}

// claimFirst claims the first of the tasks that can be.
func claimFirst(r *actors.Router, f *actors.Frame, nudge *actors.Nudge, tasks []*actors.Task) *actors.Task {
	for _, t := range tasks {
		if piece := r.ClaimFor(t, f.Worker(), nudge); piece != nil {
			return piece
		}
	}
	return nil
}
