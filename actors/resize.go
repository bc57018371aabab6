package actors

import (
	"fmt"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is about how many places for workers a pool has, and which of them have
// a worker. A place is open or closed; the pool has as many workers as open places:
//
//	open   → closed  Resize to fewer, from the highest number; the directive Stop
//	closed → open    Resize to more, from the lowest number; then places are added. Not
//	                 while the worker is there in whose stead another one has come
//
// A worker is started where one is needed, and at a closed place only for what waits
// for that worker alone. One whose place is closed does what it is at, then what waits
// for it alone, and leaves; so does one that has been idle for too long, unless
// something to do has come meanwhile. What waits for it only because the strategy said
// so goes to whoever is free first.

// MaxWorkers is how many workers a pool can have.
const MaxWorkers = 1 << 20

// slot is the place of a worker, by number.
func (r *Router) slot(number int32) *slot { return (*r.slots.Load())[number] }

// all are the places, in the order of their numbers.
func (r *Router) all() []*slot { return (*r.slots.Load())[1:] }

// known reports whether there is a place with that number.
func (r *Router) known(number int) bool { return number > 0 && number < len(*r.slots.Load()) }

// Workers is the number of workers.
func (r *Router) Workers() int { return int(r.workers.Load()) }

// Numbers are those of the open places.
func (r *Router) Numbers() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	numbers := make([]int, 0, r.Workers())
	for _, s := range r.all() {
		if !s.closed.Load() {
			numbers = append(numbers, int(s.number))
		}
	}
	return numbers
}

// addPlaces adds n open places.
func (r *Router) addPlaces(n int) {
	slots := *r.slots.Load()
	first := len(slots)
	added := make([]slot, n)
	longer := append(make([]*slot, 0, first+n), slots...)
	for i := range added {
		added[i].number = int32(first + i)
		longer = append(longer, &added[i])
	}
	r.slots.Store(&longer)
	r.workers.Add(int32(n))
}

// Resize changes how many workers there are.
//
// Model: resize.
func (r *Router) Resize(workers int) error {
	var fx effects
	r.mu.Lock()
	before := r.Workers()
	if err := r.refusesSize(workers); err != nil {
		r.mu.Unlock()
		return err
	}
	switch {
	case workers > before:
		r.grow(workers-before, &fx)
	case workers < before:
		r.shrink(before-workers, &fx)
	}
	var growing []grower
	if workers > before {
		growing = r.growers()
	}
	r.unlock(&fx)
	for _, body := range growing {
		body.Grown()
	}
	if workers < before {
		r.recheckWaits()
	}
	return nil
}

// refusesSize says why the pool cannot have that many workers, or returns nil.
func (r *Router) refusesSize(workers int) error {
	switch {
	case r.state == terminated:
		return r.closedError()
	case r.broken != nil:
		return r.broken
	case workers < 1 || workers > MaxWorkers:
		return fmt.Errorf("%w: %d workers; there must be 1 to %d", messages.ErrInvalid, workers, MaxWorkers)
	case workers < r.config.MinWorkers:
		return fmt.Errorf("%w: %d workers; the minimum is set to %d", messages.ErrInvalid, workers, r.config.MinWorkers)
	}
	return nil
}

func (r *Router) grow(n int, fx *effects) {
	for _, s := range r.all() {
		if n > 0 && s.closed.Load() && !s.abandoned {
			r.openPlace(s)
			s.rehired = s.leaving && r.config.Initializer != nil
			n--
		}
	}
	r.addPlaces(n)
	r.relieveAll(fx) // what was overrun at a place that was closed is at an open one again
	r.resized()
	if r.config.Initializer != nil {
		r.unready()
		r.startAll(fx)
		r.checkReady()
	}
	r.rouse(fx)
	r.admit(fx)
}

func (r *Router) shrink(n int, fx *effects) {
	slots := r.all()
	for i := len(slots) - 1; n > 0; i-- {
		if !slots[i].closed.Load() {
			r.closePlace(slots[i], fx)
			n--
		}
	}
	r.resized()
	r.rouse(fx)
}

// openPlace opens a closed place, whether its worker has left or not.
//
// Model: openPlace.
func (r *Router) openPlace(s *slot) {
	s.closed.Store(false)
	r.workers.Add(1)
	r.active += s.loads()
	if s.leaving { // its successor will count
		s.initialized = false
	}
	if s.initialized {
		r.initialized++
	}
	if !s.started {
		r.unstarted = min(r.unstarted, int(s.number))
	}
}

// closePlace closes an open place. Its worker, if there is one, comes to hear of it.
//
// Model: closePlace.
func (r *Router) closePlace(s *slot, fx *effects) {
	s.closed.Store(true)
	s.rehired = false
	r.workers.Add(-1)
	r.active -= s.loads()
	if s.initialized {
		r.initialized--
	}
	r.checkReady()
	r.queue.disown(int(s.number))
	if s.batch != nil {
		r.takeBack(s)
	}
	if s.started && s.out {
		fx.shrunk = true
	}
	switch {
	case s.in == &r.idle:
		r.wake(s, fx)
	case r.lingering == s: // it looks again anyhow; until then nobody borrows the place
		r.lingering = nil
	}
}

