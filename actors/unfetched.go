package actors

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/messages"
)

// This file counts the errors of tasks that nobody has asked for: a failure must not
// vanish because a result was thrown away.

// UnfetchedErrors are the errors of a pool's tasks that nobody has fetched.
type UnfetchedErrors struct {
	// Pool is its name.
	Pool string
	// Tasks is how many they are.
	Tasks int64
	// Errors are those of them that were kept, MaxUnfetched at most, in the order in
	// which they came.
	Errors []UnfetchedError
}

// UnfetchedError is an error that nobody has fetched.
type UnfetchedError struct {
	// Task is the name of the task, or "".
	Task string
	// Outcome is Failed, Panicked or Exited.
	Outcome messages.Outcome
	// Err is what Get would have returned.
	Err error
}

// MaxUnfetched is how many errors that nobody has fetched are kept at a time.
const MaxUnfetched = 32

// fetching says whether somebody has asked, or will be told, how a task ended. Its
// states, in which n is a place among the errors that are kept:
//
//	0           → asked, counted, counted + n
//	counted     → asked
//	counted + n → asked
type fetching struct{ state atomic.Int32 }

const (
	asked   = 1
	counted = 2
)

// unasked are the errors that are kept for a hook. Their number is that of
// Router.unfetched, which is never less than what is kept here.
type unasked struct {
	mu     sync.Mutex
	closed bool // nothing more is kept
	came   int
	errors [MaxUnfetched]keptError
}

type keptError struct {
	serial int // in the order in which they came; 0: none
	UnfetchedError
}

// Fetch is Err for somebody who asks how the task ended.
func (t *Task) Fetch() error {
	m := t.more.Load()
	if m == nil || m.err == nil {
		return nil
	}
	t.Asked()
	return m.err
}

// Asked says that somebody knows how the task ended, or will be told.
func (t *Task) Asked() {
	r := t.router
	switch was := t.extra().fetching.state.Swap(asked); {
	case was == counted:
		r.unfetched.Add(-1)
	case was > counted:
		u := r.unasked
		u.mu.Lock()
		u.errors[was-counted-1] = keptError{} // after take there is nothing
		r.unfetched.Add(-1)
		u.mu.Unlock()
	}
}

// unfetched counts an error of a function that nobody has asked for so far.
func (t *Task) unfetched(m *more) {
	if b, ok := t.body.(*messageTask); ok && b.replyTo != nil {
		return // it leaves as a message
	}
	failed := t.outcome == messages.Failed || t.outcome == messages.Panicked || t.outcome == messages.Exited
	if !failed || !t.entered || m.fetching.state.Load() == asked {
		return
	}
	r, place := t.router, 0
	if u := r.unasked; u != nil {
		u.mu.Lock()
		defer u.mu.Unlock()
		place = u.free()
	}
	r.unfetched.Add(1)
	if !m.fetching.state.CompareAndSwap(0, int32(counted+place)) {
		r.unfetched.Add(-1)
	} else if place > 0 {
		r.unasked.keep(place, UnfetchedError{Task: t.Name(), Outcome: t.outcome, Err: m.err})
	}
}

// free returns a place for an error, from 1, or 0. Call it with the lock held.
func (u *unasked) free() int {
	if u.closed {
		return 0
	}
	for i := range u.errors {
		if u.errors[i].serial == 0 {
			return i + 1
		}
	}
	return 0
}

// keep fills a place. Call it with the lock held.
func (u *unasked) keep(place int, e UnfetchedError) {
	u.came++
	u.errors[place-1] = keptError{u.came, e}
}

// take takes the errors that are kept, the first of which came first, and lets nothing
// more be kept.
func (u *unasked) take(r *Router) UnfetchedErrors {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	kept := slices.DeleteFunc(u.errors[:], func(e keptError) bool { return e.serial == 0 })
	slices.SortFunc(kept, func(a, b keptError) int { return cmp.Compare(a.serial, b.serial) })
	taken := UnfetchedErrors{Pool: r.config.Name, Tasks: r.unfetched.Load()}
	for _, e := range kept {
		taken.Errors = append(taken.Errors, e.UnfetchedError)
	}
	clear(u.errors[:])
	return taken
}

// reportUnfetched is due when the pool has ended, but for the callbacks that still run:
// the hook is called behind those.
func (r *Router) reportUnfetched() {
	if r.unasked != nil {
		r.lane.post(laneJob{run: r.handOverUnfetched})
	} else if n := r.unfetched.Load(); n > 0 {
		r.log(slog.LevelWarn, "errors of tasks that nobody fetched", "tasks", n)
	}
}

// handOverUnfetched calls the hook, whatever that does.
func (r *Router) handOverUnfetched() {
	errors := r.unasked.take(r)
	if errors.Tasks == 0 {
		return
	}
	if failure := r.contained("handler of unfetched errors", func() { r.config.Unfetched(errors) }); failure != nil {
		r.log(slog.LevelError, "the pool's hook for unfetched errors failed", "tasks", errors.Tasks, "error", failure.Err)
	}
}
