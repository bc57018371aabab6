package actors

import (
	"sync"
	"time"
)

// queued is one place in a queue: a task, or a function that nobody waits for.
// If it is neither, it was taken back.
type queued struct {
	task *Task
	fn   func()
}

func (q queued) isHole() bool { return q.task == nil && q.fn == nil }

// isGone reports whether nothing waits at the place any more.
func (q queued) isGone() bool { return q.isHole() || q.task != nil && q.task.phase() != stateQueued }

// counts reports whether the place counts towards the limit of the queue. A task
// that somebody has claimed or decided elsewhere does not.
func (q queued) counts() bool {
	if q.task == nil {
		return q.fn != nil
	}
	return !q.task.exempt && q.task.phase() == stateQueued
}

// batchSize is how many tasks a worker takes at once at the most: 1 KiB of them
// with what is beside. The costs of a batch, two cache lines that change cores and a lock,
// are then a few nanoseconds a task (BenchmarkGo in package pool).
const batchSize = 56

// batch is a run of tasks: first a part of the line, filled from the front; then
// in the hands of one worker, which runs one after another; then empty and spare.
//
// While it is a worker's, the tasks that the worker has not begun can be taken
// back, by whoever holds the router's lock.
//
// It has batchSize places, or a single one: most workers take one task at a time,
// and of those there may be thousands.
type batch struct {
	of     []queued // its places
	claims Claims
	loan   int    // how many it had beyond the first; guarded by router.mu
	timed  bool   // the worker measures how long it takes; set when it is handed over
	ran    int32  // how many places of a timed batch it went through; touched only by it
	first  queued // what the worker is at when it is handed over

	// In the line: next in it, and the part that is filled. Guarded by router.mu.
	next      *batch
	low, high int

	// How long that took, and when the worker was through. Touched only by it.
	took, ended time.Duration

	one [1]queued // the place of a batch that has no more
}

// room is a batch of batchSize places.
type room struct {
	batch
	places [batchSize]queued
}

func newBatch() *batch {
	b := new(room)
	b.of = b.places[:]
	return &b.batch
}

func newSingle() *batch {
	b := new(batch)
	b.of = b.one[:]
	return b
}

// stands reports whether the worker has begun nothing since somebody asked last.
func (b *batch) stands() bool { return b.claims.Stands() }

// begin moves the worker on to its next place and returns it, or false if there
// is none. Only the worker calls it.
func (b *batch) begin() (queued, bool) {
	place, ok := b.claims.Begin()
	if !ok {
		return queued{}, false
	}
	return b.of[place], true
}

// current is the place that the worker is at, or false if it is at the end. Called
// with the router's lock held; the worker may move on at any time.
func (b *batch) current() (queued, bool) {
	place, ok := b.claims.At()
	if !ok {
		return queued{}, false
	}
	return b.of[place], true
}

// rest is how many places the worker has not begun.
func (b *batch) rest() int { return b.claims.Rest() }

// cutFront takes the first n of the places that the worker has not begun, or as
// many as there are, and appends them to dst. Called with the router's lock held.
func (b *batch) cutFront(n int, dst []queued) []queued {
	low, high := b.claims.CutFront(n)
	if low == high {
		return dst
	}
	// What the worker is at must stand before what it begins next; it stays where
	// it was, too, for the worker may be about to read it there.
	places := b.of[low:high]
	dst = append(dst, places...)
	clear(places)
	b.of[high-1] = b.of[low-1]
	return dst
}

// cut takes the last n of the places that the worker has not begun, or as many as
// there are: it returns them and the batch ends before. Called with the router's
// lock held; the caller moves them elsewhere and clears them.
func (b *batch) cut(n int) []queued {
	low, high := b.claims.CutBack(n)
	return b.of[low:high]
}

// line is the queue of the tasks that any worker may take, in the order of
// submission. Guarded by the router's mutex. A task that is decided or claimed
// while it waits keeps its place, which is passed over when its turn comes; so
// nothing in the line has to be searched for.
//
// The last batch in it may be empty, for the next task; none of the others is.
type line struct {
	head, tail *batch
	length     int    // places, all kinds
	pushed     uint64 // ever, those excepted that were taken out again without a worker

	// Empty batches, so that a busy pool allocates none.
	spare, singles       *batch
	spares, spareSingles int
}

// These bound what an idle pool keeps: 5 KiB, with the batch that is left in the
// line. What more a pool has had is where all pools find it, until the second
// garbage collection from then.
const (
	maxSpares  = 3
	maxSingles = 8
)

var moreSpares, moreSingles sync.Pool

// taken is how many places have ever been taken from the line.
func (l *line) taken() uint64 { return l.pushed - uint64(l.length) }

func (l *line) push(q queued) {
	b := l.tail
	if b == nil || b.high == batchSize {
		b = l.append()
	}
	b.of[b.high] = q
	b.high++
	l.length++
	l.pushed++
}

