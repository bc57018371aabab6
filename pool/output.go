package pool

import "sync/atomic"

// output is the way of a stream's results from the runners, each of which writes to
// places of its own, to the readers, which read one place after another: a chain of
// segments. Neither takes a lock for it, but to look up a segment.
//
// In an ordered stream the place of an item is that of its index; else places are
// given out in the order of completion.
type output[R any] struct {
	// Guarded by mu.
	chain fifo[*outputSegment[R]]
	first int               // the number of the first segment in the chain
	spare *outputSegment[R] // an empty one, or nil
}

type outputSegment[R any] struct {
	places [segmentSize]place[R]
	errs   atomic.Pointer[[segmentSize]error] // made for the first error; written and read as places are
}

// place has the value of one item. The runner writes it and then done, which
// publishes it; a reader that has seen done, and only one does, reads it and clears
// it. done is not cleared, but has another value each time the segment is used.
//
// Places are small because the line of memory that they stand in goes from the core
// of the runner to that of the reader and back.
type place[R any] struct {
	value R
	done  atomic.Uint32 // see turn; failed is added if the item has an error
}

// segmentOf says in which segment a place is and where.
func segmentOf(place int) (number, at int) { return place / segmentSize, place % segmentSize }

// turn is what done is when a place in the segment of that number is done.
func turn(number int) uint32 { return 2 * (uint32(number) + 1) }

const failed = 1

// segment returns the segment of a number, which it makes if there is none yet.
// Called with mu held, as all below. A segment stays the same until all its places
// are read.
func (o *output[R]) segment(number int) *outputSegment[R] {
	for o.first+o.chain.len() <= number {
		s := o.spare
		if o.spare = nil; s == nil {
			s = new(outputSegment[R])
		}
		o.chain.push(s)
	}
	return *o.chain.at(number - o.first)
}

// find is segment, but returns nil if there is none yet.
func (o *output[R]) find(number int) *outputSegment[R] {
	if number >= o.first+o.chain.len() {
		return nil
	}
	return *o.chain.at(number - o.first)
}

// isDone reports whether there is an outcome at a place that has not been read.
func (o *output[R]) isDone(place int) bool {
	number, at := segmentOf(place)
	s := o.find(number)
	return s != nil && s.isDone(number, at)
}

// retire takes back the first segment, whose places have all been read.
func (o *output[R]) retire() {
	o.spare = o.chain.pop()
	o.first++
}

// outlet is what a runner knows of the output: the segment that it wrote to last.
type outlet[R any] struct {
	number  int
	segment *outputSegment[R]
}

func (l *outlet[R]) has(number int) bool { return l.segment != nil && l.number == number }

// write files an outcome.
func (s *outputSegment[R]) write(number, at int, value R, err error) {
	p := &s.places[at]
	p.value = value
	if err == nil {
		p.done.Store(turn(number))
		return
	}
	if s.errs.Load() == nil {
		s.errs.CompareAndSwap(nil, new([segmentSize]error))
	}
	s.errs.Load()[at] = err
	p.done.Store(turn(number) + failed)
}

// isDone reports whether a place of the segment, which has that number now, is done.
func (s *outputSegment[R]) isDone(number, at int) bool {
	return s.places[at].done.Load()&^failed == turn(number)
}

// read takes the outcome of a place that is done and keeps nothing of it alive.
func (s *outputSegment[R]) read(at int) (value R, err error) {
	var zero R
	p := &s.places[at]
	value, p.value = p.value, zero
	if p.done.Load()&failed != 0 {
		errs := s.errs.Load()
		err, errs[at] = errs[at], nil
	}
	return value, err
}
