package pool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

// body is a function that was given to the pool, and what is known of it.
type body struct {
	c        *chaos
	dice     *rand.Rand
	depth    int // how deep it may nest others
	id       int // its value
	quick    bool
	nameless bool // it cannot ask which worker runs it
	item     bool // of a map, a stream or a broadcast
	retried  bool // it may be called several times
	turns    []turn
	key      string
	end      atomic.Int32

	// Guarded by places.mu.
	at      string
	waits   bool              // for others, with its context
	below   []context.Context // of the tasks in whose places it runs, and its own
	left    bool              // the one before it in the list goes on beside it
	wasLeft bool
	wentOn  time.Time // without what it waited for, perhaps
}

// How a body has ended.
const (
	bodyUnbegun int32 = iota
	bodyRuns
	bodyReturned
	bodyFailed
	bodyPanicked
	bodyExited
)

func (p *player) newBody(depth int) *body {
	return &body{c: p.chaos, dice: fork(p.dice), depth: depth, id: p.tally.id()}
}

func (p *player) bodies(n, depth int) (bodies []*body, items []int) {
	for i := range n {
		b := p.newBody(depth)
		b.item = true
		bodies, items = append(bodies, b), append(items, i)
	}
	return bodies, items
}

func (b *body) run(ctx context.Context) (int, error) {
	if b.retried {
		b.end.Store(bodyRuns)
	} else if !b.end.CompareAndSwap(bodyUnbegun, bodyRuns) {
		b.c.t.Errorf("a function is called twice")
	}
	if b.item {
		b.c.tally.begunItem()
	}
	end := bodyReturned
	top := b.c.places.enter(b, ctx)
	b.c.turns.begin(b, top)
	defer func() {
		b.end.Store(end)
		b.c.turns.end(b)
		b.c.places.leave(b)
	}()
	p := &player{chaos: b.c, dice: b.dice, self: b, sent: map[string]int{}}
	for range p.steps() {
		switch p.n(14) {
		case 0:
			end = bodyPanicked
			panic("boom")
		case 1:
			end = bodyExited
			runtime.Goexit()
		case 2:
			end = bodyFailed
			return 0, errors.New("mine")
		case 3, 4:
			p.nap() // whatever becomes of its context
		case 5:
			end = bodyPanicked
			defer panic("boom")
			runtime.Goexit()
		case 6:
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(p.n(10)) * time.Second):
			}
		default:
			if b.depth > 0 {
				p.act(ctx, b.depth-1)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		end = bodyFailed
		return 0, err
	}
	return b.id, nil
}

// willBeRetried is told of a function that may be called again, behind later ones.
func (b *body) willBeRetried() {
	b.retried = true
	b.turns = slices.DeleteFunc(b.turns, func(t turn) bool { return !t.any })
}

func (p *player) steps() int {
	if p.self.quick && p.n(30) != 0 {
		return 0
	}
	return 1 + p.n(3)
}

// places checks that at each worker one function is at work at most. A function that
// waits with its context is not: another may run in its place, and yet another in the
// place of that one, if it waits, too. Should one give up waiting for what runs in its
// place, both are at work until one of the two returns.
type places struct {
	mu sync.Mutex
	of string             // how the names of the workers begin
	at map[string][]*body // those that have begun and not returned, each in the place of the one before
}

func (p *places) init(of *pool.Pool) {
	p.of, p.at = of.Name()+"/worker-", map[string][]*body{}
}

// enter reports whether the body has the worker to itself.
func (p *places) enter(b *body, ctx context.Context) (top bool) {
	if b.nameless { // nobody waits for it, so it never runs in another's place
		return b.c.policy != pool.CallerRuns
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.at = pool.WorkerName(ctx); b.at == "" { // beside the workers
		if b.c.policy != pool.CallerRuns {
			b.c.t.Errorf("a function runs on no worker")
		}
		return false
	}
	if number, err := strconv.Atoi(strings.TrimPrefix(b.at, p.of)); err != nil || number < 1 || number > mostWorkers {
		b.c.t.Errorf("a function runs on %q, which is no worker of %q", b.at, b.c.p.Name())
	}
	b.below, b.left, b.wasLeft = nil, false, false // of an attempt before
	list := p.at[b.at]
	i := slices.IndexFunc(list, func(other *body) bool { return slices.Contains(other.below, ctx) })
	if i < 0 {
		i = len(list)
	} else {
		list[i].left, list[i].wasLeft = true, true // by the item before this one
	}
	if i > 0 {
		b.below = slices.Clone(list[i-1].below)
		b.left = !list[i-1].waits && list[i-1].wentOn == time.Now() // it gave up just before b could begin
	}
	b.below = append(b.below, ctx)
	p.at[b.at] = slices.Insert(list, i, b)
	p.check(b, "begins")
	return len(list) == 0
}

func (p *places) leave(b *body) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.at[b.at]
	if i := slices.Index(list, b); i >= 0 {
		if i+1 < len(list) {
			list[i+1].left = b.left
		}
		p.at[b.at] = slices.Delete(list, i, i+1)
	}
}

