package actors

import (
	"context"
	"sync"

	"github.com/greenroom-go/greenroom/messages"
)

// Wait is something that a task can wait for without ever causing a deadlock.
type Wait interface {
	// Ready reports that there is nothing left to wait for.
	Ready() bool
	// Signal returns a channel that is closed or sent to when Ready may have
	// become true. It is asked for before Ready.
	Signal() <-chan struct{}
	// Piece claims something that has not started and that is waited for, to be
	// run in the place of f. If there is none now but may be later, it arranges
	// for a send on nudge.
	Piece(f *Frame, nudge chan struct{}) *Task
	// Blockers are the tasks whose end is waited for: all of them, or any.
	Blockers() (tasks []*Task, any bool)
}

// Await blocks until w is ready, ctx ends, or the wait turns out to be a
// deadlock. Inside a task (ctx is the task's context or derives from it) it
// runs what has not started in place, so that a pool of one worker is enough
// for any depth. It returns nil, ctx.Err(), or ErrDeadlock.
func Await(ctx context.Context, w Wait) error {
	if w.Ready() {
		return nil
	}
	if f := (*frame)(FrameOf(ctx)); f != nil {
		return f.await(ctx, w)
	}
	for {
		signal := w.Signal()
		if w.Ready() {
			return nil
		}
		select {
		case <-signal:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *frame) await(ctx context.Context, w Wait) error {
	nudge := make(chan struct{}, 1)
	for {
		signal := w.Signal()
		if w.Ready() {
			return nil
		}
		if err := ctx.Err(); err != nil { // a poll does not run anything
			return err
		}
		place := f.seat()
		if place == nil { // the task has returned; this is a goroutine it left behind
			return Await(ctx, w)
		}
		select {
		case place <- struct{}{}:
		case <-signal:
			continue
		case <-ctx.Done():
			return ctx.Err()
		}
		if piece := w.Piece((*Frame)(f), nudge); piece != nil {
			waitGraph.set(f, TaskWait{piece})
			f.host(ctx, piece, place)
			waitGraph.set(f, nil)
			if err := ctx.Err(); err != nil && !w.Ready() {
				return err
			}
			continue
		}
		<-place
		if !waitGraph.enter(f, w) {
			return messages.ErrDeadlock
		}
		select {
		case <-signal:
		case <-nudge:
		case <-ctx.Done():
			waitGraph.set(f, nil)
			return ctx.Err()
		}
		waitGraph.set(f, nil)
	}
}

// TaskWait waits for one task.
type TaskWait struct{ *Task }

// Signal is the task's Done.
func (w TaskWait) Signal() <-chan struct{} { return w.Done() }

// Piece is the task itself, one of its pieces, or what its key has before it.
// Tasks of another pool are not run in place: that pool's workers are its own.
func (w TaskWait) Piece(f *Frame, nudge chan struct{}) *Task {
	if f.Router() != w.router {
		return nil
	}
	if body, ok := w.body.(assistant); ok {
		return body.Assist(f.worker, nudge)
	}
	return w.router.ClaimFor(w.Task, f.worker, nudge)
}

// Blockers is the task.
func (w TaskWait) Blockers() ([]*Task, bool) { return []*Task{w.Task}, false }

// waits is the graph of which running task waits for what, over all pools of
// the process, since a cycle may lead through several. Only waits inside of
// tasks that find nothing to run in place enter it.
type waits struct{ mu sync.Mutex }

var waitGraph waits

func (g *waits) set(f *frame, w Wait) {
	g.mu.Lock()
	f.wait = w
	g.mu.Unlock()
}

// enter records that f waits for w, unless that wait could never end.
func (g *waits) enter(f *frame, w Wait) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.wait = w
	if g.stuck(f, map[*frame]bool{}) {
		f.wait = nil
		return false
	}
	return true
}

// stuck reports whether f can go on only after itself. seen holds the frames
// on the path (true), which count as stuck: that is the cycle; and those known
// to be free (false). Being stuck is not remembered, for it may hold on this
// path only.
func (g *waits) stuck(f *frame, seen map[*frame]bool) (stuck bool) {
	if onPath, known := seen[f]; known {
		return onPath
	}
	if f.wait == nil || f.wait.Ready() {
		return false
	}
	seen[f] = true
	defer func() {
		if stuck {
			delete(seen, f)
		} else {
			seen[f] = false
		}
	}()
	tasks, any := f.wait.Blockers()
	for _, t := range tasks {
		if g.blocked(t, seen) != any {
			return !any
		}
	}
	return any && len(tasks) > 0
}

func (g *waits) blocked(t *Task, seen map[*frame]bool) bool {
	if t.Decided() {
		return false
	}
	if body, ok := t.body.(assistant); ok {
		for _, piece := range body.Pieces() {
			if g.blocked(piece, seen) {
				return true
			}
		}
		return false
	}
	if t.state.Load() == stateRunning {
		return g.stuck(&t.frame, seen)
	}
	holders := t.router.holders(t)
	for _, holder := range holders {
		if !g.stuck(holder, seen) {
			return false
		}
	}
	return len(holders) > 0
}
