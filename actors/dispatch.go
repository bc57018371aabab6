package actors

import "time"

// This file is the router's side towards the workers: who takes which tasks, who
// is idle, and who is woken.
//
// What holds whenever the lock is free: if there is a task in the line, or one in
// a batch that its worker has not begun, and a worker is idle, then a worker is
// coming: one that was woken, or one that looks again before it sleeps. A worker
// that comes takes what there is, from the line or else half of what another
// worker has not begun, and wakes the next one if something is left. So a long
// task holds back nothing that stands behind it in a batch, and no more than one
// worker is being woken at a time: when the tasks are short, the first one has
// done them before a second one would have come.

// Between these times for a task, batches stay as they are; below they double,
// above they shrink to one task. Only a batch that left others in the line is
// timed: there is nothing to gain for one that took them all. A batch of 5 µs tasks is worth 300 µs, which is
// what waking a worker to take its rest may cost.
const (
	shortTask = time.Microsecond
	longTask  = 5 * time.Microsecond
)

// installed gives a worker's place the mailbox through which it is woken.
func (r *Router) installed(number int, box *mailbox) {
	r.mu.Lock()
	r.slots[number].box = box
	r.slots[number].started = true // by whomever
	r.slots[number].failing = false
	r.mu.Unlock()
}

// next returns what a worker that is free shall run, a batch of which it has
// begun the first place, or nil; then the worker is idle and will be woken. If it
// may linger and no other worker is coming, it is not idle yet: then again is
// true, and it is this worker that is coming, so it must call next again soon.
func (r *Router) next(number int, mayLinger bool) (b *batch, again bool) {
	var fx effects
	r.mu.Lock()
	s := &r.slots[number]
	r.arrived(s)
	s.out = false
	r.idle.remove(s) // it is awake, whether somebody woke it for a task or for a message
	switch b = r.nextBatch(s); {
	case b != nil:
		r.rouse(&fx)
	case s.lent != nil || s.failing: // it is not idle, and if it was to come, another one must
		r.rouse(&fx)
	case mayLinger && r.coming == 0 && r.state == open:
		s.coming = true
		r.coming++
		r.lingering = s
		again = true
	default:
		r.idle.push(s)
	}
	r.admit(&fx)
	r.checkDrained(&fx)
	r.unlock(&fx)
	return b, again
}

// arrived takes down what a worker has to report.
func (r *Router) arrived(s *slot) {
	if s.lent == nil {
		r.report(s)
	}
	if b := s.batch; b != nil && b.ran > 0 {
		r.measure(b.ran, b.took)
		b.ran = 0
	}
	r.expected(s)
}

// report counts what has ended in a place.
func (r *Router) report(s *slot) {
	r.outstanding -= s.ended
	s.ended = 0
}

// expected ends the wait for a worker that was woken or started, if it was.
func (r *Router) expected(s *slot) {
	if s.coming {
		s.coming = false
		r.coming--
		r.lingering = nil
	}
	if s.starting {
		s.starting = false
		r.starting--
	}
}

// nextBatch finds the worker something to do.
func (r *Router) nextBatch(s *slot) *batch {
	if b := s.batch; b != nil {
		if first, ok := b.begin(); ok { // it was interrupted by a message
			b.first = first
			return b
		}
		r.drop(s)
	}
	if s.lent != nil || s.failing {
		return nil
	}
	b := r.fromQueue(s)
	if b == nil {
		b = r.overtake()
	}
	if b == nil {
		b = r.line.take(r.size)
	}
	if b == nil {
		b = r.steal()
	}
	if b == nil {
		return nil
	}
	b.first, _ = b.current()
	s.batch, b.timed = b, r.line.length > 0 && r.mayBatch
	r.active++
	r.loaned += b.loan
	if b.loan > 0 {
		r.sharing.push(s)
	}
	return b
}

// drop ends a batch that its worker is through with.
func (r *Router) drop(s *slot) {
	b := s.batch
	s.batch = nil
	r.active--
	r.loaned -= b.loan
	r.sharing.remove(s)
	r.line.retire(b)
}

// fromQueue takes a task that is not in the line, if its turn has come.
func (r *Router) fromQueue(s *slot) *batch {
	t := r.queue.next(int(s.number))
	if t == nil || r.line.length > 0 && t.linked().order > r.line.taken()+1 {
		return nil
	}
	r.queue.take(t)
	b := r.line.fresh()
	b.of[0] = queued{task: t}
	b.hand(0, 1)
	return b
}

// overtake takes over from a worker that is kept by the task it is at: what stands
// behind that was submitted before everything in the line.
func (r *Router) overtake() *batch {
	looks := 0
	for s := r.sharing.head; s != nil && looks < maxOvertakeLooks; s = s.next {
		if looks++; s.batch.rest() > 0 && s.batch.stands() {
			return r.share(s.batch)
		}
	}
	return nil
}

// maxOvertakeLooks bounds how many workers are looked at; it is many only if many
// have short tasks, and then hardly any is kept by one.
const maxOvertakeLooks = 16

