package actors

import "context"

// wakeup wakes one waiter, which keeps it for all its waits and looks itself at
// what has changed: being woken says no more than that something may have. It
// costs a wait nothing, where a channel for each thing that could end it would be
// most of what running a short task in place costs (BenchmarkForkJoin in package
// pool).
type wakeup chan struct{}

func newWakeup() wakeup { return make(wakeup, 1) }

// give wakes the waiter, now or when it next sleeps.
func (w wakeup) give() {
	select {
	case w <- struct{}{}:
	default:
	}
}

// takeBack is for a waiter that has gone on without having been woken.
func (w wakeup) takeBack() {
	select {
	case <-w:
	default:
	}
}

// listen has w given when it may have become ready. If what is waited for cannot
// do that, listen returns a signal to wait for beside it.
func (w wakeup) listen(wait Wait) (signal <-chan struct{}) {
	if t, ok := wait.(TaskWait); ok && t.wakeWhenReady(w) {
		return nil
	}
	return wait.Signal()
}

// mute takes back what listen asked for.
func (w wakeup) mute(wait Wait) {
	if t, ok := wait.(TaskWait); ok {
		t.wakeNoMore(w)
	}
}

// wakeWhenReady has w given when t is ready. One waiter can ask for it.
func (t *Task) wakeWhenReady(w wakeup) bool {
	m := t.extra()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case t.Ready():
		w.give()
	case m.whenReady != nil && m.whenReady != w:
		return false
	default:
		m.whenReady = w
	}
	return true
}

func (t *Task) wakeNoMore(w wakeup) {
	m := t.extra()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.whenReady == w {
		m.whenReady = nil
	}
}

// done is ctx.Done for a wait of t that is woken by w. The task's own context
// wakes it without a channel.
func (t *Task) done(ctx context.Context, w wakeup) <-chan struct{} {
	if ctx != t.Context() {
		return ctx.Done()
	}
	if t.wakeWhenEnded(w) {
		return nil
	}
	return ctx.Done()
}

// wakeWhenEnded has w given when the context of t has ended. One of the task's
// goroutines at a time can ask for it.
func (t *Task) wakeWhenEnded(w wakeup) bool {
	m := t.extra()
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case t.phase() >= stateDecided:
		w.give()
	case m.whenEnded != nil && m.whenEnded != w:
		return false
	default:
		m.whenEnded = w
	}
	return true
}