// loads is how often the place counts as active.
func (s *slot) loads() (n int) {
	if s.batch != nil {
		n++
	}
	if s.lent != nil {
		n++
	}
	return n
}

// occupy counts a place at which work begins (1) or ends (-1), if it is open.
func (r *Router) occupy(s *slot, n int) {
	if !s.closed.Load() {
		r.active += n
	}
}

// resized takes down which places are open, and says how many.
func (r *Router) resized() {
	r.renumber()
	r.emit(Event{Kind: PoolResized, Workers: r.Workers()})
}

// renumber takes down which places are open.
func (r *Router) renumber() {
	r.numbers = nil
	workers := r.Workers()
	for i, s := range r.all() {
		if s.closed.Load() && i < workers { // there is a gap
			r.numbers = r.openNumbers()
			return
		}
	}
}

func (r *Router) openNumbers() (numbers []int32) {
	for _, s := range r.all() {
		if !s.closed.Load() {
			numbers = append(numbers, s.number)
		}
	}
	return numbers
}

// numberOf is the number of the nth of the open places, from 1, as strategies count.
func (r *Router) numberOf(nth int) int {
	if r.numbers == nil || nth == 0 {
		return nth
	}
	return int(r.numbers[nth-1])
}

// discharge closes the place of a worker that is stopped because of a failure. What
// waits for it alone ends with that. It reports false, and does nothing, if the pool
// has no more than its minimum of workers.
func (r *Router) discharge(number int, failure error) bool {
	var fx effects
	r.mu.Lock()
	s := r.slot(int32(number))
	if !s.closed.Load() {
		if r.Workers() <= max(1, r.config.MinWorkers) {
			r.mu.Unlock()
			return false
		}
		r.closePlace(s, &fx)
		r.resized()
		r.rouse(&fx)
	}
	s.leaving = true
	var doomed []*Task
	r.queue.ownOf(number).each(func(_ int, l *queueList) {
		doomed = append(doomed, l.all()...)
	})
	r.unlock(&fx)
	settle(doomed, messages.Failed, fmt.Errorf("%s was stopped: %w", r.WorkerName(number), failure))
	r.recheckWaits()
	return true
}

// isLeaving reports whether a worker that fails need not be restarted, since its place
// is closed.
//
// Model: isLeaving.
func (r *Router) isLeaving(number int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.slot(int32(number))
	return s.closed.Load() && r.queue.ownOf(number).length() == 0
}

// vacated is told that a worker is gone, and reports whether another one shall come
// at once: it has not left by itself. Otherwise one comes when it is needed.
//
// Model: vacated.
func (r *Router) vacated(number int) (replace bool) {
	var fx effects
	r.mu.Lock()
	s := r.slot(int32(number))
	if !s.leaving && !s.closed.Load() {
		r.mu.Unlock()
		return true
	}
	s.started, s.leaving, s.out = false, false, true
	if r.notAbandoned(s) {
		r.relieveAll(&fx)
	}
	if s.initialized {
		s.initialized = false
		if !s.closed.Load() {
			r.initialized--
		}
	}
	r.unstarted = min(r.unstarted, number)
	switch {
	case !s.closed.Load() && (s.rehired || r.readying > 0) && r.state != terminated && r.broken == nil:
		s.rehired = false
		r.start(s, &fx)
	case r.queue.ownOf(number).length() > 0:
		r.rouseWorker(number, &fx)
	}
	r.rouse(&fx)
	r.unlock(&fx)
	return false
}

// gone is told that a worker is gone, and that none comes in its place, for the pool is
// broken or stops. 0: it was no worker.
func (r *Router) gone(number int) {
	if number > 0 {
		r.mu.Lock()
		s := r.slot(int32(number))
		s.started = false
		r.notAbandoned(s)
		r.mu.Unlock()
	}
}

// notAbandoned takes down that the worker of a place is gone, and reports whether it was
// one that was replaced.
func (r *Router) notAbandoned(s *slot) (was bool) {
	if was = s.abandoned; was {
		s.abandoned = false
		r.replaced--
	}
	return was
}

// growers are the maps and streams under way that can use more workers.
func (r *Router) growers() (bodies []grower) {
	add := func(t *Task) {
		if body, ok := t.body.(grower); ok {
			bodies = append(bodies, body)
		}
	}
	for _, t := range r.roots.inOrder() {
		add(t)
	}
	for _, s := range r.all() {
		if s.lentTo != nil {
			add(s.lentTo)
		}
	}
	return bodies
}

// recheckWaits looks for deadlocks among the tasks that run, after workers on which
// they might have counted have been taken away, or what has left the queue has made no
// room there.
func (r *Router) recheckWaits() {
	if waitGraph.isEmpty() {
		return
	}
	r.mu.Lock()
	tasks := append(r.runningLocked(), r.beside.inOrder()...)
	r.mu.Unlock()
	waitGraph.recheck(tasks)
}
