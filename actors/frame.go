package actors

import (
	"context"
	"sync"

	"github.com/greenroom-go/greenroom/messages"
)

// frame is the place of a running task: the worker it occupies and what it
// waits for. A task that waits for one that has not started runs that one in
// place, in a frame of its own below this one; the place stays the same, so
// that never more tasks are at work than there are workers.
//
// The task run in place has a goroutine of its own, because a Goexit in it must
// not take the waiting task with it. That goroutine belongs to the frame that
// waits: finish does not return before it has ended.
type frame struct {
	task *Task
	// worker is written before the function starts: from 1; 0: beside the
	// workers (run by the caller).
	worker int

	// vacated is touched only by the task's own goroutine.
	vacated bool
	// waits is guarded by waitGraph; empty while the task is not waiting.
	waits []*entry

	mu sync.Mutex
	// place holds a token while a task runs in place. Made once, when first
	// needed.
	place   chan struct{}
	inPlace *Task // nil: none
	ended   bool
	failure *Failure // the first panic or Goexit below
}

// FrameOf returns the running task that ctx belongs to, or nil outside of tasks
// and after the task's function has returned.
func FrameOf(ctx context.Context) *Frame {
	f, _ := ctx.Value(frameKey{}).(*frame)
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil
	}
	return (*Frame)(f)
}

// Frame is a running task as others see it.
type Frame frame

// Worker is the number of the worker the task runs on, from 1; 0 if it runs in
// the caller's place.
func (f *Frame) Worker() int { return f.worker }

// Router is where the task was submitted.
func (f *Frame) Router() *Router { return f.task.router }

// placeState says whether a task may run in the place of a frame.
type placeState uint8

const (
	placeTaken    placeState = iota // by the caller: it has the token
	placeOccupied                   // a task whose waiter has given up runs there, or another goroutine of the task waits
	placeGone                       // the frame has ended
)

func (f *frame) takePlace() placeState {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return placeGone
	}
	if f.place == nil {
		f.place = make(chan struct{}, 1)
	}
	select {
	case f.place <- struct{}{}:
		return placeTaken
	default:
		return placeOccupied
	}
}

// keepPlace is takePlace for a caller that has had to wait for the token.
func (f *frame) keepPlace() placeState {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		return placeTaken
	}
	<-f.place
	return placeGone
}

// host runs piece, which the caller has claimed while holding the token of the
// place, and returns when it has ended, when w is ready without it, when ctx
// ends, or with ErrDeadlock. The token is given back when it has ended.
func (f *frame) host(ctx context.Context, piece *Task, w Wait) error {
	piece.frame.worker = f.worker
	f.mu.Lock()
	f.inPlace = piece
	f.mu.Unlock()
	over := make(chan struct{})
	go piece.perform(func(failure *Failure, _ bool) {
		f.mu.Lock()
		f.inPlace = nil
		if f.failure == nil {
			f.failure = failure
		}
		<-f.place
		f.mu.Unlock()
		close(over)
	})
	for {
		signal := w.Signal()
		if w.Ready() {
			return nil
		}
		e := newEntry(signal, nil, w, placeWait{f})
		if !waitGraph.enter(ctx, f, e) {
			return messages.ErrDeadlock
		}
		again := false
		select {
		case <-over:
		case <-signal:
			again = true
		case <-e.broken:
			again = true
		case <-ctx.Done():
		}
		waitGraph.leave(f, e)
		if !again {
			return nil
		}
	}
}

// finish ends the frame: nothing more can run in place, and what still does is
// waited for.
func (f *frame) finish() {
	if f.tryFinish() {
		return
	}
	e := newEntry(nil, nil, placeWait{f})
	waitGraph.insist(f, e)
	f.place <- struct{}{} // never given back
	waitGraph.leave(f, e)
}

// tryFinish ends the frame and reports whether nothing runs in place any more.
func (f *frame) tryFinish() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	if f.place == nil {
		return true
	}
	select {
	case f.place <- struct{}{}: // never given back
		return true
	default:
		return false
	}
}

func (f *frame) failureBelow() *Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}

// placeWait is the wait for the place of a frame, as the wait graph sees it.
type placeWait struct{ *frame }

func (w placeWait) Ready() bool                { return w.Blockers().place == nil }
func (w placeWait) Signal() <-chan struct{}    { return nil }
func (w placeWait) Piece(*Frame, *Nudge) *Task { return nil }
func (w placeWait) Blockers() (b Blockers) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.inPlace != nil {
		b.place = &w.inPlace.frame
	}
	return b
}
