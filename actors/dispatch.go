package actors

import "time"

// This file is the router's side towards the workers: who takes which tasks, who
// is idle, and who is woken.
//
// What holds whenever the lock is free: if there is a task in the line, or one in the
// queue that any worker may take, or one in a batch that its worker has not begun, and
// a worker is idle, then a worker is coming: one that was woken, or one that looks
// again before it sleeps. A worker that comes takes what there is, from the queue or the
// line or else half of what another worker has not begun, and wakes the next one if
// something is left. So a long task holds back nothing that stands behind it in a batch,
// and no more than one worker is being woken at a time: when the tasks are short, the
// first one has done them before a second one would have come.

// installed gives a worker's place the mailbox through which it is woken. Called
// before the worker is spawned.
//
// Model: replace.
func (r *Router) installed(number int, box *mailbox) {
	r.mu.Lock()
	s := r.slot(int32(number))
	s.box, s.started, s.failing = box, true, false // started by whomever
	r.mu.Unlock()
}

// next returns what a worker that is free shall run, a batch of which it has
// begun the first place, or nil; then it says what the worker shall do. If it may
// linger and no other worker is coming, it is not idle yet: it is this worker that is
// coming.
//
// Model: next.
func (r *Router) next(number int, mayLinger bool) (b *batch, otherwise step) {
	var fx effects
	r.mu.Lock()
	s := r.slot(int32(number))
	if !s.initialized {
		r.initializedWorker(s)
	}
	r.arrived(s)
	s.out = false
	r.idle.remove(s) // it is awake, whether somebody woke it for a task or for a message
	switch b = r.nextBatch(s, &fx); {
	case b != nil:
		s.leaving, s.rehired = false, false
		r.rouse(&fx)
	case s.lent != nil || s.failing: // it is not idle, and if it was to come, another one must
		r.rouse(&fx)
	case s.leaving || s.closed.Load(): // if it was to come, another one must
		s.leaving = true // Model: leaves.
		otherwise = leave
		r.rouse(&fx)
	case mayLinger && r.coming == 0 && r.state == open:
		s.coming = true // Model: linger.
		r.coming++
		r.lingering = s
		otherwise = lookAgain
	default:
		r.park(s)
	}
	r.admit(&fx)
	r.checkDrained(&fx)
	r.unlock(&fx)
	return b, otherwise
}

// step is what a worker does that finds nothing to do.
type step uint8

const (
	sleep     step = iota // it is idle, or will be called
	lookAgain             // soon: it is the one that is coming
	leave                 // it stops
)

// arrived takes down what a worker has to report.
//
// Model: arrived.
func (r *Router) arrived(s *slot) {
	if s.lent == nil {
		r.report(s)
	}
	if b := s.batch; b != nil && b.ran > 0 {
		r.measure(int(b.ran), b.took)
		b.ran = 0
		r.noteAge(b.ended)
	} else if !r.plain && r.queue.length > 0 {
		r.noteAge(sinceStart())
	}
	r.expected(s)
}

// report counts what has ended in a place.
func (r *Router) report(s *slot) {
	if s.ended > 0 {
		r.settle(s.ended)
		s.ended = 0
	}
}

// expected ends the wait for a worker that was woken or started, if it was.
//
// Model: expected.
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
func (r *Router) nextBatch(s *slot, fx *effects) *batch {
	if b := s.batch; b != nil {
		if first, ok := b.begin(); ok { // it was interrupted by a message
			b.first = first
			return b
		}
		r.drop(s)
	}
	if s.lent != nil || s.failing || r.paused.Load() {
		return nil
	}
	b := r.find(s, fx)
	if b == nil {
		return nil
	}
	b.first, _ = b.current()
	s.batch, b.timed = b, r.line.length > 0 && r.mayBatch
	r.occupy(s, 1)
	r.loaned += b.loan
	if b.loan > 0 {
		r.sharing.push(s)
	}
	return b
}

// find takes what the worker of a place may take.
//
// Model: find.
func (r *Router) find(s *slot, fx *effects) *batch {
	t := r.candidate(s)
	if r.codel.isOn() {
		t = r.shed(s, t, fx)
	}
	n := r.size
	if t != nil {
		ahead := r.ahead(t)
		if ahead == 0 || s.closed.Load() {
			return r.fromQueue(t)
		}
		n = min(n, ahead)
	}
	if s.closed.Load() {
		return nil
	}
	if b := r.overtake(); b != nil {
		return b
	}
	if b := r.line.take(n); b != nil {
		return b
	}
	return r.steal()
}

