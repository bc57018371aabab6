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
//
// An overrun function has its worker to itself once those have returned in whose places it
// runs, and it may be given away only as long as not too many are. So it may keep a place
// for a while, and lose it when the last of those returns, when another one that was given
// away is vacant, or when the place, which was closed, is opened again.

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
	t.extra().overran = true
	if at.slot != nil {
		replaced = r.relieve(at.slot, &fx)
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

// whereabout is where a function is at work: in the place of a worker, or elsewhere.
type whereabout struct {
	RunningTask
	slot *slot
}

// whereabouts looks for the function of a task; nil if it has returned.
func (r *Router) whereabouts(t *Task) *whereabout {
	if t.hasReturned() {
		return nil
	}
	if r.beside.has(t) {
		at := &whereabout{RunningTask: t.atWork(int(t.place))}
		if t.place > 0 {
			at.slot = r.slot(t.place)
		}
		return at
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

// relieve gives away a place that an overrun function keeps, if it may, and reports whether
// it did.
func (r *Router) relieve(s *slot, fx *effects) bool {
	if !r.mayReplace(s) || !s.isKept() {
		return false
	}
	r.replace(s, fx)
	return true
}

// relieveAll looks at all places, after one more may be given away.
func (r *Router) relieveAll(fx *effects) {
	if r.config.Replacements == 0 || r.overruns == 0 {
		return
	}
	for _, s := range r.all() {
		r.relieve(s, fx)
	}
}

// relieveAfter is told of a function that has returned in whose place another one runs.
func (r *Router) relieveAfter(t *Task) {
	if r.config.Replacements == 0 {
		return
	}
	var fx effects
	r.mu.Lock()
	if t.place > 0 {
		r.relieve(r.slot(t.place), &fx)
	}
	r.unlock(&fx)
}

func (r *Router) mayReplace(s *slot) bool {
	return r.replaced < r.config.Replacements && r.state != terminated && r.broken == nil && !s.closed.Load()
}

// isKept reports whether an overrun function is at work in the place, and none of those in
// whose places it runs.
func (s *slot) isKept() bool {
	if s.lent != nil {
		return false
	}
	for t := s.running(); t != nil; t = t.inPlace() {
		if !t.hasReturned() {
			m := t.more.Load()
			return m != nil && m.overran
		}
	}
	return false
}

// inPlace is the task that runs in the place of this one, or nil.
func (t *Task) inPlace() *Task {
	f := t.framed()
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inPlace
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
	switch {
	case r.config.Initializer != nil || r.readying > 0: // also in a pause
		if !successor.started {
			r.start(successor, fx)
		}
	case r.queue.ownOf(int(successor.number)).length() > 0:
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
