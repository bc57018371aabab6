package pool_test

import (
	"context"
	"slices"
	"sync"
	"time"
)

// places checks that at each worker one function is at work at most. A function that
// waits with its context is not: another may run in its place, and yet another in the
// place of that one, if it waits, too. Should one give up waiting for what runs in its
// place, both are at work until one of the two returns.
//
// What one has given up waiting for may not have begun by then: the pool has taken it out
// of the queue, and its goroutine has yet to run. It begins at the same virtual time. By
// then the one that gave up may wait for something else; or it may have returned, and the
// next item of its map have begun.
type places struct {
	t interface {
		Errorf(format string, args ...any)
	}

	mu sync.Mutex
	at map[string][]*standing // those that have begun and not returned, each in the place of the one before
}

// standing is a function as places sees it.
type standing struct {
	at      string            // the worker; "": none
	waits   bool              // for others, with its context
	below   []context.Context // of the tasks in whose places it runs, and its own
	left    bool              // the one before it in the list goes on beside it
	wasLeft bool              // or may do so, when it goes on
	wentOn  time.Time         // without what it waited for, perhaps
	gone    bool              // it has returned, and is listed for what may begin in its place yet
}

func (p *places) init(t interface {
	Errorf(format string, args ...any)
}) {
	p.t, p.at = t, map[string][]*standing{}
}

// enter is told of a function that begins on a worker, with the context of its task, and
// reports whether it has the worker to itself.
func (p *places) enter(s *standing, at string, ctx context.Context) (top bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgetGone(at)
	*s = standing{at: at}
	list := p.at[at]
	top = len(list) == 0
	i := slices.IndexFunc(list, func(other *standing) bool { return slices.Contains(other.below, ctx) })
	switch {
	case i >= 0 && list[i].gone && list[i].context() == ctx: // the item before this one
		s.below, s.left, s.wasLeft, s.wentOn = list[i].below, list[i].left, list[i].wasLeft, list[i].wentOn
		list[i] = s
		if i+1 < len(list) {
			list[i+1].left, list[i+1].wasLeft = true, true
		}
	case i >= 0:
		list[i].left, list[i].wasLeft = true, true // by the item before this one
		s.begins(list[:i], ctx)
		p.at[at] = slices.Insert(list, i, s)
	default:
		s.begins(list, ctx)
		p.at[at] = append(list, s)
	}
	p.check(s, "begins")
	return top
}

// begins takes down in whose place a function begins: that of the last of the list.
func (s *standing) begins(list []*standing, ctx context.Context) {
	if n := len(list); n > 0 {
		host := list[n-1]
		s.below = slices.Clone(host.below)
		s.wasLeft = host.wentOn == time.Now() // it may have given up just before s could begin
		s.left = s.wasLeft && !host.waits && !host.gone
	}
	s.below = append(s.below, ctx)
}

// context is that of the task whose function it is.
func (s *standing) context() context.Context { return s.below[len(s.below)-1] }

func (p *places) leave(s *standing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.at[s.at]
	i := slices.Index(list, s)
	switch {
	case i < 0:
	case s.wentOn == time.Now():
		left := *s // for the next item has s, if it is another attempt
		left.gone = true
		list[i] = &left
	default:
		p.remove(s.at, i)
	}
	p.forgetGone(s.at)
}

// remove takes a function out of the list. What stays is beside the one before as that
// was. Called with mu held.
func (p *places) remove(at string, i int) {
	list := p.at[at]
	if i+1 < len(list) {
		list[i+1].left = list[i].left
	}
	p.at[at] = slices.Delete(list, i, i+1)
}

// forgetGone takes those out that have returned, once time has passed: nothing begins in
// their places any more. Called with mu held.
func (p *places) forgetGone(at string) {
	for i := 0; i < len(p.at[at]); {
		if s := p.at[at][i]; s.gone && s.wentOn != time.Now() {
			p.remove(at, i)
		} else {
			i++
		}
	}
}

func (p *places) pause(s *standing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.waits = true
}

// resume is told whether what s waited for has come, so that nothing may be left in its
// place.
func (p *places) resume(s *standing, complete bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.waits = false
	if !complete {
		s.wentOn = time.Now()
	}
	p.forgetGone(s.at)
	list := p.at[s.at]
	i := slices.Index(list, s)
	if i < 0 {
		return
	}
	if i+1 < len(list) {
		next := list[i+1]
		if complete && !next.wasLeft && !next.gone {
			p.t.Errorf("a task goes on while what it has waited for is still at work in its place")
		}
		next.left, next.wasLeft = true, true
	}
	p.check(s, "goes on")
}

func (p *places) check(s *standing, event string) {
	atWork, may := 0, 1
	beside := false // one that is gone, or the next, goes on beside who was there before
	for i, other := range p.at[s.at] {
		beside = beside || i > 0 && other.left
		if other.gone {
			continue
		}
		if !other.waits {
			atWork++
		}
		if beside {
			may++
		}
		beside = false
	}
	if atWork > may {
		p.t.Errorf("%d functions are at work on %s when one %s; there may be %d", atWork, s.at, event, may)
	}
}

// left are the functions that have not returned, by worker.
func (p *places) left() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := map[string]int{}
	for at := range p.at {
		p.forgetGone(at)
		if n := len(p.at[at]); n > 0 {
			left[at] = n
		}
	}
	return left
}
