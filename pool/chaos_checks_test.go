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

	place standing // guarded by places.mu
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
	top := b.enter(ctx)
	b.c.turns.begin(b, top)
	defer func() {
		b.end.Store(end)
		b.c.turns.end(b)
		b.c.places.leave(&b.place)
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
			p.woken()
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

// enter tells of a function that begins, and reports whether it has the worker to itself.
func (b *body) enter(ctx context.Context) (top bool) {
	if b.nameless { // nobody waits for it, so it never runs in another's place
		return b.c.policy != pool.CallerRuns
	}
	at := pool.WorkerName(ctx)
	b.c.note(b, at)
	if at == "" { // beside the workers
		if b.c.policy != pool.CallerRuns {
			b.c.t.Errorf("a function runs on no worker")
		}
		b.place = standing{} // of an attempt before
		return false
	}
	of := b.c.p.Name()
	if number, err := strconv.Atoi(strings.TrimPrefix(at, of+"/worker-")); err != nil || number < 1 || number > mostWorkers {
		b.c.t.Errorf("a function runs on %q, which is no worker of %q", at, of)
	}
	return b.c.places.enter(&b.place, at, ctx)
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
