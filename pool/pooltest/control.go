package pooltest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Controlled is a function for a task that does what the test says, when it says so. A
// call of it holds from its beginning until it is given an order: [Controlled.Release],
// Fail, Panic, Goexit or Do. Its Func is submitted to a pool in whatever way:
//
//	t := pooltest.NewControlled[int](k, "sum")
//	r := pool.ApplyAsync(ctx, p, t.Func)
//	t.AwaitHolding() // a worker has it
//	t.Release(42)    // r is 42
//
// The function may be called several times, at the same time too: by a retry, a
// broadcast, a map. An order is for one call, the one that has held longest; if none
// holds it is kept for the next one.
//
// A call whose context ends returns the cause of that, unless [Controlled.Overrun] was
// called. What still holds when the body of the test has ended is let go then. A call
// that holds for a week of virtual time fails the test: nobody is left who would give it
// an order.
//
// The methods may be called from any goroutine. Giving an order never blocks.
type Controlled[R any] struct {
	kit   *Kit
	name  string
	where string // it was made

	mu       sync.Mutex
	calls    int               // that have begun
	over     int               // of them
	holding  []*heldCall[R]    // the first has held longest
	orders   []order[R]        // for the calls to come
	overruns bool              // contexts are ignored
	free     bool              // the test is over: nothing holds
	changed  []chan<- struct{} // of those who wait for calls to begin or end; closed
}

// Task is a controlled task whose result is of any type, as that of a messages.Task.
type Task = Controlled[any]

// order is what a call does once it goes on.
type order[R any] func(ctx context.Context) (R, error)

// heldCall is a call that holds.
type heldCall[R any] struct {
	goesOn chan struct{} // closed when do is there
	do     order[R]
}

// holdLimit is how long, in virtual time, a call may hold.
const holdLimit = 7 * 24 * time.Hour

// Task makes a controlled task, whose name is for reports.
func (k *Kit) Task(name string) *Task {
	k.inUse("Task")
	return newControlled[any](k, name, k.callerLine())
}

// NewControlled makes a controlled task with a result of type R, whose name is for
// reports.
func NewControlled[R any](k *Kit, name string) *Controlled[R] {
	k.inUse("NewControlled")
	return newControlled[R](k, name, k.callerLine())
}

func newControlled[R any](k *Kit, name, where string) *Controlled[R] {
	t := &Controlled[R]{kit: k, name: name, where: where}
	k.mu.Lock()
	k.controlled = append(k.controlled, t)
	k.mu.Unlock()
	k.Cleanup(t.letGo)
	return t
}

// Func is the function to submit.
func (t *Controlled[R]) Func(ctx context.Context) (R, error) {
	defer t.ended()
	return t.begin(ctx)(ctx)
}

// Run is Func without a context and a result, for [pool.Pool.Go].
func (t *Controlled[R]) Run() { _, _ = t.Func(context.Background()) }

// begin holds until there is something to do.
func (t *Controlled[R]) begin(ctx context.Context) order[R] {
	t.mu.Lock()
	t.calls++
	t.change()
	switch {
	case t.free:
		t.mu.Unlock()
		return t.released
	case len(t.orders) > 0:
		do := t.orders[0]
		t.orders = t.orders[1:]
		t.mu.Unlock()
		return do
	}
	c := &heldCall[R]{goesOn: make(chan struct{})}
	t.holding = append(t.holding, c)
	t.mu.Unlock()
	return t.hold(ctx, c)
}

func (t *Controlled[R]) hold(ctx context.Context, c *heldCall[R]) order[R] {
	limit := time.NewTimer(holdLimit)
	defer limit.Stop()
	done := ctx.Done()
	for {
		t.mu.Lock()
		if t.overruns {
			done = nil
		}
		t.mu.Unlock()
		ended, tooLong := false, false
		select {
		case <-c.goesOn:
		case <-done:
			ended = true
		case <-limit.C:
			tooLong = true
		}
		t.kit.yield("task " + t.name + " goes on")
		switch {
		case ended:
			if t.withdraw(c) {
				return func(ctx context.Context) (none R, _ error) { return none, context.Cause(ctx) }
			}
			done = nil // an order has come meanwhile, or the context is ignored by now
		case tooLong:
			if t.abandon(c) {
				t.kit.failAt(t.where, fmt.Sprintf("a call of task %q has held for %v, and nobody has given it an order. At work:\n%s", t.name, holdLimit, t.kit.atWork()))
				return t.released
			}
		default:
			return c.do
		}
	}
}

// withdraw takes back a call whose context has ended. It reports false if the call does
// not care.
func (t *Controlled[R]) withdraw(c *heldCall[R]) bool {
	t.mu.Lock()
	overruns := t.overruns
	t.mu.Unlock()
	return !overruns && t.abandon(c)
}

// abandon takes a call from those that hold. It reports false if the call has an order.
func (t *Controlled[R]) abandon(c *heldCall[R]) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.holding, c)
	if i >= 0 {
		t.holding = slices.Delete(t.holding, i, i+1)
	}
	return i >= 0
}

func (t *Controlled[R]) ended() {
	t.mu.Lock()
	t.over++
	t.change()
	t.mu.Unlock()
}

// Release has a call return a value.
func (t *Controlled[R]) Release(value R) {
	t.Do(func(context.Context) (R, error) { return value, nil })
}

// Fail has a call return an error. The test fails if it is nil.
func (t *Controlled[R]) Fail(err error) {
	t.kit.Helper()
	if err == nil {
		t.kit.Fatalf("task %q: Fail was given no error; use Release for a success", t.name)
	}
	t.Do(func(context.Context) (none R, _ error) { return none, err })
}

// Panic has a call panic with a value.
func (t *Controlled[R]) Panic(value any) {
	t.Do(func(context.Context) (R, error) { panic(value) })
}

// Goexit has a call end its goroutine, as FailNow of package testing does.
func (t *Controlled[R]) Goexit() {
	t.Do(func(context.Context) (none R, _ error) { runtime.Goexit(); return none, nil })
}

// Do has a call do what f does, with the context and on the goroutine of the call, and
// return what f returns. The test fails if f is nil.
func (t *Controlled[R]) Do(f func(ctx context.Context) (R, error)) {
	t.kit.Helper()
	if f == nil {
		t.kit.Fatalf("task %q: Do was given no function", t.name)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.holding) == 0 {
		t.orders = append(t.orders, f)
		return
	}
	c := t.holding[0]
	t.holding = t.holding[1:]
	c.do = f
	close(c.goesOn)
}

// Overrun has all calls ignore their contexts from now on: they hold until they are given
// an order, as a function does that cannot be interrupted.
func (t *Controlled[R]) Overrun() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.overruns = true
}

// letGo ends the control: nothing holds any more.
func (t *Controlled[R]) letGo() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = true
	for _, c := range t.holding {
		c.do = t.released
		close(c.goesOn)
	}
	t.holding = nil
}

// released is what a call does that nobody has given an order.
func (t *Controlled[R]) released(context.Context) (none R, _ error) {
	return none, fmt.Errorf("pooltest: task %q was given no order before the end of its test", t.name)
}
