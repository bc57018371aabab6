package pooltest

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

// fault is what can be wrong with a call of Route.
type fault int

const (
	blocks fault = 1 + iota
	panics
	noSuchWorker
	orderOnOne
	badLoad
)

// question is one call of Route.
type question struct {
	key     string
	workers int
	loads   func(worker int) int // of those that exist
}

func (q question) String() string { return fmt.Sprintf("Route(%q, %d, load)", q.key, q.workers) }

// questions are what a strategy may be asked, in an order in which the number of workers
// grows and shrinks. They are the same each time.
func questions(keys bool) (all []question) {
	random := rand.New(rand.NewPCG(5, 7))
	names := []string{""}
	if keys { // a task with a key is refused otherwise
		names = []string{"", "a", "b", "customer 17", "ключ", "\x00\xff", strings.Repeat("long", 1000)}
	}
	loads := []func(int) int{
		func(int) int { return 0 },
		func(int) int { return 1000 },
		func(worker int) int { return worker % 3 },
		func(worker int) int { return 1 + worker*7919%5 },
	}
	sizes := []int{1, 2, 7, 1000, 7, 2, 1, 1000, 1, 2, 1000}
	for range 20 {
		sizes = append(sizes, 1+random.IntN(9))
	}
	for _, workers := range sizes {
		for range 30 {
			all = append(all, question{names[random.IntN(len(names))], workers, loads[random.IntN(len(loads))]})
		}
	}
	return all
}

// put asks a question, and calls wrong for what is wrong with the answer. It reports false
// if there is none.
func (q question) put(s pool.Strategy, wrong func(f fault, format string, args ...any)) (target pool.Target, ok bool) {
	began := time.Now()
	var over atomic.Bool
	defer func() {
		over.Store(true)
		if ok {
			return
		}
		if reason := recover(); reason != nil {
			wrong(panics, "%v panicked with %v\n%s", q, reason, debug.Stack())
		} else {
			wrong(panics, "%v ended its goroutine (runtime.Goexit)", q)
		}
	}()
	target = s.Route(q.key, q.workers, func(worker int) int {
		switch {
		case over.Load():
			wrong(badLoad, "%v: load was called after Route had returned", q)
			return 0
		case worker < 1 || worker > q.workers:
			wrong(badLoad, "%v: load(%d) was called; workers are numbered from 1 to %d", q, worker, q.workers)
			return 0
		}
		return q.loads(worker)
	})
	ok = true
	if d := time.Since(began); d > 0 { // virtual: only a wait takes time
		wrong(blocks, "%v took %v; it is called with the lock of the pool held and must not wait", q, d)
	}
	switch {
	case target.Worker < 0 || target.Worker > q.workers:
		wrong(noSuchWorker, "%v named worker %d; it must be 0 for any, or from 1 to %d", q, target.Worker, q.workers)
	case target.InOrder && target.Worker != 0:
		wrong(orderOnOne, "%v returned InOrder and Worker %d; an order is kept only with Worker 0", q, target.Worker)
	}
	return target, ok
}

// about checks the calls of Route for one fault: of a strategy that is asked all
// questions, and of new ones that are asked one each.
func about(f fault) func(*Kit, func() pool.Strategy) {
	return func(k *Kit, newStrategy func() pool.Strategy) {
		wrong := func(found fault, format string, args ...any) {
			if found == f {
				k.violate(format, args...)
			}
		}
		old := newStrategy()
		for _, q := range questions(old.UsesKeys()) {
			done := make(chan struct{})
			go func() { // which a strategy may end
				defer close(done)
				q.put(old, wrong)
				q.put(newStrategy(), wrong)
			}()
			<-done
		}
	}
}

// returnsAStrategy checks the constructor.
func returnsAStrategy(k *Kit, newStrategy func() pool.Strategy) {
	for range 2 {
		if newStrategy() == nil {
			k.violate("newStrategy returned nil; it must return a strategy each time it is called")
		}
	}
}

// usesKeysIsConstant asks before and after other calls, and of another strategy.
func usesKeysIsConstant(k *Kit, newStrategy func() pool.Strategy) {
	s := newStrategy()
	first := s.UsesKeys()
	ask := func(s pool.Strategy, when string) {
		if got := s.UsesKeys(); got != first {
			k.violate("UsesKeys() is %v at first, and %v %s; a pool asks once and relies on it", first, got, when)
		}
	}
	ask(s, "when asked again")
	for _, q := range questions(first) {
		q.put(s, func(fault, string, ...any) {})
	}
	ask(s, "after calls of Route")
	ask(newStrategy(), "of another strategy")
}

// sharesNothing has the race detector look at two strategies that are used at once.
func sharesNothing(_ *Kit, newStrategy func() pool.Strategy) {
	var users sync.WaitGroup
	for range 2 {
		s := newStrategy()
		users.Go(func() {
			for _, q := range questions(s.UsesKeys()) {
				q.put(s, func(fault, string, ...any) {})
			}
		})
	}
	users.Wait()
}

// repeats reports whether two strategies give the same answers to the same questions. To
// be asked only of one that returns from Route.
func repeats(newStrategy func() pool.Strategy) bool {
	answers := func() (all []pool.Target) {
		s := newStrategy()
		for _, q := range questions(s.UsesKeys()) {
			target, _ := q.put(s, func(fault, string, ...any) {})
			all = append(all, target)
		}
		return all
	}
	return slices.Equal(answers(), answers())
}
