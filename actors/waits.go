package actors

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

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
	// for nudge, if that is not nil, to be given.
	Piece(f *Frame, nudge *Nudge) *Task
	// Blockers are the tasks whose end is waited for.
	Blockers() Blockers
}

// Nudge tells a waiter, once, to look again for something to run in place.
type Nudge struct {
	once  sync.Once
	given chan struct{} // closed
	over  atomic.Bool   // nobody waits for it any more
}

func newNudge() *Nudge { return &Nudge{given: make(chan struct{})} }

// Give tells the waiter, if there is one.
func (n *Nudge) Give() {
	if n != nil {
		n.once.Do(func() { close(n.given) })
	}
}

// drop says that nobody waits for the nudge any more.
func (n *Nudge) drop() { n.over.Store(true) }

// Nudges are those of who waits for the same. Whoever keeps them guards them.
type Nudges struct{ list []*Nudge }

// Add takes a nudge, if it is not nil, and lets go of others that nobody waits for.
func (n *Nudges) Add(nudge *Nudge) {
	if nudge == nil {
		return
	}
	if len(n.list) == cap(n.list) {
		n.list = slices.DeleteFunc(n.list, func(other *Nudge) bool { return other.over.Load() })
	}
	n.list = append(n.list, nudge)
}

// Give gives all of them, once.
func (n *Nudges) Give() {
	for _, nudge := range n.list {
		nudge.Give()
	}
	n.list = nil
}

// Blockers are what a wait depends on: it cannot end if one of All or AllPlaces can
// not, nor if none of Any or none of AnyPlace can (unless there are none).
type Blockers struct {
	// All and Any must end.
	All, Any []*Task
	// AllPlaces and AnyPlace must give their places back: end before they have begun, or
	// their functions return, though the tasks may have ended.
	AllPlaces, AnyPlace []*Task
	// place, if not nil, is a task whose function must return, though the task
	// may be decided already.
	place *Task
}

// Await blocks until w is ready, ctx ends, or the wait turns out to be a
// deadlock. Inside a task (ctx is the task's context or derives from it) it
// runs what has not started in place, so that a pool of one worker is enough
// for any depth. It returns nil, ctx.Err(), or ErrDeadlock.
func Await(ctx context.Context, w Wait) error {
	if w.Ready() {
		return nil
	}
	if t := runningTask(ctx); t != nil {
		return t.await(ctx, w)
	}
	for range waiterLooks {
		runtime.Gosched()
		if w.Ready() {
			return nil
		}
	}
	r := routerOf(w)
	if r == nil || r.scheduler == nil {
		return sleepUntil(ctx, w)
	}
	defer r.woken()
	return sleepUntil(ctx, w)
}

func sleepUntil(ctx context.Context, w Wait) error {
	for {
		signal := w.Signal()
		if w.Ready() {
			return nil
		}
		select { // first alone: of two that are ready the other would choose by chance
		case <-signal:
			continue
		default:
		}
		select {
		case <-signal:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// waiterLooks is how often a waiter lets others run and looks again before it goes
// to sleep: what it waits for is often a short task that a worker is about to
// run. Being woken, and what is needed for it, takes longer than such a task
// (BenchmarkApply in package pool: 1.0 to 0.7 µs, and 270 bytes less).
const waiterLooks = 2

func (t *Task) await(ctx context.Context, w Wait) error {
	inVain := false // a search has said so, and then nothing was found to run in place
	for {
		if err := ctx.Err(); err != nil { // a poll does not run anything
			return err
		}
		if hosted, err := t.hostAtOnce(ctx, w); err != nil || w.Ready() {
			return err
		} else if hosted {
			continue
		}
		signal, nudge := w.Signal(), newNudge()
		if w.Ready() {
			return nil
		}
		place := t.takePlace()
		if place == placeOccupied {
			e := newEntry(signal, nudge, w, placeWait{t})
			if !waitGraph.enter(ctx, t, e) {
				return messages.ErrDeadlock
			}
			if free := t.frame().whenFree(); !t.router.received(free, signal, e.wake, ctx.Done()) {
				select {
				case <-free:
				case <-signal:
				case <-e.wake:
				case <-ctx.Done():
				}
			}
			t.router.woken()
			waitGraph.leave(t, e)
		}
		switch place {
		case placeGone: // this is a goroutine that the task left behind
			return Await(ctx, w)
		case placeOccupied:
			continue
		}
		if piece := w.Piece((*Frame)(t), nudge); piece != nil {
			nudge.drop()
			inVain = false
			if err := t.host(ctx, piece, w); err != nil {
				return err
			}
			continue
		}
		t.frame().givePlaceBack()
		e := newEntry(signal, nudge, w)
		if !waitGraph.enter(ctx, t, e) {
			if inVain {
				return messages.ErrDeadlock
			}
			nudge.drop()
			inVain = true // what it could run may have come between the look and the search
			continue
		}
		inVain = false
		if !t.router.received(signal, nudge.given, e.wake, ctx.Done()) {
			select {
			case <-signal:
			case <-nudge.given:
			case <-e.wake:
			case <-ctx.Done():
			}
		}
		nudge.drop()
		t.router.woken()
		waitGraph.leave(t, e)
	}
}

// hostAtOnce runs what is waited for in the place of t, if there is something
// that has not started and nothing stands in its way. It is the way of most
// waits, and needs nothing to be woken by.
func (t *Task) hostAtOnce(ctx context.Context, w Wait) (hosted bool, err error) {
	if t.takePlace() != placeTaken {
		return false, nil
	}
	piece := w.Piece((*Frame)(t), nil)
	if piece == nil {
		t.frame().givePlaceBack()
		return false, nil
	}
	return true, t.host(ctx, piece, w)
}

// TaskWait waits for one task.
type TaskWait struct{ *Task }

// Signal is the task's Done.
func (w TaskWait) Signal() <-chan struct{} { return w.Done() }

// Piece is the task itself, one of its pieces, or what its key has before it.
// Tasks of another pool are not run in place: that pool's workers are its own.
func (w TaskWait) Piece(f *Frame, nudge *Nudge) *Task {
	if f.Router() != w.router {
		return nil
	}
	if body, ok := w.body.(assistant); ok {
		return body.Assist(f.Worker(), nudge)
	}
	if body, ok := w.body.(parker); ok && w.isParked() {
		return body.ClaimParked(f, nudge)
	}
	return w.router.ClaimFor(w.Task, f.Worker(), nudge)
}

// Blockers is the task.
func (w TaskWait) Blockers() Blockers { return Blockers{All: []*Task{w.Task}} }
