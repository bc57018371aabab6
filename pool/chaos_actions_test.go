package pool_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// player does things to the pool, one after another: a user, or a task's function.
type player struct {
	*chaos
	dice     *rand.Rand
	self     *body // nil: a user, or another goroutine of a task
	sent     map[string]int
	complete bool // what the last action waited for has returned in good order
}

// action is something that can be done. It waits for what it began, or not.
type action struct {
	weight int
	do     func(p *player, ctx context.Context, depth int)
}

// actions is the place to add to what chaos does.
func actions() deck {
	return newDeck([]action{
		{8, (*player).apply},
		{1, (*player).ready},
		{8, (*player).applyAsync},
		{2, (*player).call},
		{2, (*player).applyEach},
		{2, (*player).goes},
		{2, (*player).burst},
		{4, (*player).waitFor},
		{4, (*player).mapAndWait},
		{4, (*player).mapAsync},
		{8, (*player).stream},
		{4, (*player).broadcast},
		{4, (*player).send},
		{2, (*player).both},
		{8, (*player).hear},
		{2, (*player).asCompleted},
		{4, (*player).onDone},
		{4, (*player).cancel},
		{2, (*player).answerInPlace},
		{1, (*player).killWorker},
		{1, (*player).poisonWorker},
		{1, (*player).pause},
		{2, (*player).resize},
		{1, (*player).cancelQueued},
		{1, (*player).look},
	})
}

// deck has each action as often as it weighs.
type deck []func(p *player, ctx context.Context, depth int)

func newDeck(actions []action) (d deck) {
	for _, a := range actions {
		for range a.weight {
			d = append(d, a.do)
		}
	}
	return d
}

func (c *chaos) user() *player {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &player{chaos: c, dice: fork(c.dice), sent: map[string]int{}}
}

func (p *player) n(n int) int { return p.dice.IntN(n) }

func (p *player) nap() { p.sleep(time.Duration(p.n(5)) * time.Second) }

// context is what a user waits with. With the first a place can be borrowed.
func (p *player) context(ctx context.Context) context.Context {
	if p.n(2) == 0 {
		return context.Background()
	}
	return ctx
}

// act does one thing. A function that does is taken for waiting meanwhile.
func (p *player) act(ctx context.Context, depth int) {
	if p.n(6) == 0 {
		shorter, cancel := context.WithTimeout(ctx, time.Duration(p.n(6))*time.Second)
		defer cancel()
		ctx = shorter
	}
	do := p.actions[p.n(len(p.actions))]
	if p.self == nil {
		do(p, ctx, depth)
		return
	}
	p.complete = false
	p.places.pause(&p.self.place)
	do(p, ctx, depth)
	p.places.resume(&p.self.place, p.complete)
}

func (p *player) apply(ctx context.Context, depth int) {
	b := p.newBody(depth)
	opts := p.keyOf(b)
	if p.n(2) == 0 {
		opts = append(opts, p.limits()...)
	}
	p.borrow(b, func() (int, error) { return pool.Apply(ctx, p.p, b.run, opts...) })
}

// borrow calls Apply where it may run the function itself, which may end the goroutine.
func (p *player) borrow(b *body, apply func() (int, error)) {
	p.together("apart", func() { // a Goexit may end it
		v, err := 0, error(pool.ErrGoexit)
		defer func() { p.tally.applied(b, v, err) }()
		v, err = apply()
		p.complete = err == nil
	})
}

func (p *player) applyAsync(ctx context.Context, depth int) { p.begin(ctx, depth) }

// begin submits a task and keeps its result.
func (p *player) begin(ctx context.Context, depth int) *witness {
	b := p.newBody(depth)
	w := &witness{body: b}
	opts := append(p.keyOf(b), p.limits()...)
	opts = append(opts, p.callbacks(w)...)
	opts = append(opts, p.retries(b)...)
	return p.told.keep(w, pool.ApplyAsync(ctx, p.p, b.run, opts...))
}

func (p *player) call(ctx context.Context, depth int) {
	b := p.newBody(depth)
	if p.n(2) == 0 {
		p.borrow(b, func() (int, error) {
			v, err := pool.Call(ctx, p.p, b.run)
			n, _ := v.(int)
			return n, err
		})
		return
	}
	r := pool.CallAsync(ctx, p.p, b.run)
	p.told.keepOther(ending(r, func(any) bool { return b.end.Load() == bodyUnbegun }))
}

func (p *player) applyEach(ctx context.Context, depth int) {
	key := p.key()
	bodies, items := p.bodies(p.n(5), depth)
	opts := p.limits()
	for _, b := range bodies {
		p.takeTurns(b, "task", key)
	}
	if key != "" {
		opts = append(opts, pool.WithKey(key))
	}
	p.each(ctx, bodies, items, opts)
}

func (p *player) each(ctx context.Context, bodies []*body, items []int, opts []pool.TaskOption) []*witness {
	results := pool.ApplyEach(ctx, p.p, func(ctx context.Context, i int) (int, error) { return bodies[i].run(ctx) }, items, opts...)
	witnesses := make([]*witness, len(results))
	for i, r := range results {
		witnesses[i] = p.told.keep(&witness{body: bodies[i]}, r)
	}
	return witnesses
}

func (p *player) goes(ctx context.Context, _ int) {
	for range 1 + p.n(4) {
		p.goOnce(ctx)
	}
}

func (p *player) goOnce(ctx context.Context) {
	b := p.newBody(0)
	b.nameless = true // it has no context
	p.takeTurns(b, "task", "")
	p.tally.went(b, p.p.Go(ctx, func() { _, _ = b.run(context.Background()) }))
}

