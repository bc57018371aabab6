package pool

import "sync/atomic"

// segmentSize is how many items, or outcomes, share an allocation and a look-up.
const segmentSize = 64

// input is the way of a stream's items from the feeder, which appends them, to the
// runners, which take them under the stream's mutex: a chain of segments. The feeder
// takes no lock.
//
// An item is written before the word counts it, and read by who has seen that; so
// the word publishes it, and the segment that it stands in.
type input[T any] struct {
	// word is twice the number of items that were fed, plus one once no more will
	// be. Changed by the feeder while it is even; made odd, and changed then, with
	// mu held.
	word atomic.Uint64

	// Touched only by the feeder.
	fed  int // what the word says
	tail *inputSegment[T]
	_    [64]byte // what follows is written by others than what stands before

	// Guarded by mu.
	head  *inputSegment[T]
	taken int
	// spare is an empty segment on its way back to the feeder.
	spare atomic.Pointer[inputSegment[T]]
}

type inputSegment[T any] struct {
	items [segmentSize]T
	next  *inputSegment[T] // written by the feeder before it feeds the item behind the last
}

func (in *input[T]) init() {
	in.head = new(inputSegment[T])
	in.tail = in.head
}

// push appends an item. It reports false if the input is closed. Only the feeder
// calls it.
func (in *input[T]) push(item T) bool {
	at := in.fed % segmentSize
	if at == 0 && in.fed > 0 {
		in.extend()
	}
	in.tail.items[at] = item
	if !in.word.CompareAndSwap(uint64(in.fed)<<1, uint64(in.fed+1)<<1) {
		clear(in.tail.items[at : at+1])
		return false
	}
	in.fed++
	return true
}

func (in *input[T]) extend() {
	s := in.spare.Swap(nil)
	if s == nil {
		s = new(inputSegment[T])
	}
	in.tail.next = s
	in.tail = s
}

// count is how many items were fed and have not been dropped.
func (in *input[T]) count() int { return int(in.word.Load() >> 1) }

// pending is how many of them nobody has taken. Called with mu held, as all below.
func (in *input[T]) pending() int { return in.count() - in.taken }

// take appends the next n items, of which there must be as many, to dst.
func (in *input[T]) take(n int, dst []T) []T {
	for n > 0 {
		at := in.taken % segmentSize
		if at == 0 && in.taken > 0 {
			in.advance()
		}
		items := in.head.items[at:min(at+n, segmentSize)]
		dst = append(dst, items...)
		clear(items)
		in.taken += len(items)
		n -= len(items)
	}
	return dst
}

func (in *input[T]) advance() {
	s := in.head
	in.head = s.next
	s.next = nil
	in.spare.Store(s)
}

// close has push refuse what comes later.
func (in *input[T]) close() { in.word.Or(1) }

// drop lets go of the items that nobody has taken, and of those dropped elsewhere
// in the closed input: as many count as fed as are left.
func (in *input[T]) drop(left int) {
	for in.taken < in.count() {
		at := in.taken % segmentSize
		if at == 0 && in.taken > 0 {
			in.head = in.head.next
		}
		n := min(in.pending(), segmentSize-at)
		clear(in.head.items[at : at+n])
		in.taken += n
	}
	in.word.Store(uint64(left)<<1 | 1)
	in.taken = left
}
