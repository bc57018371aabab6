package pooltest

import (
	"fmt"
	"strings"
	"time"
)

// waitLimit is how long, in virtual time, a test waits for what may never come.
const waitLimit = time.Hour

// Begun is how many calls have begun.
func (t *Controlled[R]) Begun() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls
}

// Holding is how many calls wait for an order.
func (t *Controlled[R]) Holding() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.holding)
}

// Running reports whether a call has begun and has not returned, panicked or exited.
func (t *Controlled[R]) Running() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls > t.over
}

// String is the name and the state, for reports.
func (t *Controlled[R]) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := fmt.Sprintf("task %q: ", t.name)
	if t.calls == 0 {
		s += "has not begun"
	} else {
		s += fmt.Sprintf("calls begun %d, holding %d, over %d", t.calls, len(t.holding), t.over)
	}
	if len(t.orders) > 0 {
		s += fmt.Sprintf("; orders for calls to come %d", len(t.orders))
	}
	if t.overruns {
		s += "; it ignores its context"
	}
	return s
}

// AwaitBegun waits until a call has begun. The test fails if that does not come within an
// hour of virtual time, and says what is at work.
func (t *Controlled[R]) AwaitBegun() {
	t.kit.Helper()
	t.AwaitCalls(1)
}

// AwaitCalls is AwaitBegun for n calls in all, whether they are over or not. The test
// fails if n is less than 1.
func (t *Controlled[R]) AwaitCalls(n int) {
	t.kit.Helper()
	if n < 1 {
		t.kit.Fatalf("task %q: AwaitCalls(%d): there must be 1 at least", t.name, n)
	}
	t.await(fmt.Sprintf("%d calls to begin", n), func() bool { return t.calls >= n })
}

// AwaitHolding waits until a call waits for an order. The test fails if that does not come
// within an hour of virtual time, and says what is at work.
func (t *Controlled[R]) AwaitHolding() {
	t.kit.Helper()
	t.await("a call to hold", func() bool { return len(t.holding) > 0 })
}

// AwaitOver waits until a call has begun and all that have are over. The test fails if
// that does not come within an hour of virtual time, and says what is at work.
func (t *Controlled[R]) AwaitOver() {
	t.kit.Helper()
	t.await("its calls to be over", func() bool { return t.calls > 0 && t.calls == t.over })
}

// await waits for a condition, which is asked with mu held.
func (t *Controlled[R]) await(what string, met func() bool) {
	t.kit.Helper()
	t.kit.inUse("Task")
	limit := time.NewTimer(waitLimit)
	defer limit.Stop()
	for {
		t.mu.Lock()
		if met() {
			t.mu.Unlock()
			return
		}
		changed := make(chan struct{})
		t.changed = append(t.changed, changed)
		t.mu.Unlock()
		select {
		case <-changed:
			t.kit.yield("woken")
		case <-limit.C:
			t.kit.yield("gave up")
			t.kit.Fatalf("waited %v for %s of %v. At work:\n%s", waitLimit, what, t, t.kit.atWork())
		}
	}
}

// change wakes those who wait. It is called with mu held.
func (t *Controlled[R]) change() {
	for _, c := range t.changed {
		close(c)
	}
	t.changed = nil
}

// Until lets everything go on until a condition is met. It is looked at whenever nothing
// can go on, and then after a millisecond or a hundredth of the time waited so far. The
// test fails if it is not met within an hour of virtual time, says what was waited for and
// what is at work. The condition is called on the goroutine of the caller, and must not
// block.
func (k *Kit) Until(what string, condition func() bool) {
	k.Helper()
	k.inUse("Until")
	if condition == nil {
		k.Fatalf("Until %q was given no condition", what)
	}
	for began := time.Now(); ; {
		k.Idle()
		waited := time.Since(began)
		switch {
		case condition():
			return
		case waited >= waitLimit:
			k.Fatalf("waited %v until %s. At work:\n%s", waited, what, k.atWork())
		}
		time.Sleep(min(waitLimit-waited, max(time.Millisecond, waited/100)))
	}
}

// yield takes a turn under Explore, as whoever has been woken must.
func (k *Kit) yield(what string) {
	if k.scheduler != nil {
		k.scheduler.Yield(what)
	}
}

// atWork says what the controlled tasks and the pools of the test are at, a line each.
func (k *Kit) atWork() string {
	k.mu.Lock()
	tasks, pools := k.controlled, k.pools
	k.mu.Unlock()
	var b strings.Builder
	for _, t := range tasks {
		fmt.Fprintf(&b, "  %v\n", t)
	}
	for _, p := range pools {
		r := p.Report()
		fmt.Fprintf(&b, "  pool %s: %d workers, %d tasks wait, %d functions are at work\n", p.Name(), p.Workers(), r.Waiting, len(r.Running))
		for _, f := range r.Running {
			name := f.Name
			if name == "" {
				name = "a task without a name"
			}
			fmt.Fprintf(&b, "    %s runs %s\n", f.Worker, name)
		}
	}
	if b.Len() == 0 {
		return "  nothing that the kit knows of\n"
	}
	return b.String()
}