// drop ends a batch that its worker is through with.
//
// Model: drop.
func (r *Router) drop(s *slot) {
	b := s.batch
	s.batch = nil
	r.occupy(s, -1)
	r.loaned -= b.loan
	r.sharing.remove(s)
	r.line.retire(b)
}

// fromQueue takes a task that is not in the line.
func (r *Router) fromQueue(t *Task) *batch {
	r.queue.take(t)
	b := r.line.freshFor(1)
	b.of[0] = queued{task: t}
	b.hand(0, 1)
	return b
}

// ahead is how many places of the line come before a task in the queue.
func (r *Router) ahead(t *Task) int {
	after, taken := t.linked().after, r.line.taken()
	if after <= taken {
		return 0
	}
	return min(int(after-taken), r.line.length)
}

// candidate is the task in the queue that the worker of a place would take.
func (r *Router) candidate(s *slot) *Task {
	if s.closed.Load() {
		return r.queue.nextOwn(int(s.number))
	}
	return r.queue.next(int(s.number))
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
//
// Model: steal.
func (r *Router) share(from *batch) *batch {
	rest := from.rest()
	if rest == 0 {
		return nil
	}
	n := (rest + 1) / 2
	b := r.line.freshFor(n)
	places := from.cutFront(n, b.of[:0])
	if len(places) == 0 {
		r.line.retire(b)
		return nil
	}
	b.hand(0, len(places))
	return b
}

// measure adapts the size of batches to how long n tasks took. Only a batch that
// left others in the line is timed: there is nothing to gain for one that took them
// all.
func (r *Router) measure(n int, took time.Duration) {
	r.size = AdaptSize(r.size, batchSize, took/time.Duration(n))
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
	default:
		r.release(t, &fx)
	}
	r.unlock(&fx)
}

// passExempt is pass for a task that runs, but was never counted.
func (r *Router) passExempt(t *Task) {
	r.mu.Lock()
	if !t.pinned() {
		r.uncounted--
	}
	r.mu.Unlock()
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
	r.release(t, &fx)
	r.unlock(&fx)
}

// release lets the next task with the key of t go ahead, if t held it back. Those that
// wait for that one depend on the workers now, and no longer on t.
func (r *Router) release(t *Task, fx *effects) {
	if next := r.queue.release(t); next != nil {
		r.rouse(fx)
		if !r.hasFree() { // most often there is the worker on which t ran
			fx.filed = next
		}
	}
}

// KeepKey has what has the same key wait when t has given its place back, until another
// task resumes it, or DropKey.
func (t *Task) KeepKey() {
	if t.key() == "" {
		return
	}
	t.router.mu.Lock()
	t.linked().keepsKey = true
	t.router.mu.Unlock()
}

// DropKey ends what KeepKey began.
func (t *Task) DropKey() {
	if t.key() == "" {
		return
	}
	t.router.mu.Lock()
	t.linked().keepsKey = false
	t.router.mu.Unlock()
	t.router.releaseKey(t)
}

// finished is told when the place of a task is free that had a key, or that did
// not run on a worker of its own.
func (r *Router) finished(t *Task) {
	var fx effects
	r.mu.Lock()
	r.beside.remove(t)
	r.release(t, &fx)
	r.admit(&fx)
	r.unlock(&fx)
}

// OthersWait reports whether more tasks than the given number wait that the
// worker on which t runs could take. A long task that can be split makes room
// for them; the number is that of its own pieces among them.
func (t *Task) OthersWait(own int) bool {
	r := t.router
	if t.IsHeldUp() { // then it waits itself
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := r.line.length + r.queue.shared.length() + r.queue.ownOf(int(t.place)).length()
	if b := r.slot(t.place).batch; b != nil {
		waiting += b.rest()
	}
	return waiting > own
}

// withdraw takes a worker that fails or stops out of the company: others take
// what it has not begun, and another one is woken if it had been. A worker that
// has been replaced has no place there.
//
// Model: withdraw.
func (r *Router) withdraw(box *mailbox) {
	var fx effects
	r.mu.Lock()
	if s := r.slot(int32(box.number)); s.box == box {
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
//
// Model: takeBack.
func (r *Router) takeBack(s *slot) {
	if places := s.batch.cut(batchSize); len(places) > 0 {
		r.line.pushFront(places)
		clear(places)
	}
	r.sharing.remove(s)
}

// gather puts everything that has not begun into the line.
//
// Model: gather.
func (r *Router) gather() {
	for s := r.sharing.head; s != nil; s = r.sharing.head {
		r.takeBack(s)
	}
}
