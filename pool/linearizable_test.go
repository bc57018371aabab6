package pool_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// history records when operations began and ended, by a clock that only counts.
type history struct {
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (h *history) now() int64 { return h.clock.Add(1) }

// do records an operation of a client; f returns what came of it.
func (h *history) do(client int, input any, f func() any) {
	call := h.now()
	output := f()
	h.add(client, input, output, call, h.now())
}

// decide records an operation that decides a result and makes that visible, in two
// steps.
func (h *history) decide(client int, input any, what int, f func() any) {
	call := h.now()
	output := f()
	end := h.now()
	h.add(client, input, output, call, end)
	if output != false {
		h.add(client, publish{what}, nil, call, end)
	}
}

func (h *history) add(client int, input, output any, call, end int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: input, Output: output, Call: call, Return: end})
}

// What can be done to a result, or happen to it.
type (
	poll    struct{}           // gives what the result holds
	wait    struct{}           // the same, but not before it holds something
	cancel  struct{}           // gives whether it was in time
	offer   struct{ what int } // by the function that returns, or by a message: nobody learns whether it was in time
	publish struct{ what int } // what was in time is there for everybody
)

// What a result can hold, beside what was offered.
const (
	nothingYet = 0
	cancelled  = -1
)

// cell is a result. Who comes too late learns that before anybody can see what the
// result holds: a callback may have to be told first.
type cell struct {
	holds   int
	visible bool
}

// resultModel is a cell that is decided once, and visible to everybody from the moment
// in which anybody has seen it; whoever has decided it has seen it.
var resultModel = porcupine.Model{
	Init: func() any { return cell{} },
	Step: func(state, input, output any) (bool, any) {
		c := state.(cell)
		switch op := input.(type) {
		case poll, wait:
			if output == nothingYet {
				return op == poll{} && !c.visible, c
			}
			return output == c.holds, cell{c.holds, true}
		case cancel:
			if output == true {
				return c.holds == nothingYet, cell{cancelled, false}
			}
			return c.holds != nothingYet, c
		case offer:
			if c.holds == nothingYet {
				return true, cell{op.what, false}
			}
			return true, c
		case publish:
			if c.holds == nothingYet { // it has not been decided by who publishes
				return false, c
			}
			return true, cell{c.holds, c.visible || c.holds == op.what}
		}
		return false, c
	},
}

// held is what a result holds, by what Get returned.
func held(t testing.TB, v int, err error) int {
	switch {
	case err == nil:
		return v
	case errors.Is(err, pool.ErrNotReady):
		return nothingYet
	case errors.Is(err, pool.ErrCancelled):
		return cancelled
	}
	t.Error(err)
	return nothingYet
}

func TestResultIsSetOnceForEverybody(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		over, end := context.WithCancel(context.Background())
		end()
		seen := map[int]int{}
		for round := range 500 {
			var h history
			const byFunction, byMessage = 1, 2
			start := make(chan struct{})
			returning := make(chan int64, 1)
			r := pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) {
				<-start
				for range round % 7 * 3 {
					runtime.Gosched()
				}
				returning <- h.now()
				return byFunction, nil
			})
			address := r.PID()
			var users sync.WaitGroup
			do := func(client, delay int, ops ...func()) {
				users.Go(func() {
					<-start
					for range delay {
						runtime.Gosched()
					}
					for _, op := range ops {
						op()
					}
				})
			}
			get := func(client int, ctx context.Context, how any) func() {
				return func() {
					h.do(client, how, func() any { v, err := r.Get(ctx); return held(t, v, err) })
				}
			}
			cancels := func(client int) func() {
				return func() { h.decide(client, cancel{}, cancelled, func() any { return r.Cancel() }) }
			}
			polls := func(client int) func() { return get(client, over, poll{}) }
			do(1, round%5, polls(1), polls(1), polls(1), polls(1))
			do(2, round%3, polls(2), get(2, context.Background(), wait{}), polls(2))
			if round%4 > 0 {
				do(3, round%11, polls(3), cancels(3), polls(3))
				do(4, round%13, cancels(4), polls(4))
			}
			if round%3 > 0 {
				do(5, round%9, func() {
					h.decide(5, offer{byMessage}, byMessage, func() any {
						systemOf(t).Root.Send(address, &messages.Result{Value: byMessage})
						return nil
					})
				}, polls(5))
			}
			close(start)
			users.Wait()
			// The function may have been cancelled before it was begun.
			select {
			case at := <-returning:
				h.add(6, offer{byFunction}, nil, at, h.now())
				h.add(6, publish{byFunction}, nil, at, h.now())
			default:
			}
			v, err := r.Get(t.Context())
			seen[held(t, v, err)]++
			if !porcupine.CheckOperations(resultModel, h.ops) {
				t.Fatalf("round %d: no order explains %+v", round, h.ops)
			}
		}
		t.Log(seen)
		require.Len(t, seen, 3, "each of the three has won: %v", seen)
	})
}

type (
	submit struct{ task byte }
	start  struct{} // gives the task
)

// queueModel is a queue that is first in, first out.
var queueModel = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		queue := state.(string)
		switch op := input.(type) {
		case submit:
			return true, queue + string(rune(op.task))
		case start:
			if queue == "" || rune(output.(byte)) != rune(queue[0]) {
				return false, queue
			}
			return true, queue[1:]
		}
		return false, queue
	},
}

