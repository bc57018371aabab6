package actors

import (
	"log/slog"
	"time"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is about functions that are still at work a while after their task has ended
// without them: they ignore their context. Such a task is overrun. Nobody can stop a
// goroutine from outside; but the place can be given to another worker, so that the pool
// keeps its size. Then the place of the overrun one is closed, another one is opened, and
// the worker leaves when the function returns, as any does whose place is closed.

// DefaultOverrun is how long after the end of its task a function may be at work before
// the task is overrun, if nobody says otherwise.
const DefaultOverrun = time.Second

// watchOverrun looks after a task that was ended while its function runs.
func (t *Task) watchOverrun() {
	if _, isRoot := t.body.(starter); isRoot || !t.hasPlace() {
		return // what runs of a root are its pieces
	}
	ended := time.Now()
	timer := t.router.AfterFunc("overrun", t.router.config.Overrun, func() { t.router.overrun(t, ended) })
	// The function may return at any time: it marks that first and looks for the timer
	// after, here it is the other way round.
	t.extra().overrun.Store(timer)
	if !t.hasPlace() {
		timer.Stop()
	}
}

// endWatch is for the goroutine of a function that has returned.
func (t *Task) endWatch() {
	if m := t.more.Load(); m != nil {
		if timer := m.overrun.Load(); timer != nil {
			timer.Stop()
		}
	}
}

// overrun says that a function has not returned, and gives its place away if it may.
func (r *Router) overrun(t *Task, ended time.Time) {
	var fx effects
	r.mu.Lock()
	at, replaced := r.whereabouts(t), false
	if at == nil {
		r.mu.Unlock()
		return
	}
	r.overruns++
	r.attendants++ // the pool does not end, as long as somebody is being told
	defer r.Attend(-1)
	if at.slot != nil {
		replaced = r.mayReplace(at.slot)
		if replaced {
			r.replace(at.slot, &fx)
		}
	}
	r.unlock(&fx)
	if r.subscribers.some.Load() || r.config.Logger.Handler() != slog.DiscardHandler {
		found := []RunningTask{at.RunningTask}
		addStacks(found)
		at.RunningTask = found[0]
	}
	r.log(slog.LevelWarn, "task overrun: its function ignores that it has ended", "task", at.Name, "worker", at.Worker,
		"error", t.endError(), "replaced", replaced, "stack", at.Stack)
	r.emit(Event{
		Kind: TaskOverrun, Task: at.Name, Worker: at.Worker, Err: t.endError(),
		Since: ended, Stack: at.Stack, Replaced: replaced,
	})
}

// endError is why a task has ended, once that is decided.
func (t *Task) endError() error {
	if t.phase() < stateDecided {
		return messages.ErrCancelled // about to be announced: by whom does not matter here
	}
	return t.Err()
}

// whereabout is where a function is at work: on a worker, whose place can be given away,
// or elsewhere.
type whereabout struct {
	RunningTask
	slot *slot
}

// whereabouts looks for the function of a task; nil if it has returned.
func (r *Router) whereabouts(t *Task) *whereabout {
	if !t.hasPlace() {
		return nil
	}
	if r.beside.has(t) {
		return &whereabout{t.atWork(int(t.place)), nil}
	}
	for _, s := range r.all() {
		switch {
		case s.running() != t:
		case s.lent == t:
			return &whereabout{t.atWork(int(s.number)), nil}
		default:
			return &whereabout{t.atWork(int(s.number), frameOfBatch(s.batch)), s}
		}
	}
	return nil
}

func (r *Router) mayReplace(s *slot) bool {
	return r.replaced < r.config.Replacements && r.state != terminated && r.broken == nil && !s.closed.Load()
}

// replace opens a place in the stead of another one, which it closes, and which takes over
// what waits for the worker of the first alone. In this order, since Workers is asked
// without the lock, and a pool has always one.
//
// Model: closePlace, openPlace.
func (r *Router) replace(s *slot, fx *effects) {
	s.abandoned = true
	r.replaced++
	successor := r.vacancy()
	if successor == nil {
		r.addPlaces(1)
		all := r.all()
		successor = all[len(all)-1]
	} else {
		r.openPlace(successor)
	}
	r.closePlace(s, fx)
	r.renumber()
	r.queue.reassign(int(s.number), int(successor.number))
	if r.queue.ownOf(int(successor.number)).length() > 0 || r.config.Initializer != nil {
		r.rouseWorker(int(successor.number), fx)
	}
	r.rouse(fx)
	r.admit(fx)
}

// vacancy is a closed place that no worker has, or nil.
func (r *Router) vacancy() *slot {
	for _, s := range r.all() {
		if s.closed.Load() && !s.started {
			return s
		}
	}
	return nil
}
