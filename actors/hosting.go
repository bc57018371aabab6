package actors

import (
	"context"

	"github.com/greenroom-go/greenroom/messages"
)

// This file runs a task in the place of another that waits.

// hosting is what a wait needs that runs something in place.
type hosting struct {
	wake  wakeup // made when first needed
	entry entry
	piece *Task // nil: not in use. Guarded by the frame's mu
}

func (f *frame) beginHosting(piece *Task) *hosting {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := &f.hosting
	if h.piece != nil {
		h = new(hosting)
	}
	if h.wake == nil {
		h.wake = newWakeup()
	}
	f.inPlace, h.piece = piece, piece
	return h
}

// endHosting makes h fit for another wait. Nobody wakes this one any more, except
// the end of the task, which the next would see by itself.
func (f *frame) endHosting(h *hosting) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h.wake.takeBack()               // before somebody else waits with it
	h.piece, h.entry = nil, entry{} // which would keep what ran alive as long as the task that waited
}

// run runs piece in the place, as the first thing on a goroutine.
func (f *frame) run(piece *Task, h *hosting) {
	piece.performApart(func(failure *Failure, _ bool) {
		f.mu.Lock()
		f.inPlace = nil
		if f.failure == nil {
			f.failure = failure
		}
		f.givePlaceBackLocked()
		if h.piece == piece { // the wait goes on
			h.wake.give()
		}
		f.mu.Unlock()
	})
}

// holds reports whether piece still runs in the place.
func (f *frame) holds(piece *Task) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inPlace == piece
}

// host runs piece, which the caller has claimed while it had the place, and
// returns when it has ended, when w is ready without it, when ctx ends, or with
// ErrDeadlock. The place is given back when piece has ended.
func (t *Task) host(ctx context.Context, piece *Task, w Wait) error {
	f := t.frame()
	h := f.beginHosting(piece)
	wake, e := h.wake, &h.entry
	done := t.done(ctx, wake)
	signal := wake.listen(w)
	defer func() {
		wake.mute(w)
		f.endHosting(h)
	}()
	// What has not begun cannot be part of a deadlock, so the first wait needs no
	// search; but it must be known before the piece begins and waits itself.
	e.set(wake, signal, nil, w, placeWait{t})
	waitGraph.note(ctx, t, e)
	if t.router.scheduler == nil {
		go f.run(piece, h) // where Spawn would allocate
	} else {
		t.router.Spawn("in place", func() { f.run(piece, h) })
	}
	over := func() bool { return w.Ready() || !f.holds(piece) || ctx.Err() != nil }
	for {
		if !over() && !t.router.received(wake, signal, done) {
			select {
			case <-wake:
			case <-signal:
			case <-done:
			}
		}
		t.router.woken()
		waitGraph.leave(t, e)
		if over() {
			if piece.isLeaving() {
				wake.mute(w)
				f.awaitEnd(piece, wake)
			}
			return nil
		}
		signal = wake.listen(w)
		e.set(wake, signal, nil, w, placeWait{t})
		if !waitGraph.enter(ctx, t, e) {
			return messages.ErrDeadlock
		}
	}
}

// isLeaving reports whether the function of a task has returned and nothing runs in
// its place: it is about to give its own place back, without any more user code.
func (t *Task) isLeaving() bool { return t.Ready() && t.state.Load()&(returned|stays) == returned }

// awaitEnd waits for a piece that is leaving. If the task that hosts it did not, it
// would find its place taken when it returns, and wait there as for any other.
func (f *frame) awaitEnd(piece *Task, wake wakeup) {
	for f.holds(piece) {
		<-wake
		piece.router.woken()
	}
}