func (l *line) append() *batch {
	b := l.fresh()
	if l.tail == nil {
		l.head = b
	} else {
		l.tail.next = b
	}
	l.tail = b
	return b
}

// pushFront puts places back that were taken, in front of all others.
func (l *line) pushFront(places []queued) {
	b := l.fresh()
	b.high = copy(b.of[:], places)
	b.next = l.head
	l.head = b
	if l.tail == nil {
		l.tail = b
	}
	l.length += len(places)
}

// unpush takes the last place back if t stands there and it can be done without a
// search, as it can while hardly anything waits. It reports whether it did.
func (l *line) unpush(t *Task) bool {
	b := l.tail
	if b == nil || b.low == b.high || b.of[b.high-1].task != t || b.high-1 == b.low && b != l.head {
		return false
	}
	b.high--
	b.of[b.high] = queued{}
	l.length--
	l.pushed--
	if b.low == b.high {
		b.low, b.high = 0, 0
	}
	return true
}

// take gives up to n places to a worker, which has begun the first. It returns
// nil if there are none.
//
// Model: take.
func (l *line) take(n int) *batch {
	if l.length == 0 {
		return nil
	}
	b := l.head
	filled := b.high - b.low
	if n >= filled && filled > 1 {
		l.removeHead()
		l.length -= filled
		b.hand(b.low, b.high)
		return b
	}
	n = min(n, filled)
	part := l.freshFor(n)
	copy(part.of, b.of[b.low:b.low+n])
	clear(b.of[b.low : b.low+n])
	b.low += n
	l.length -= n
	if b.low == b.high {
		l.emptied(b)
	}
	part.hand(0, n)
	return part
}

func (l *line) removeHead() {
	b := l.head
	if l.head = b.next; l.head == nil {
		l.tail = nil
	}
	b.next = nil
}

// hand makes the batch one in a worker's hands.
func (b *batch) hand(low, high int) {
	b.loan = high - low - 1
	b.claims.Hand(low, high)
}

// oldest is the first place that counts towards the limit, and its number, the first place
// in the line being taken()+1; nil and 0 if there is none.
func (l *line) oldest() (q *queued, at uint64) {
	at = l.taken()
	for b := l.head; b != nil; b = b.next {
		for i := b.low; i < b.high; i++ {
			if at++; b.of[i].counts() {
				return &b.of[i], at
			}
		}
	}
	return nil, 0
}

// trim takes the places at which nothing waits any more off the front, and says how many.
func (l *line) trim() (gone int) {
	for l.length > 0 && l.head.of[l.head.low].isGone() {
		b := l.head
		b.of[b.low] = queued{}
		b.low++
		l.length--
		gone++
		if b.low == b.high {
			l.emptied(b)
		}
	}
	return gone
}

// emptied sees to the first batch when nothing is left in it.
func (l *line) emptied(b *batch) {
	b.low, b.high = 0, 0
	if b != l.tail {
		l.removeHead()
		l.keep(b)
	}
}

// compact removes the places at which nothing waits any more, and returns which they were,
// the first place in the line being taken()+1.
func (l *line) compact() (gone []uint64) {
	old := *l
	at := l.taken()
	l.head, l.tail, l.length, l.pushed = nil, nil, 0, at
	old.each(func(q *queued) {
		at++
		if q.isGone() {
			gone = append(gone, at)
		} else {
			l.push(*q)
		}
	})
	return gone
}

// each calls f for every place in the line; f may change it.
func (l *line) each(f func(*queued)) {
	for b := l.head; b != nil; b = b.next {
		for i := b.low; i < b.high; i++ {
			f(&b.of[i])
		}
	}
}

// fresh is an empty batch.
func (l *line) fresh() *batch {
	if b := l.spare; b != nil {
		l.spare, b.next = b.next, nil
		l.spares--
		return b
	}
	if b, ok := moreSpares.Get().(*batch); ok {
		return b
	}
	return newBatch()
}

// freshFor is an empty batch for n tasks, which get no more.
func (l *line) freshFor(n int) *batch {
	if n > 1 {
		return l.fresh()
	}
	if b := l.singles; b != nil {
		l.singles, b.next = b.next, nil
		l.spareSingles--
		return b
	}
	if b, ok := moreSingles.Get().(*batch); ok {
		return b
	}
	return newSingle()
}

// retire takes a batch back that nobody works on any more, and lets go of what
// it held.
func (l *line) retire(b *batch) {
	clear(b.of)
	b.low, b.high, b.loan, b.ran, b.first = 0, 0, 0, 0, queued{}
	l.keep(b)
}

// keep makes an empty batch spare.
func (l *line) keep(b *batch) {
	switch single := len(b.of) == 1; {
	case single && l.spareSingles < maxSingles:
		b.next, l.singles = l.singles, b
		l.spareSingles++
	case single:
		moreSingles.Put(b)
	case l.spares < maxSpares:
		b.next, l.spare = l.spare, b
		l.spares++
	default:
		moreSpares.Put(b)
	}
}
