package actors

import (
	"context"
	"sync"
)

// A running task has a place: the worker it occupies. A task that waits for one
// that has not started runs that one in its own place; the place stays the same,
// so that never more tasks are at work than there are workers.
//
// The task run in place has a goroutine of its own, because a Goexit in it must
// not take the waiting task with it. That goroutine belongs to the task that
// waits: finish does not return before it has ended.

// frame is what a task needs of a place once it waits. It is part of more.
type frame struct {
	// waits is guarded by waitGraph; empty while the task is not waiting. Most
	// tasks wait once at a time: room is for that.
	waits []*entry
	room  [1]*entry

	mu      sync.Mutex
	taken   bool          // somebody has the place: a task runs in it, or is about to
	freed   chan struct{} // closed when the place is given back; made by who waits for it
	inPlace *Task         // nil: none
	failure *Failure      // the first panic or Goexit below

	// What the task waits with for what runs in its place; if it does so in several
	// goroutines, the others make their own.
	hosting hosting
}

// Frame is a running task as those see it that it waits for.
type Frame Task

// FrameOf returns the running task that ctx belongs to, or nil outside of tasks
// and after the task's function has returned.
func FrameOf(ctx context.Context) *Frame { return (*Frame)(runningTask(ctx)) }

// IsInside reports whether ctx is that of a running task, of whatever pool.
func IsInside(ctx context.Context) bool { return runningTask(ctx) != nil }

func runningTask(ctx context.Context) *Task {
	t := taskOf(ctx)
	if t == nil || t.hasReturned() {
		return nil
	}
	return t
}

// Worker is the number of the worker the task runs on, from 1; 0 if it runs in
// the caller's place.
func (f *Frame) Worker() int { return int(f.place) }

// Body is what the task does.
func (f *Frame) Body() Body { return f.body }

// Router is where the task was submitted.
func (f *Frame) Router() *Router { return f.router }

// hasReturned reports whether the function has returned: nothing new can run in
// the task's place.
func (t *Task) hasReturned() bool { return t.state.Load()&returned != 0 }

// hasPlace reports whether a task that was begun still has its place.
func (t *Task) hasPlace() bool { return t.state.Load()&(returned|stays) != returned }

// placeState says whether a task may run in the place of another.
type placeState uint8

const (
	placeTaken    placeState = iota // by the caller
	placeOccupied                   // a task whose waiter has given up runs there, or another goroutine of the task waits
	placeGone                       // there is none any more: the function has returned
)

func (t *Task) takePlace() placeState {
	f := t.frame()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case t.hasReturned():
		return placeGone
	case f.taken:
		return placeOccupied
	}
	f.taken = true
	return placeTaken
}

func (f *frame) givePlaceBack() {
	f.mu.Lock()
	f.givePlaceBackLocked()
	f.mu.Unlock()
}

func (f *frame) givePlaceBackLocked() {
	f.taken = false
	signalFreed := f.freed
	f.freed = nil
	if signalFreed != nil {
		close(signalFreed)
	}
}

// whenFree returns a channel that is closed when the place is given back.
func (f *frame) whenFree() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.taken {
		return closedChannel
	}
	if f.freed == nil {
		f.freed = make(chan struct{})
	}
	return f.freed
}

// finish gives the place up: nothing more can run in it, and what still does is
// waited for.
func (t *Task) finish() {
	if t.tryFinish() {
		return
	}
	t.router.relieveAfter(t)
	e := newEntry(nil, nil, placeWait{t})
	waitGraph.insist(t, e)
	for t.framed().isTaken() { // nobody can take it again
		<-t.framed().whenFree()
		t.router.woken()
	}
	t.state.And(^stays)
	waitGraph.leave(t, e)
}

func (f *frame) isTaken() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.taken
}

// tryFinish marks the function as returned and reports whether nothing runs in
// place any more. Who takes the place makes its frame first and looks at the mark
// after; here it is the other way round, so that one of the two sees the other.
func (t *Task) tryFinish() bool {
	if !t.hasReturned() {
		t.state.Or(returned)
	}
	f := t.framed()
	if f == nil {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken {
		t.state.Or(stays)
	}
	return !f.taken
}

func (t *Task) failureBelow() *Failure {
	f := t.framed()
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}

// placeWait is the wait for the place of a task, as the wait graph sees it.
type placeWait struct{ *Task }

func (w placeWait) Ready() bool                { return w.Blockers().place == nil }
func (w placeWait) Signal() <-chan struct{}    { return nil }
func (w placeWait) Piece(*Frame, *Nudge) *Task { return nil }
func (w placeWait) Blockers() (b Blockers) {
	f := w.frame()
	f.mu.Lock()
	defer f.mu.Unlock()
	b.place = f.inPlace
	return b
}
