package actors

import (
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// EventBuffer is how many events a subscriber may be behind.
const EventBuffer = 1024

// subscribers are those of a pool's events. Nothing of the pool ever waits for one.
type subscribers struct {
	some atomic.Bool // there are any; changed with mu held

	mu   sync.Mutex // may be locked with the router's held
	list []*subscriber
	over bool // PoolClosed has been emitted
}

// subscriber holds what one has not read. Its fields are guarded by the mutex of all of
// them, except those that do not change.
type subscriber struct {
	of    *subscribers
	came  func(*subscriber) // there is something to read, or the subscription has ended; called with mu held
	over  chan struct{}     // closed when the subscription has ended
	ended bool
	ahead []Event // not read
	lost  int     // behind those
}

// emit hands an event to those who have subscribed.
func (r *Router) emit(e Event) {
	v := &r.subscribers
	if !v.some.Load() && e.Kind != PoolClosed {
		return
	}
	e.At, e.Pool = time.Now(), r.config.Name
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.list {
		s.push(e)
	}
	if e.Kind == PoolClosed {
		v.over = true
		v.some.Store(false)
		for _, s := range v.list {
			s.end()
		}
		v.list = nil
	}
}

// emitOf emits an event of a worker.
func (r *Router) emitOf(kind EventKind, worker int) {
	if r.subscribers.some.Load() { // the name costs something
		r.emit(Event{Kind: kind, Worker: r.WorkerName(worker)})
	}
}

// push adds an event, unless the subscriber is too far behind. The last one is never
// lost.
func (s *subscriber) push(e Event) {
	switch {
	case e.Kind == PoolClosed:
		s.admitLoss(e)
		s.ahead = append(s.ahead, e)
	case s.lost > 0 || len(s.ahead) >= EventBuffer:
		s.lost++
	default:
		s.ahead = append(s.ahead, e)
	}
	s.came(s)
}

// admitLoss puts how many events were lost, if any, in their place.
func (s *subscriber) admitLoss(next Event) {
	if s.lost > 0 {
		s.ahead = append(s.ahead, Event{Kind: EventsLost, At: next.At, Pool: next.Pool, Lost: s.lost})
		s.lost = 0
	}
}

// subscribe adds a subscriber.
func (v *subscribers) subscribe(came func(*subscriber)) *subscriber {
	s := &subscriber{of: v, came: came, over: make(chan struct{})}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		s.end()
		return s
	}
	v.list = append(v.list, s)
	v.some.Store(true)
	return s
}

// leaveAfter ends a subscription when done is closed. It has a goroutine, which the
// end of the subscription ends, and not context.AfterFunc: both that and its stop, which
// would be due with the router's lock held, call methods of a context that is foreign.
// Those may wait for the pool.
func (s *subscriber) leaveAfter(done <-chan struct{}, r *Router) {
	select {
	case <-done:
	case <-s.over:
	}
	r.woken()
	s.leave()
}

// end marks the subscription as over. Called with mu held.
func (s *subscriber) end() {
	s.ended = true
	close(s.over)
}

// leave ends a subscription.
func (s *subscriber) leave() {
	v := s.of
	v.mu.Lock()
	defer v.mu.Unlock()
	if !s.ended {
		s.end()
		v.list = slices.DeleteFunc(v.list, func(other *subscriber) bool { return other == s })
		v.some.Store(len(v.list) > 0)
		s.came(s)
	}
}

// take returns what has not been read, and whether nothing more will come.
func (s *subscriber) take(pool string) (events []Event, ended bool) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.admitLoss(Event{At: time.Now(), Pool: pool})
	events, s.ahead = s.ahead, nil
	return events, s.ended
}

// Events subscribes to what happens from now on. The sequence yields it in the order in
// which it happened.
func (r *Router) Events(ctx context.Context) iter.Seq[Event] {
	wake := newWakeup()
	done := ctx.Done() // of foreign code, which may wait for the pool
	s := r.subscribers.subscribe(func(*subscriber) { wake.give() })
	if done != nil {
		r.Spawn("subscription", func() { s.leaveAfter(done, r) })
	}
	return func(yield func(Event) bool) {
		defer s.leave()
		for {
			events, ended := s.take(r.config.Name)
			for _, e := range events {
				if !yield(e) {
					return
				}
			}
			if ended {
				wake.give() // for whoever else reads the sequence
				return
			}
			<-wake
			r.woken()
		}
	}
}

// forwardEvents has everything that happens published on the event stream of the actor
// system, as *Event, by a goroutine that exists while there is something to publish. A
// subscriber there that does not return keeps that goroutine, and nobody else.
func (r *Router) forwardEvents(system *actor.ActorSystem) {
	forwarding := false // guarded by the subscribers' mutex
	var forward func(*subscriber)
	forward = func(s *subscriber) {
		events, _ := s.take(r.config.Name)
		for i := range events {
			publish(system, &events[i])
		}
		s.of.mu.Lock()
		defer s.of.mu.Unlock()
		if forwarding = len(s.ahead) > 0 || s.lost > 0; forwarding {
			r.Spawn("event stream", func() { forward(s) })
		}
	}
	r.subscribers.subscribe(func(s *subscriber) {
		if !forwarding {
			forwarding = true
			r.Spawn("event stream", func() { forward(s) })
		}
	})
}