// burst submits so many short tasks that workers take several at once.
func (p *player) burst(ctx context.Context, depth int) {
	if depth < 3 { // only users: trees of them would not end
		p.goes(ctx, depth)
		return
	}
	n := 1 + p.n(150)
	if p.n(2) == 0 {
		for range n {
			p.goOnce(ctx)
		}
		return
	}
	bodies, items := p.bodies(n, 0)
	for _, b := range bodies {
		b.quick = true
		p.takeTurns(b, "task", "")
	}
	witnesses := p.each(ctx, bodies, items, nil)
	if p.n(2) == 0 {
		_ = witnesses[p.n(n)].r.Wait(ctx)
	}
}

func (p *player) waitFor(ctx context.Context, depth int) {
	a, b := p.begin(ctx, depth), p.begin(ctx, depth)
	_, _, _ = pool.WaitFor(ctx, pool.When(p.n(3)), a.r, b.r)
}

func (p *player) mapOptions() (opts []pool.MapOption) {
	if p.n(2) == 0 {
		opts = append(opts, pool.WithChunkSize(1+p.n(3)))
	}
	if p.n(6) == 0 {
		opts = append(opts, pool.WithTimeout(time.Duration(1+p.n(8))*time.Second))
	}
	return opts
}

func (p *player) mapAndWait(ctx context.Context, depth int) {
	bodies, items := p.bodies(p.n(7), depth)
	opts := p.mapOptions()
	if p.n(3) == 0 {
		opts = append(opts, pool.WithFailFast())
	}
	p.together("apart", func() { // for the caller may work on it, too
		out, err := []int(nil), error(pool.ErrGoexit)
		defer func() { p.tally.mapped(p, bodies, out, err) }()
		out, err = pool.Map(ctx, p.p, itemOf(bodies), items, opts...)
	})
}

func (p *player) mapAsync(ctx context.Context, depth int) {
	bodies, items := p.bodies(p.n(7), depth)
	r := pool.MapAsync(ctx, p.p, itemOf(bodies), items, p.mapOptions()...)
	p.told.keepOther(ending(r, func(out []int) bool { return len(out) == 0 }))
	if p.n(2) == 0 {
		p.nap()
		r.Cancel()
	}
	_ = r.Wait(ctx)
	if r.Ready() {
		out, err := r.Get(ctx)
		p.checkMap(bodies, out, err)
	}
}

// itemOf is a function of items for which each has a body. Its value is the item's
// number, from 1.
func itemOf(bodies []*body) func(context.Context, int) (int, error) {
	return func(ctx context.Context, i int) (int, error) {
		_, err := bodies[i].run(ctx)
		return i + 1, err
	}
}

func (p *player) broadcast(ctx context.Context, depth int) {
	bodies, _ := p.bodies(max(p.workers, mostWorkers), depth)
	var calls atomic.Int64
	out, err := pool.Broadcast(ctx, p.p, func(ctx context.Context) (int, error) {
		n := int(calls.Add(1))
		if n > len(bodies) {
			p.t.Errorf("a broadcast to %d workers calls its function %d times", len(bodies), n)
			return 0, nil
		}
		_, err := bodies[n-1].run(ctx)
		return 1, err
	})
	p.tally.broadcast(out, err)
	if err == nil && len(out) != p.workers && !p.resizes {
		p.t.Errorf("a broadcast to %d workers has %d results", p.workers, len(out))
	}
}

func (p *player) send(_ context.Context, depth int) {
	b := p.newBody(depth)
	key := p.key()
	p.takeTurns(b, "message", key)
	p.tally.send()
	request(p.system, p.p.PID(), p.receiver, &messages.Task{
		Key: key, Correlation: b, Func: func(ctx context.Context) (any, error) { return b.run(ctx) },
	})
}

// both has two goroutines of a task act, and the task wait for them.
func (p *player) both(ctx context.Context, depth int) {
	var two [2]func()
	for i := range two {
		other := &player{chaos: p.chaos, dice: fork(p.dice), sent: map[string]int{}}
		two[i] = func() { other.act(ctx, min(depth, 1)) }
	}
	p.together("both", two[:]...)
}

func (p *player) hear(ctx context.Context, _ int) {
	w, ok := p.told.recent(p)
	if !ok {
		return
	}
	switch p.n(3) {
	case 0:
		_ = w.r.Wait(ctx)
	case 1:
		_, _ = w.r.Get(ctx)
	default:
		if ctx.Done() == nil || p.n(2) == 0 { // nobody knows that this is a wait
			break
		}
		select {
		case <-w.r.Done():
		case <-ctx.Done():
		case <-time.After(time.Duration(p.n(5)) * time.Second):
		}
		p.woken()
	}
	w.hear(p.chaos)
}

func (p *player) asCompleted(ctx context.Context, _ int) {
	var results []*pool.AsyncResult[int]
	witnesses := map[*pool.AsyncResult[int]]*witness{}
	for range p.n(4) {
		if w, ok := p.told.recent(p); ok && witnesses[w.r] == nil {
			results = append(results, w.r)
			witnesses[w.r] = w
		}
	}
	for r, err := range pool.AsCompleted(ctx, results...) {
		if err != nil {
			return
		}
		witnesses[r].hear(p.chaos)
		delete(witnesses, r)
	}
	if len(witnesses) > 0 {
		p.t.Errorf("AsCompleted ended with %d results to come", len(witnesses))
	}
}

func (p *player) onDone(context.Context, int) {
	w, ok := p.told.recent(p)
	if !ok {
		return
	}
	dice := fork(p.dice)
	w.hooks.Add(1)
	w.r.OnDone(func(r *pool.AsyncResult[int]) {
		w.done.Add(1)
		if r != w.r {
			p.t.Errorf("OnDone is told another result than it was given to")
		}
		w.hear(p.chaos)
		if dice.IntN(5) == 0 {
			panic("callback")
		}
	})
}
