package actors

import (
	"context"
	"sync"

	"github.com/greenroom-go/greenroom/messages"
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
	// waits is guarded by waitGraph; empty while the task is not waiting.
	waits []*entry

	mu sync.Mutex
	// token holds a token while a task runs in place. Made once, when first
	// needed.
	token   chan struct{}
	inPlace *Task    // nil: none
	failure *Failure // the first panic or Goexit below
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
	placeTaken    placeState = iota // by the caller: it has the token
	placeOccupied                   // a task whose waiter has given up runs there, or another goroutine of the task waits
	placeGone                       // there is none any more: the function has returned
)

func (t *Task) takePlace() placeState {
	f := t.frame()
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.hasReturned() {
		return placeGone
	}
	if f.token == nil {
		f.token = make(chan struct{}, 1)
	}
	select {
	case f.token <- struct{}{}:
		return placeTaken
	default:
		return placeOccupied
	}
}

// keepPlace is takePlace for a caller that has had to wait for the token.
func (t *Task) keepPlace() placeState {
	f := t.frame()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !t.hasReturned() {
		return placeTaken
	}
	<-f.token
	return placeGone
}

// host runs piece, which the caller has claimed while holding the token of the
// place, and returns when it has ended, when w is ready without it, when ctx
// ends, or with ErrDeadlock. The token is given back when it has ended.
func (t *Task) host(ctx context.Context, piece *Task, w Wait) error {
	f := t.frame()
	piece.place = t.place
	f.mu.Lock()
	f.inPlace = piece
	f.mu.Unlock()
	over := make(chan struct{})
	// What has not begun cannot be part of a deadlock, so the first wait needs no
	// search; but it must be known before the piece begins and waits itself.
	signal := w.Signal()
	e := newEntry(signal, nil, w, placeWait{t})
	waitGraph.note(ctx, t, e)
	go piece.performApart(func(failure *Failure, _ bool) {
		f.mu.Lock()
		f.inPlace = nil
		if f.failure == nil {
			f.failure = failure
		}
		<-f.token
		f.mu.Unlock()
		close(over)
	})
	for {
		again := false
		if !w.Ready() { // asked after the signal was made
			select {
			case <-over:
			case <-signal:
				again = true
			case <-e.broken:
				again = true
			case <-ctx.Done():
			}
		}
		waitGraph.leave(t, e)
		if !again {
			return nil
		}
		signal = w.Signal()
		if w.Ready() {
			return nil
		}
		e = newEntry(signal, nil, w, placeWait{t})
		if !waitGraph.enter(ctx, t, e) {
			return messages.ErrDeadlock
		}
	}
}

// finish gives the place up: nothing more can run in it, and what still does is
// waited for.
func (t *Task) finish() {
	if t.tryFinish() {
		return
	}
	e := newEntry(nil, nil, placeWait{t})
	waitGraph.insist(t, e)
	t.frame().token <- struct{}{} // never given back
	t.state.And(^stays)
	waitGraph.leave(t, e)
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
	if f.token == nil {
		return true
	}
	select {
	case f.token <- struct{}{}: // never given back
		return true
	default:
		t.state.Or(stays)
		return false
	}
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