func (p *places) pause(b *body) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b.waits = true
}

// resume is told whether what b waited for has come, so that nothing may be left in its
// place.
func (p *places) resume(b *body, complete bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b.waits = false
	if !complete {
		b.wentOn = time.Now()
	}
	list := p.at[b.at]
	i := slices.Index(list, b)
	if i < 0 {
		return
	}
	if i+1 < len(list) {
		next := list[i+1]
		if complete && !next.wasLeft {
			b.c.t.Errorf("a task goes on while what it has waited for is still at work in its place")
		}
		next.left, next.wasLeft = true, true
	}
	p.check(b, "goes on")
}

func (p *places) check(b *body, event string) {
	atWork, may := 0, 1
	for i, other := range p.at[b.at] {
		if !other.waits {
			atWork++
		}
		if i > 0 && other.left {
			may++
		}
	}
	if atWork > may {
		b.c.t.Errorf("%d functions are at work on %s when one %s; there may be %d", atWork, b.at, event, may)
	}
}

// turn is the place of a task among those that one goroutine has submitted.
type turn struct {
	lane lane
	n    int
	any  bool // in whatever place it begins
}

type lane struct {
	of   *map[string]int // the player that submitted it
	name string
}

// turns checks that tasks begin in the order of submission where that is promised:
// those with one key, and those without one if there is one worker, save those that run
// in the place of a task that waits. Tasks that come as messages have an order of their
// own: only the actor knows when they arrive.
type turns struct {
	mu   sync.Mutex
	last map[lane]int
	busy map[string]int // functions at work, by key
}

func (p *player) takeTurns(b *body, form, key string) {
	b.key = key
	switch {
	case key != "":
		b.turns = append(b.turns, p.turn(form+key, true))
	case p.workers == 1 && !p.resizes && !p.ranked:
		b.turns = append(b.turns, p.turn(form, false))
	}
}

func (p *player) turn(name string, any bool) turn {
	p.sent[name]++
	return turn{lane{&p.sent, name}, p.sent[name], any}
}

func (t *turns) begin(b *body, top bool) {
	if len(b.turns) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last, t.busy = map[lane]int{}, map[string]int{}
	}
	for _, turn := range b.turns {
		if !turn.any && !top {
			continue
		}
		if last := t.last[turn.lane]; last > turn.n || last == turn.n && !b.retried {
			b.c.t.Errorf("%s number %d of a goroutine begins after number %d", turn.lane.name, turn.n, last)
		}
		t.last[turn.lane] = turn.n
	}
	if b.key != "" {
		if t.busy[b.key]++; t.busy[b.key] > 1 {
			b.c.t.Errorf("%d functions with the key %s are at work", t.busy[b.key], b.key)
		}
	}
}

func (t *turns) end(b *body) {
	if b.key == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy[b.key]--
}

// checkMap checks the places of a map's results.
func (p *player) checkMap(bodies []*body, out []int, err error) {
	if err != nil && len(out) == 0 {
		return // not even the causes in err are its own
	}
	broken, direct := err.(*pool.MapError)
	if err != nil && !direct {
		return // it has a cause, which may be another map's error
	}
	if len(out) != len(bodies) || broken != nil && len(broken.Completed) != len(bodies) {
		p.t.Errorf("a map of %d items has %d results, %v", len(bodies), len(out), err)
		return
	}
	for i, v := range out {
		completed := broken == nil || broken.Completed[i]
		if completed && (v != i+1 || bodies[i].end.Load() != bodyReturned) || !completed && v != 0 {
			p.t.Errorf("item %d of a map has the result %d; completed: %v, %v", i, v, completed, err)
		}
	}
}
