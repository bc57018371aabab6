package pool

import (
	"sync"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// mapJob is a map under way. Its task is the root: it is never queued. Runners
// are; each takes chunk after chunk until there are no more.
//
// A runner takes two locks, whatever the number of chunks: one when it joins and
// one when it has nothing left to take. Between them it needs no lock, unless an
// item fails.
type mapJob[T, R any] struct {
	AsyncResult[[]R]

	// Set before submission, not changed after.
	pinned   bool // each chunk has a worker of its own
	failFast bool
	size     int // of a chunk
	length   int

	// over is set, with mu held, when the map has an outcome. Runners read it
	// before each item; until then nobody writes to what is near it. It says what
	// the root's state says, but that would be a function call for each item: what
	// belongs to package actors is not inlined into the packages of users, in
	// which the loop is compiled.
	over atomic.Bool

	first mapRunner[T, R] // if pinned, unused

	mu         sync.Mutex
	work       mapWork[T, R]    // empty once the map has ended
	runners    *mapRunner[T, R] // the latest; see mapRunner.next
	started    int              // runners that have been queued or lent a place, those lost excepted
	onTheWay   int              // of those, the ones that have not come to take a chunk
	unreported int              // chunks whose end no runner has reported
	trouble    *mapTrouble      // nil as long as every chunk ended in full

	claims claims // behind everything that runners touch for each item
}

// mapTrouble is what a map has to remember of chunks that did not end in full.
// Guarded by the mutex of the map.
type mapTrouble struct {
	first error // nil if only the end of the map has kept chunks from their end
	early []int // the items at which chunks ended
}

// error is the first error, or nil.
func (t *mapTrouble) error() error {
	if t == nil {
		return nil
	}
	return t.first
}

// add makes a runner one of the map. first is one that is queued for the map.
// Called with mu held, or before the map is submitted.
func (j *mapJob[T, R]) add(m *mapRunner[T, R], first bool) { j.addOn(0, m, first) }

// addOn is add for a runner that only one worker may run (0: any).
func (j *mapJob[T, R]) addOn(worker int, m *mapRunner[T, R], first bool) {
	m.job = j
	options := actors.TaskOptions{Name: j.Name(), Worker: worker, Internal: true, Exempt: !first, WaiterCancels: true}
	if first {
		options.Root = &j.task
	}
	m.task.Init(j.task.Router(), m, j.task.Context(), options)
	m.next, j.runners = j.runners, m
}

// all are the runners, the latest first. Called with mu held.
func (j *mapJob[T, R]) all(yield func(*mapRunner[T, R]) bool) {
	for m := j.runners; m != nil && yield(m); m = m.next {
	}
}

// remove takes a runner out of the list. Called with mu held.
func (j *mapJob[T, R]) remove(lost *mapRunner[T, R]) {
	for at := &j.runners; *at != nil; at = &(*at).next {
		if *at == lost {
			*at = lost.next
			return
		}
	}
}

// join gives the runner what it needs, and its first chunk; none when all have
// been taken. If some are left and no other runner is on its way to them, it queues
// one: the next comes when that one has joined.
func (j *mapJob[T, R]) join(m *mapRunner[T, R], w *mapWork[T, R]) (chunk int, ok bool) {
	j.mu.Lock()
	if m.onTheWay {
		m.onTheWay = false
		j.onTheWay--
	}
	switch {
	case j.over.Load():
	case m.own > 0:
		chunk, ok = m.own-1, !m.had
	default:
		chunk, ok = j.claims.begin()
	}
	m.busy, m.had = ok, ok || m.had
	*w = j.work
	var another *mapRunner[T, R]
	if ok {
		another = j.another()
	}
	j.mu.Unlock()
	j.enqueue(another)
	return chunk, ok
}

// another makes one more runner if it is needed, or returns nil. Called with mu
// held; the caller then enqueues it.
func (j *mapJob[T, R]) another() *mapRunner[T, R] {
	if j.over.Load() || j.onTheWay > 0 || j.claims.left() == 0 || j.started >= j.task.Router().Workers() {
		return nil
	}
	m := &mapRunner[T, R]{counted: true, onTheWay: true}
	j.started++
	j.onTheWay++
	j.add(m, false)
	return m
}

func (j *mapJob[T, R]) enqueue(m *mapRunner[T, R]) {
	if m != nil {
		j.task.Router().SubmitPiece(&m.task)
	}
}

// Grown has another runner come for the workers that the pool has got; that one has the
// next come.
func (j *mapJob[T, R]) Grown() {
	j.mu.Lock()
	another := j.another()
	j.mu.Unlock()
	j.enqueue(another)
}

// endedEarly takes down that a chunk has ended at an item, which has no result.
func (j *mapJob[T, R]) endedEarly(at int, err error) {
	j.mu.Lock()
	j.troubled(err)
	j.trouble.early = append(j.trouble.early, at)
	j.mu.Unlock()
}

// troubled takes down an error. The first one counts. Called with mu held.
func (j *mapJob[T, R]) troubled(err error) {
	if j.trouble == nil {
		j.trouble = new(mapTrouble)
	}
	if j.trouble.first == nil {
		j.trouble.first = err
	}
}

// leave is told of a runner that has nothing left to take, or that fails. The last
// one ends the map.
func (j *mapJob[T, R]) leave(m *mapRunner[T, R]) {
	j.mu.Lock()
	m.busy = false
	if j.reported(m.ended) {
		j.completeAndUnlock(m)
	} else {
		j.mu.Unlock()
	}
}

// reported takes down that n chunks have ended, and says whether they were the
// last ones. Called with mu held.
func (j *mapJob[T, R]) reported(n int) (last bool) {
	j.unreported -= n
	return j.unreported == 0 && n > 0 && !j.over.Load()
}

// completeAndUnlock ends the map after its last chunk. m is the runner that
// reported it, or nil. Called with mu held, which it releases.
func (j *mapJob[T, R]) completeAndUnlock(m *mapRunner[T, R]) {
	outcome, err := Succeeded, error(nil)
	if first := j.trouble.error(); first != nil {
		outcome, err = Cancelled, &MapError{first, j.whichCompleted()}
		if first != ErrCancelled {
			j.mu.Unlock()
			outcome, err = j.task.Returned(err) // may call methods of the error
			j.mu.Lock()
		}
	}
	if !j.task.DecideLate() {
		j.mu.Unlock()
		return // whoever ended the map copies from it
	}
	j.value = j.work.out
	others := j.forget()
	j.mu.Unlock()
	lent := m != nil && m.lent
	for other := range others.untied {
		if other != m && !(lent && other.beside) { // the end of the loan takes care of that one
			other.task.Settle(messages.Succeeded, nil) // out of the queue, if it has not started
		}
	}
	if lent {
		m.task.ConcludeMap(&j.task, outcome, err)
	} else {
		j.task.Announce(outcome, err)
	}
}

// fail ends a map that fails fast with the error of an item.
func (j *mapJob[T, R]) fail(err error) {
	if j.failFast && err != nil {
		j.task.Settle(j.task.Returned(err))
	}
}

// lost takes a runner that fails off the books.
func (j *mapJob[T, R]) lost(m *mapRunner[T, R]) {
	j.mu.Lock()
	defer j.mu.Unlock()
	m.busy = false
	j.remove(m)
}

// replace queues a runner for one that was lost, if none is on its way. Who waits for the
// map depends on that one now.
func (j *mapJob[T, R]) replace(lost *mapRunner[T, R]) {
	j.mu.Lock()
	if lost.counted {
		j.started--
	}
	another := j.another()
	next := another
	for m := range j.all {
		if next == nil && m.onTheWay {
			next = m
		}
	}
	j.mu.Unlock()
	j.enqueue(another)
	if next != nil {
		actors.RecheckBehind(&next.task)
	}
}
