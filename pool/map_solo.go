package pool

import (
	"context"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// soloMap is a map of one chunk that its caller works on, in the place of an idle
// worker. There is nothing in it for others to take, and nobody else knows of it:
// it is one task that is never queued, without runners.
type soloMap[T, R any] struct {
	AsyncResult[[]R]
	over   atomic.Bool // as that of a mapJob
	length int         // not changed after the beginning

	// Touched only by the caller's goroutine.
	work mapWork[T, R]
	at   int // as that of a mapRunner
}

// mapSolo maps the items here and now, or returns nil if no place is to be had.
func mapSolo[T, R any](ctx context.Context, p *Pool, name string, fn func(context.Context, T) (R, error), items []T) *AsyncResult[[]R] {
	s := &soloMap[T, R]{length: len(items), work: mapWork[T, R]{fn, items, nil}}
	s.task.Init(p.router, s, ctx, actors.TaskOptions{Name: name, WaiterCancels: true})
	if !p.router.Lend(&s.task) {
		return nil
	}
	return &s.AsyncResult
}

// Run calls the function for the items.
func (s *soloMap[T, R]) Run(ctx context.Context) {
	s.work.out = make([]R, s.length)
	s.task.Inject()
	err := s.work.callEach(ctx, 0, s.length, &s.at, &s.over)
	s.end(s.task.Returned(s.partly(err)))
}

// Broke makes a panic or Goexit the error of an item.
func (s *soloMap[T, R]) Broke(failure *actors.Failure) {
	s.end(Failed, s.partly(&ItemError{s.at, failure.Err}))
}

// partly is the error of the map whose chunk ended with err.
func (s *soloMap[T, R]) partly(err error) error {
	if err == nil {
		return nil
	}
	which := make([]bool, s.length)
	for i := range s.at {
		which[i] = true
	}
	return &MapError{err, which}
}

// end gives the map its end, unless it has had one.
func (s *soloMap[T, R]) end(outcome Outcome, err error) {
	s.task.VacateForDecision()
	out := s.work.out
	s.work = mapWork[T, R]{}
	if !s.over.Load() && s.task.DecideReturned() {
		s.value = out
		s.task.Conclude(outcome, err)
	}
}

// Abandon ends the map early. Its only chunk is under way, and so left out.
func (s *soloMap[T, R]) Abandon(_ messages.Outcome, err error, _ bool) error {
	s.over.Store(true)
	s.value = make([]R, s.length)
	return &MapError{err, make([]bool, s.length)}
}
