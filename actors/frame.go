package actors

import (
	"context"
	"sync"
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
	// worker and above are written before the function starts.
	worker int    // from 1; 0: beside the workers (run by the caller)
	above  *frame // the frame that runs this one in place, or nil

	// vacated is touched only by the task's own goroutine.
	vacated bool
	// wait is guarded by waitGraph; nil while the task is not waiting.
	wait Wait

	mu      sync.Mutex
	place   chan struct{} // holds a token while a task runs in place
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

// Task is the running task.
func (f *Frame) Task() *Task { return f.task }

// seat returns the channel that holds the token of the place, or nil if the
// frame has ended.
func (f *frame) seat() chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil
	}
	if f.place == nil {
		f.place = make(chan struct{}, 1)
	}
	return f.place
}

// host runs piece, which the caller has claimed while holding the token of the
// place, and returns when it has ended or when ctx ends. The token is given
// back when it has ended.
func (f *frame) host(ctx context.Context, piece *Task, place chan struct{}) {
	piece.frame.above = f
	piece.frame.worker = f.worker
	over := make(chan struct{})
	go piece.perform(func(failure *Failure, _ bool) {
		f.mu.Lock()
		if f.failure == nil {
			f.failure = failure
		}
		f.mu.Unlock()
		<-place
		close(over)
	})
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// finish ends the frame: nothing more can run in place, and what still does is
// waited for.
func (f *frame) finish() {
	if place := f.close(); place != nil {
		place <- struct{}{} // never given back
	}
}

// tryFinish ends the frame and reports whether nothing runs in place any more.
func (f *frame) tryFinish() bool {
	place := f.close()
	if place == nil {
		return true
	}
	select {
	case place <- struct{}{}: // never given back
		return true
	default:
		return false
	}
}

func (f *frame) close() (place chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	return f.place
}

func (f *frame) failureBelow() *Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}
