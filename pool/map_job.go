package pool

import (
	"context"
	"slices"
	"sync"

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
	mode     mapMode
	failFast bool
	size     int // of a chunk
	length   int

	first  mapRunner[T, R] // if pinned, unused
	claims claims

	mu         sync.Mutex
	fn         func(context.Context, T) (R, error) // these three are nil once the map has ended
	items      []T
	out        []R
	runners    []*mapRunner[T, R] // those that have failed excepted
	started    int                // runners that have been queued or lent a place, those lost excepted
	onTheWay   int                // of those, the ones that have not come to take a chunk
	unreported int                // chunks whose end no runner has reported
	partial    []int              // the items at which chunks ended early
	failed     error              // the error that came first
	over       bool
}

// add makes a runner one of the map. first is one that is queued for the map.
func (j *mapJob[T, R]) add(m *mapRunner[T, R], first bool) {
	m.job = j
	options := actors.TaskOptions{Name: j.Name(), Worker: m.own, Internal: true, Exempt: !first, WaiterCancels: true}
	if first {
		options.Root = &j.task
	}
	m.task.Init(j.task.Router(), m, j.task.Context(), options)
	j.mu.Lock()
	j.runners = append(j.runners, m)
	j.mu.Unlock()
}

// join gives the runner what it needs, and its first chunk; none when all have
// been taken. If some are left and no other runner is on its way to them, it queues
// one: the next comes when that one has joined.
func (j *mapJob[T, R]) join(m *mapRunner[T, R]) (w mapWork[T, R], chunk int, ok bool) {
	j.mu.Lock()
	if m.onTheWay {
		m.onTheWay = false
		j.onTheWay--
	}
	switch {
	case j.over:
	case m.own > 0:
		chunk, ok = m.own-1, !m.had
	default:
		chunk, ok = j.claims.begin()
	}
	m.busy, m.had = ok, ok || m.had
	w = mapWork[T, R]{j.fn, j.items, j.out}
	another := ok && j.wantsRunner()
	j.mu.Unlock()
	if another {
		j.enqueue()
	}
	return w, chunk, ok
}

// wantsRunner counts one more runner if it is needed. Called with mu held; the
// caller then queues it.
func (j *mapJob[T, R]) wantsRunner() bool {
	if j.over || j.onTheWay > 0 || j.claims.left() == 0 || j.started == j.task.Router().Workers() {
		return false
	}
	j.started++
	j.onTheWay++
	return true
}

// enqueue queues a runner, which is counted already.
func (j *mapJob[T, R]) enqueue() {
	m := &mapRunner[T, R]{counted: true, onTheWay: true}
	j.add(m, false)
	j.task.Router().SubmitPiece(&m.task, &j.task)
}

// endedEarly takes down that a chunk has ended at an item, which has no result.
func (j *mapJob[T, R]) endedEarly(at int, err error) {
	j.mu.Lock()
	if !j.over {
		j.partial = append(j.partial, at)
		if j.failed == nil {
			j.failed = err
		}
	}
	j.mu.Unlock()
}

// leave is told of a runner that has nothing left to take, or that fails. The last
// one ends the map.
func (j *mapJob[T, R]) leave(m *mapRunner[T, R]) {
	j.mu.Lock()
	m.busy = false
	out, last := j.out, j.reportLocked(m.ended)
	j.mu.Unlock()
	if last {
		j.complete(m, out)
	}
}

// reportLocked takes down that n chunks have ended, and reports whether they were
// the last ones.
func (j *mapJob[T, R]) reportLocked(n int) (last bool) {
	j.unreported -= n
	return j.unreported == 0 && n > 0
}

// complete ends the map after its last chunk. m is the runner that reported it, or
// nil. Nobody writes failed or partial any more.
func (j *mapJob[T, R]) complete(m *mapRunner[T, R], out []R) {
	outcome, err := Succeeded, error(nil)
	if j.failed != nil {
		outcome, err = Cancelled, &MapError{j.failed, j.whichCompleted()}
		if j.failed != ErrCancelled {
			outcome, err = j.task.Returned(err)
		}
	}
	if !j.task.DecideLate() {
		return // whoever ended the map copies from it
	}
	j.value, j.pool = out, nil
	lent := m != nil && m.lent
	if lent {
		m.task.ConcludeMap(&j.task, outcome, err)
	} else {
		j.task.Announce(outcome, err)
	}
	for _, other := range j.forget() {
		if other == m || lent && other.beside { // the end of the loan takes care of that one
			continue
		}
		other.task.Settle(messages.Succeeded, nil) // out of the queue, if it has not started
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
	j.runners = slices.DeleteFunc(j.runners, func(other *mapRunner[T, R]) bool { return other == m })
}

// replace queues a runner for one that was lost.
func (j *mapJob[T, R]) replace(lost *mapRunner[T, R]) {
	j.mu.Lock()
	if lost.counted {
		j.started--
	}
	another := j.wantsRunner()
	j.mu.Unlock()
	if another {
		j.enqueue()
	}
}