// bagModel is a queue of which several workers take: what they have taken may start in
// any order.
var bagModel = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		bag := []byte(state.(string))
		switch op := input.(type) {
		case submit:
			bag = append(bag, op.task)
			slices.Sort(bag)
			return true, string(bag)
		case start:
			at, found := slices.BinarySearch(bag, output.(byte))
			if !found {
				return false, state
			}
			return true, string(slices.Delete(bag, at, at+1))
		}
		return false, state
	},
}

// rush has some producers submit tasks at once, and returns what happened.
func rush(t testing.TB, workers, producers, each int) *history {
	p := newPool(t, pool.WithWorkers(workers))
	var h history
	var free atomic.Int64 // since when the only worker can begin its next task
	var tasks sync.WaitGroup
	tasks.Add(producers * each)
	var users sync.WaitGroup
	for producer := range producers {
		users.Go(func() {
			for i := range each {
				task := byte(1 + producer*each + i)
				h.do(producer, submit{task}, func() any {
					return p.Go(context.Background(), func() {
						at := h.now()
						call := at
						if workers == 1 {
							call = free.Swap(at)
						}
						h.add(producers, start{}, task, call, at)
						tasks.Done()
					})
				})
				if i%3 == producer {
					runtime.Gosched()
				}
			}
		})
	}
	users.Wait()
	tasks.Wait()
	return &h
}

func TestOneWorkerStartsTasksInTheOrderOfTheirSubmission(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for range 100 {
			h := rush(t, 1, 2, 5) // few: the search for an order takes long if many meet
			if !porcupine.CheckOperations(queueModel, h.ops) {
				t.Fatalf("no order explains %+v", h.ops)
			}
		}
	})
}

func TestEachTaskIsStartedOnce(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for range 60 {
			h := rush(t, 3, 3, 8)
			require.Len(t, h.ops, 2*3*8)
			if !porcupine.CheckOperations(bagModel, h.ops) {
				t.Fatalf("no order explains %+v", h.ops)
			}
		}
	})
}

// The checks above can fail.
func TestWrongHistoriesAreRejected(t *testing.T) {
	op := func(input, output any, call, end int64) porcupine.Operation {
		return porcupine.Operation{Input: input, Output: output, Call: call, Return: end}
	}
	for _, c := range []struct {
		name  string
		model porcupine.Model
		ops   []porcupine.Operation
		right bool
	}{
		{"a read meets the offer and sees it or not", resultModel, []porcupine.Operation{
			op(offer{1}, nil, 1, 6), op(poll{}, 0, 2, 3), op(poll{}, 1, 4, 5),
		}, true},
		{"a cancel is late and nothing is visible", resultModel, []porcupine.Operation{
			op(offer{1}, nil, 1, 6), op(cancel{}, false, 2, 3), op(poll{}, 0, 4, 5),
		}, true},
		{"a result is unset again", resultModel, []porcupine.Operation{
			op(offer{1}, nil, 1, 6), op(poll{}, 1, 2, 3), op(poll{}, 0, 4, 5),
		}, false},
		{"two readers see different values", resultModel, []porcupine.Operation{
			op(offer{1}, nil, 1, 8), op(offer{2}, nil, 2, 7), op(poll{}, 1, 3, 5), op(poll{}, 2, 4, 6),
		}, false},
		{"two cancel in time", resultModel, []porcupine.Operation{
			op(cancel{}, true, 1, 3), op(cancel{}, true, 2, 4),
		}, false},
		{"a cancel is late though nobody was earlier", resultModel, []porcupine.Operation{
			op(cancel{}, false, 2, 3), op(offer{1}, nil, 4, 5),
		}, false},
		{"a cancel in time is not seen", resultModel, []porcupine.Operation{
			op(offer{1}, nil, 1, 6), op(cancel{}, true, 2, 3), op(wait{}, 1, 4, 5),
		}, false},
		{"who has cancelled in time does not see it", resultModel, []porcupine.Operation{
			op(cancel{}, true, 1, 2), op(publish{cancelled}, nil, 1, 2), op(poll{}, 0, 3, 4),
		}, false},
		{"who has waited has nothing", resultModel, []porcupine.Operation{
			op(wait{}, 0, 1, 2), op(offer{1}, nil, 3, 4),
		}, false},
		{"tasks that meet start in either order", queueModel, []porcupine.Operation{
			op(submit{1}, nil, 1, 3), op(submit{2}, nil, 2, 4), op(start{}, byte(2), 0, 5), op(start{}, byte(1), 0, 6)}, true},
		{"a task overtakes", queueModel, []porcupine.Operation{
			op(submit{1}, nil, 1, 2), op(submit{2}, nil, 3, 4), op(start{}, byte(2), 5, 6), op(start{}, byte(1), 7, 8)}, false},
		{"a task starts twice", bagModel, []porcupine.Operation{
			op(submit{1}, nil, 1, 2), op(start{}, byte(1), 3, 5), op(start{}, byte(1), 4, 6)}, false},
		{"a task starts that nobody has submitted", bagModel, []porcupine.Operation{
			op(submit{1}, nil, 1, 2), op(start{}, byte(2), 3, 4)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.right, porcupine.CheckOperations(c.model, c.ops))
		})
	}
}
