package actors

import (
	"log/slog"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/messages"
)

// This file counts the errors of tasks that nobody has asked for: a failure must not
// vanish because a result was thrown away.

// fetching says whether somebody has asked, or will be told, how a task ended. Its
// states: 0 → asked, counted; counted → asked.
type fetching struct{ state atomic.Int32 }

const (
	asked   = 1
	counted = 2
)

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
	if t.extra().fetching.state.Swap(asked) == counted {
		t.router.unfetched.Add(-1)
	}
}

// unfetched counts an error of a function that nobody has asked for so far.
func (t *Task) unfetched(m *more) {
	if b, ok := t.body.(*messageTask); ok && b.replyTo != nil {
		return // it leaves as a message
	}
	failed := t.outcome == messages.Failed || t.outcome == messages.Panicked || t.outcome == messages.Exited
	if failed && t.entered && m.fetching.state.CompareAndSwap(0, counted) {
		t.router.unfetched.Add(1)
	}
}

// reportUnfetched is due when the pool has ended.
func (r *Router) reportUnfetched() {
	if n := r.unfetched.Load(); n > 0 {
		r.log(slog.LevelWarn, "errors of tasks that nobody fetched", "tasks", n)
	}
}