// steal takes half of what another worker has not begun.
func (r *Router) steal() *batch {
	for s := r.sharing.head; s != nil; s = r.sharing.head {
		if b := r.share(s.batch); b != nil {
			return b
		}
		r.sharing.remove(s)
	}
	return nil
}

// share makes a batch of the earlier half of what has not been begun of another,
// or returns nil.
func (r *Router) share(from *batch) *batch {
	rest := from.rest()
	if rest == 0 {
		return nil
	}
	b := r.line.fresh()
	places := from.cutFront((rest+1)/2, b.of[:0])
	if len(places) == 0 {
		r.line.retire(b)
		return nil
	}
	b.hand(0, len(places))
	return b
}

// measure adapts the size of batches to how long n tasks took.
func (r *Router) measure(n int, took time.Duration) {
	switch each := took / time.Duration(n); {
	case each > longTask:
		r.size = 1
	case each < shortTask:
		r.size = min(2*r.size, batchSize)
	}
}

// pass is told by a worker that it has come to a place at which there is nothing
// to run: what stood there was taken back, or run by somebody else.
func (r *Router) pass(q queued) {
	var fx effects
	r.mu.Lock()
	switch t := q.task; {
	case t == nil || !t.pinned():
		r.uncounted--
	case t.outside: // it runs elsewhere and keeps its key meanwhile
	case r.queue.release(t):
		r.rouse(&fx)
	}
	r.unlock(&fx)
}

// pinned reports whether t waited in the queue and not in the line.
func (t *Task) pinned() bool {
	l := t.hasLinks()
	return l != nil && l.order > 0
}

// releaseKey lets the next task with the key of t go ahead.
func (r *Router) releaseKey(t *Task) {
	var fx effects
	r.mu.Lock()
	if r.queue.release(t) {
		r.rouse(&fx)
	}
	r.unlock(&fx)
}

// finished is told when the place of a task is free that had a key, or that did
// not run on a worker of its own.
func (r *Router) finished(t *Task) {
	var fx effects
	r.mu.Lock()
	delete(r.beside, t)
	if r.queue.release(t) {
		r.rouse(&fx)
	}
	r.admit(&fx)
	r.unlock(&fx)
}

// OthersWait reports whether more tasks than the given number wait that the
// worker on which t runs could take. A long task that can be split makes room
// for them; the number is that of its own pieces among them.
func (t *Task) OthersWait(own int) bool {
	r := t.router
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := r.line.length + r.queue.shared.length + r.queue.ownOf(int(t.place)).length
	if b := r.slots[t.place].batch; b != nil {
		waiting += b.rest()
	}
	return waiting > own
}

// withdraw takes a worker that fails or stops out of the company: others take
// what it has not begun, and another one is woken if it had been. A worker that
// has been replaced has no place there.
func (r *Router) withdraw(box *mailbox) {
	var fx effects
	r.mu.Lock()
	if s := &r.slots[box.number]; s.box == box {
		r.idle.remove(s)
		r.arrived(s)
		s.out, s.failing = true, false
		if s.batch != nil {
			r.takeBack(s)
			r.drop(s)
		}
	}
	r.rouse(&fx)
	r.admit(&fx)
	r.checkDrained(&fx)
	r.unlock(&fx)
}

// takeBack puts what a worker has not begun in front of the line.
func (r *Router) takeBack(s *slot) {
	if places := s.batch.cut(batchSize); len(places) > 0 {
		r.line.pushFront(places)
		clear(places)
	}
	r.sharing.remove(s)
}

// gather puts everything that has not begun into the line.
func (r *Router) gather() {
	for s := r.sharing.head; s != nil; s = r.sharing.head {
		r.takeBack(s)
	}
}

// rouse sees to it that a worker comes for what any may take.
func (r *Router) rouse(fx *effects) {
	if r.coming > 0 || !r.waits() {
		return
	}
	if s := r.idle.head; s != nil {
		s.coming = true
		r.coming++
		r.wake(s, fx)
		return
	}
	if r.starting > 0 && r.starting >= r.line.length+r.queue.shared.length {
		return
	}
	for ; r.unstarted < len(r.slots); r.unstarted++ {
		if s := &r.slots[r.unstarted]; !s.started {
			s.starting = true
			r.starting++
			r.start(s, fx)
			return
		}
	}
}

// waits reports whether there is something that any worker may take.
func (r *Router) waits() bool {
	if r.line.length > 0 || r.queue.shared.head != nil {
		return true
	}
	for s := r.sharing.head; s != nil; s = r.sharing.head {
		if s.batch.rest() > 0 {
			return true
		}
		r.sharing.remove(s)
	}
	return false
}

func (r *Router) wake(s *slot, fx *effects) {
	r.idle.remove(s)
	if fx.wake == nil {
		fx.wake = s.box
	} else {
		fx.wakeToo = append(fx.wakeToo, s.box)
	}
}

