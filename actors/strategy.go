package actors

import (
	"fmt"
	"math/rand/v2"

	"github.com/greenroom-go/greenroom/messages"
)

// Strategy decides which worker may take a task. A pool has one of its own and
// calls it with its lock held, one call at a time, so a strategy needs no lock
// and must neither block nor call the pool nor end its goroutine. If Route
// panics or names a worker that does not exist, the task is refused with
// ErrInvalid.
//
// Maps and streams are not routed: they draw on whichever workers are free, and so
// go on as long as one is.
type Strategy interface {
	// Route says where a task goes. load tells how many tasks a worker holds,
	// waiting and running, and costs a few nanoseconds; workers are numbered
	// from 1. How many there are can change from call to call ([Router.Resize]);
	// tasks that wait for a worker that has been taken away go to whoever is free.
	Route(key string, workers int, load func(worker int) int) Target
	// UsesKeys reports whether keys mean anything here. If not, tasks that have
	// one are refused with ErrKeysUnused. It is asked once.
	UsesKeys() bool
}

// Target is where a task goes.
type Target struct {
	// Worker is the only one that may take the task. 0: whoever is free first.
	Worker int
	// InOrder makes the task wait until the tasks with the same key that were
	// submitted before have ended. Only with Worker 0.
	InOrder bool
}

// SharedQueue lets whichever worker is free first take the task that was
// submitted first. It is the default.
func SharedQueue() Strategy { return sharedQueue{} }

type sharedQueue struct{}

func (sharedQueue) UsesKeys() bool                          { return false }
func (sharedQueue) Route(string, int, func(int) int) Target { return Target{} }

// RoundRobin gives the tasks to the workers in turn.
func RoundRobin() Strategy { return &roundRobin{} }

type roundRobin struct{ last int }

func (s *roundRobin) UsesKeys() bool { return false }
func (s *roundRobin) Route(_ string, workers int, _ func(int) int) Target {
	s.last = s.last%workers + 1
	return Target{Worker: s.last}
}

// Random gives each task to a worker drawn with equal chances.
func Random() Strategy { return random{rand.IntN} }

type random struct{ intN func(int) int }

func (random) UsesKeys() bool { return false }
func (s random) Route(_ string, workers int, _ func(int) int) Target {
	return Target{Worker: s.intN(workers) + 1}
}

// LeastLoaded gives each task to the worker that holds the fewest, in turn
// among equals. It looks at workers until it finds an idle one.
func LeastLoaded() Strategy { return &leastLoaded{} }

type leastLoaded struct{ last int }

func (s *leastLoaded) UsesKeys() bool { return false }
func (s *leastLoaded) Route(_ string, workers int, load func(int) int) Target {
	best, least := 0, 0
	for i := range workers {
		worker := (s.last+i)%workers + 1
		if l := load(worker); best == 0 || l < least {
			best, least = worker, l
		}
		if least == 0 {
			break
		}
	}
	s.last = best
	return Target{Worker: best}
}

// KeyOrdered runs the tasks that have the same key one after another, in the
// order of their submission; tasks with other keys, and without one, run beside
// them on whichever worker is free.
func KeyOrdered() Strategy { return keyOrdered{} }

type keyOrdered struct{}

func (keyOrdered) UsesKeys() bool { return true }
func (keyOrdered) Route(key string, _ int, _ func(int) int) Target {
	return Target{InOrder: key != ""}
}

// route says where a task goes. The strategy knows the open places only, and counts
// them from 1.
func (r *Router) route(t *Task) (Target, error) {
	if fixed := t.fixed(); fixed > 0 {
		return Target{Worker: fixed}, nil
	}
	if r.plain || t.internal && !t.spec().routed {
		return Target{}, nil
	}
	target, err := askStrategy(r.config.Strategy, t, r.Workers(), r.load)
	target.Worker = r.numberOf(target.Worker)
	return target, err
}

// askStrategy asks the strategy and contains what it may do.
func askStrategy(s Strategy, t *Task, workers int, load func(int) int) (target Target, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: strategy %T panicked: %w", messages.ErrInvalid, s, NewPanicError(r))
		}
	}()
	target = s.Route(t.key(), workers, load)
	if target.Worker < 0 || target.Worker > workers || target.InOrder && target.Worker != 0 {
		return Target{}, fmt.Errorf("%w: strategy %T answered %+v for %d workers", messages.ErrInvalid, s, target, workers)
	}
	return target, nil
}
