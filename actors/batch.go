package actors

import (
	"sync/atomic"
	"time"
)

// queued is one place in a queue: a task, or a function that nobody waits for.
// If it is neither, it was taken back.
type queued struct {
	task *Task
	fn   func()
}

func (q queued) isHole() bool { return q.task == nil && q.fn == nil }

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
const batchSize = 58

// batch is a run of tasks: first a part of the line, filled from the front; then
// in the hands of one worker, which runs one after another; then empty and spare.
//
// While it is a worker's, the tasks that the worker has not begun can be taken
// back, by whoever holds the router's lock: one word says what the worker has
// begun and where its part ends, and both sides change it atomically. The places
// themselves are written only under the router's lock, and read under it, or by
// the worker for places that it has begun; so no one writes what another reads.
type batch struct {
	of    [batchSize]queued
	word  atomic.Uint32 // begun, and end in the upper half
	loan  int           // how many it had beyond the first; guarded by router.mu
	timed bool          // the worker measures how long it takes; set when it is handed over
	first queued        // what the worker is at when it is handed over
	seen  int           // how many the worker had begun when somebody looked last; guarded by router.mu

	// In the line: next in it, and the part that is filled. Guarded by router.mu.
	next      *batch
	low, high int

	// How many places of a timed batch the worker went through, and how long that
	// took. Touched only by the worker.
	ran  int
	took time.Duration
}

const endShift = 16

func newWord(begun, end int) uint32 { return uint32(end)<<endShift | uint32(begun) }

func splitWord(word uint32) (begun, end int) {
	return int(word & (1<<endShift - 1)), int(word >> endShift)
}

// stands reports whether the worker has begun nothing since somebody asked last.
func (b *batch) stands() bool {
	begun, _ := splitWord(b.word.Load())
	before := b.seen
	b.seen = begun
	return begun == before
}

// begin moves the worker on to its next place and returns it, or false if there
// is none. Only the worker calls it.
func (b *batch) begin() (queued, bool) {
	begun, end := splitWord(b.word.Add(1))
	if begun > end {
		return queued{}, false
	}
	return b.of[begun-1], true
}

// current is the place that the worker is at, or false if it is at the end. Called
// with the router's lock held; the worker may move on at any time.
func (b *batch) current() (queued, bool) {
	begun, end := splitWord(b.word.Load())
	if begun > end {
		return queued{}, false
	}
	return b.of[begun-1], true
}

// rest is how many places the worker has not begun.
func (b *batch) rest() int {
	begun, end := splitWord(b.word.Load())
	return max(0, end-begun)
}

// cutFront takes the first n of the places that the worker has not begun, or as
// many as there are, and appends them to dst. Called with the router's lock held.
func (b *batch) cutFront(n int, dst []queued) []queued {
	for {
		word := b.word.Load()
		begun, end := splitWord(word)
		n = min(n, end-begun)
		if n <= 0 {
			return dst
		}
		if b.word.CompareAndSwap(word, newWord(begun+n, end)) {
			// From here on the worker begins behind them. What it is at must
			// stand before what it begins next; it stays where it was, too, for
			// the worker may be about to read it there.
			places := b.of[begun : begun+n]
			dst = append(dst, places...)
			clear(places)
			places[n-1] = b.of[begun-1]
			return dst
		}
	}
}

// cut takes the last n of the places that the worker has not begun, or as many as
// there are: it returns them and the batch ends before. Called with the router's
// lock held; the caller moves them elsewhere and clears them.
func (b *batch) cut(n int) []queued {
	for {
		word := b.word.Load()
		begun, end := splitWord(word)
		n = min(n, end-begun)
		if n <= 0 {
			return nil
		}
		if b.word.CompareAndSwap(word, newWord(begun, end-n)) {
			return b.of[end-n : end]
		}
	}
}

// line is the queue of the tasks that any worker may take, in the order of
// submission. Guarded by the router's mutex. A task that is decided or claimed
// while it waits keeps its place, which is passed over when its turn comes; so
// nothing in the line has to be searched for.
type line struct {
	head, tail *batch
	length     int    // places, all kinds
	pushed     uint64 // ever
	spare      *batch // empty ones, so that a busy pool allocates none
	spares     int
}

// maxSpares bounds what an idle pool keeps.
const maxSpares = 4

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
	if b == nil || b.of[b.high-1].task != t || b.high-1 == b.low && b != l.head {
		return false
	}
	b.high--
	b.of[b.high] = queued{}
	l.length--
	l.pushed--
	if b.low < b.high {
		return true
	}
	l.head, l.tail = nil, nil
	b.low, b.high = 0, 0
	l.keep(b)
	return true
}

// take gives up to n places to a worker, which has begun the first. It returns
// nil if there are none.
func (l *line) take(n int) *batch {
	b := l.head
	if b == nil {
		return nil
	}
	filled := b.high - b.low
	if n < filled {
		part := l.fresh()
		copy(part.of[:], b.of[b.low:b.low+n])
		clear(b.of[b.low : b.low+n])
		b.low += n
		l.length -= n
		part.hand(0, n)
		return part
	}
	if l.head = b.next; l.head == nil {
		l.tail = nil
	}
	b.next = nil
	l.length -= filled
	b.hand(b.low, b.high)
	return b
}

// hand makes the batch one in a worker's hands.
func (b *batch) hand(low, high int) {
	b.loan = high - low - 1
	b.word.Store(newWord(low+1, high))
}

// oldest is the first place that counts towards the limit, or nil.
func (l *line) oldest() *queued {
	for b := l.head; b != nil; b = b.next {
		for i := b.low; i < b.high; i++ {
			if b.of[i].counts() {
				return &b.of[i]
			}
		}
	}
	return nil
}

// compact removes the places at which nothing waits any more and reports how
// many there were.
func (l *line) compact() (removed int) {
	old := *l
	l.head, l.tail, l.length = nil, nil, 0
	old.each(func(q *queued) {
		if q.isHole() || q.task != nil && q.task.phase() != stateQueued {
			removed++
			return
		}
		l.push(*q)
		l.pushed--
	})
	return removed
}

// each calls f for every place in the line; f may change it.
func (l *line) each(f func(*queued)) {
	for b := l.head; b != nil; b = b.next {
		for i := b.low; i < b.high; i++ {
			f(&b.of[i])
		}
	}
}

func (l *line) fresh() *batch {
	b := l.spare
	if b == nil {
		return new(batch)
	}
	l.spare, b.next = b.next, nil
	l.spares--
	return b
}

// retire takes a batch back that nobody works on any more, and lets go of what
// it held.
func (l *line) retire(b *batch) {
	if l.spares == maxSpares {
		return
	}
	clear(b.of[:])
	b.low, b.high, b.loan, b.seen, b.ran, b.first = 0, 0, 0, 0, 0, queued{}
	l.keep(b)
}

// keep makes a spare of a batch that is as good as new.
func (l *line) keep(b *batch) {
	if l.spares == maxSpares {
		return
	}
	b.next, l.spare = l.spare, b
	l.spares++
}