// rouseWorker sees to it that one certain worker comes.
func (r *Router) rouseWorker(number int, fx *effects) {
	s := &r.slots[number]
	switch {
	case s.in == &r.idle:
		r.wake(s, fx)
	case !s.started:
		r.start(s, fx)
	}
}

func (r *Router) start(s *slot, fx *effects) {
	s.started = true
	fx.start = append(fx.start, int(s.number))
}

// StartAll starts the workers that have not been needed so far.
func (r *Router) StartAll() {
	var fx effects
	r.mu.Lock()
	for ; r.unstarted < len(r.slots); r.unstarted++ {
		if s := &r.slots[r.unstarted]; !s.started {
			r.start(s, &fx)
		}
	}
	r.unlock(&fx)
}

// remove is told that a task was decided while it waited.
func (r *Router) remove(t *Task) {
	var fx effects
	r.mu.Lock()
	r.leftPlace(t, &fx)
	r.admit(&fx)
	r.unlock(&fx)
}

// leftPlace accounts for a task that no longer waits though its place is there.
// Many such places are worth a walk along the line.
func (r *Router) leftPlace(t *Task, fx *effects) {
	l := t.hasLinks()
	switch {
	case l != nil && l.in != nil:
		r.queue.take(t)
		if r.queue.release(t) {
			r.rouse(fx)
		}
	case l != nil && l.order > 0: // a worker has it in its batch and passes over it
	case l != nil && l.held:
		r.forgetHeld(t)
	case !t.exempt:
		if r.uncounted++; r.uncounted > manyHoles && 2*r.uncounted > r.line.length {
			r.uncounted -= r.line.compact()
		}
	}
}

// manyHoles is how many places at which nothing waits are not worth a walk.
const manyHoles = 64

// ClaimFor claims t, or what has to run before it, for a task that waits for it
// on the given worker.
func (r *Router) ClaimFor(t *Task, worker int, nudge *Nudge) *Task {
	if t.phase() != stateQueued {
		return nil
	}
	var fx effects
	r.mu.Lock()
	defer r.unlock(&fx)
	if t.fixed > 0 && int(t.fixed) != worker {
		return nil
	}
	if c := t.chained(); c != nil && c.holder != t {
		if !c.holder.isLinked() {
			if nudge != nil {
				c.nudges = append(c.nudges, nudge)
			}
			return nil
		}
		t = c.holder
	}
	if !t.claim() {
		nudge.give() // what t held back may be free now
		return nil
	}
	t.outside = true
	if t.isLinked() {
		r.queue.take(t)
	} else if !t.pinned() && !t.exempt {
		r.uncounted++
	}
	r.beside[t] = struct{}{}
	r.admit(&fx)
	return t
}

// holders are the running tasks of which one must go on before t, which waits
// in the queue, can start. None if a worker is free for it, or may be soon.
func (r *Router) holders(t *Task) []*Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := t.chained(); c != nil && c.holder != t {
		if !c.holder.isLinked() {
			return []*Task{c.holder}
		}
		t = c.holder
	}
	if assigned := t.assignedWorker(); assigned > 0 {
		if holder := r.slots[assigned].running(); holder != nil {
			return []*Task{holder}
		}
		return nil
	}
	return r.holdersOfAll()
}

// holdersOfAll are the tasks that keep all workers. None if a worker is free, is
// between two tasks, or has a function of which nobody can know what it waits for.
func (r *Router) holdersOfAll() []*Task {
	if r.active < r.config.Workers {
		return nil
	}
	tasks := make([]*Task, 0, r.active)
	for i := range r.slots[1:] {
		holder := r.slots[i+1].running()
		if holder == nil {
			return nil
		}
		tasks = append(tasks, holder)
	}
	return tasks
}

func (t *Task) assignedWorker() int {
	if l := t.hasLinks(); l != nil {
		return l.assigned
	}
	return 0
}

// running is the task that occupies the place, or nil.
func (s *slot) running() *Task {
	t := s.lent
	if t == nil && s.batch != nil {
		at, _ := s.batch.current()
		t = at.task
	}
	if t == nil || t.outside || !t.hasPlace() {
		return nil
	}
	return t
}

// busy counts the workers that are not about to ask for something to do. One that
// is at a place where there is nothing to run counts, too, until it goes on: the
// place is not counted among those that wait.
func (r *Router) busy() (n int) {
	for i := range r.slots {
		s := &r.slots[i]
		if s.lent != nil {
			if s.lent.hasPlace() {
				n++
			}
		} else if s.batch != nil {
			at, ok := s.batch.current()
			if ok && (at.task == nil || at.task.outside || at.task.hasPlace()) {
				n++
			}
		}
	}
	return n
}

// runningLocked lists the tasks that occupy workers.
func (r *Router) runningLocked() []*Task {
	var tasks []*Task
	for i := range r.slots {
		if t := r.slots[i].running(); t != nil {
			tasks = append(tasks, t)
		}
	}
	return tasks
}
