package pool

import (
	"sync"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/actors"
)

// watchers are tasks that look for something to run in their places. Whoever makes
// something does so first and nudges them after; who waits adds his nudge first and looks
// after, so that one of the two sees the other. No other lock is taken while the mutex is
// held, and any may be held around it.
type watchers struct {
	some atomic.Bool // there are nudges, or they are being given. Written under mu

	mu     sync.Mutex
	nudges actors.Nudges
}

// add takes a nudge, if it is not nil, to be given when there may be something.
func (w *watchers) add(nudge *actors.Nudge) {
	if nudge == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nudges.Add(nudge)
	w.some.Store(true)
}

// nudge has all of them look. When it returns they count as free in the search for
// deadlocks, until they have looked.
func (w *watchers) nudge() {
	if !w.some.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nudges.Give()
	w.some.Store(false)
}
