package pool_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/pool"
)

// chaosStream is a stream and what its reader knows of it.
type chaosStream struct {
	p       *player
	ordered bool
	twice   bool // two goroutines read
	bodies  []*body
	yielded atomic.Int64 // items that were taken from the sequence

	mu   sync.Mutex
	seen map[int]bool
	last error // that is not one of an item
	read int
}

func (p *player) stream(ctx context.Context, depth int) {
	s := &chaosStream{p: p, ordered: p.n(2) == 0, seen: map[int]bool{}}
	s.bodies, _ = p.bodies(p.n(7), depth)
	imap, opts := pool.IMap[int, int], p.mapOptions()
	if !s.ordered {
		imap = pool.IMapUnordered[int, int]
	}
	if p.n(2) == 0 {
		opts = append(opts, pool.WithWindow(1+p.n(3)))
	}
	stream := imap(ctx, p.p, itemOf(s.bodies), s.sequence(), opts...)
	p.told.keepOther(func() (outcome pool.Outcome, refused bool, err error) {
		outcome, err = pool.StreamOutcome(stream)
		return outcome, outcome == pool.Failed && isRefusal(err), err
	})
	if !s.ordered && p.n(3) == 0 {
		s.readTwice(ctx, stream)
		return
	}
	stop, i := p.n(10), 0
	for v, err := range stream.All() {
		s.got(v, err)
		if i++; i == stop {
			return
		}
	}
	s.ended()
}

// sequence yields the items, slowly, or breaks off in one way or another.
func (s *chaosStream) sequence() func(yield func(int) bool) {
	dice := fork(s.p.dice)
	user := &player{chaos: s.p.chaos, dice: dice}
	return func(yield func(int) bool) {
		for i := range s.bodies {
			if dice.IntN(3) == 0 {
				user.nap()
			}
			switch dice.IntN(24) {
			case 0:
				panic("sequence")
			case 1:
				runtime.Goexit()
			}
			if yield(i) {
				s.yielded.Add(1)
			} else if dice.IntN(3) != 0 { // else it does not listen
				return
			}
		}
	}
}

// readTwice has two goroutines read.
func (s *chaosStream) readTwice(ctx context.Context, stream *pool.Stream[int]) {
	defer stream.Cancel()
	s.twice = true
	var over atomic.Bool
	read := func() {
		for troubles := 0; troubles < 2; { // what has ended a stream comes again and again
			v, err := stream.Next(ctx)
			switch {
			case errors.Is(err, pool.ErrStreamEnd):
				over.Store(true)
				return
			case errors.Is(err, pool.ErrNotReady), errors.Is(err, pool.ErrDeadlock):
				return
			}
			if s.got(v, err) {
				troubles++
			}
		}
	}
	s.p.together("reader", read, read)
	if over.Load() {
		s.ended()
	}
}

// got checks the place of a result, and reports whether it is none of an item.
func (s *chaosStream) got(v int, err error) (trouble bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := v - 1
	switch item, ok := err.(*pool.ItemError); { // others may have a cause that is one
	case ok:
		at = item.Index
	case err != nil:
		s.last = err
		return true
	}
	if s.ordered && at != s.read {
		s.p.t.Errorf("result %d of a stream is that of item %d", s.read, at)
	}
	if s.seen[at] {
		s.p.t.Errorf("item %d of a stream has two results", at)
	}
	if s.last != nil && !s.twice {
		s.p.t.Errorf("item %d of a stream comes after its end, %v", at, s.last)
	}
	s.seen[at] = true
	s.read++
	if err == nil && s.bodies[at].end.Load() != bodyReturned {
		s.p.t.Errorf("item %d of a stream has a value, but its function did not return", at)
	}
	return false
}

// ended checks that a stream that was read to its end has given everything.
func (s *chaosStream) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := int(s.yielded.Load()); s.last == nil && s.read != n {
		s.p.t.Errorf("a stream of %d items has given %d results", n, s.read)
	}
}
