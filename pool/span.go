package pool

import "github.com/greenroom-go/greenroom/actors"

// rangeSize is how many items a runner takes at once at the most, unless a chunk is
// larger. Then the mutex, the clock and the question whether others wait cost an
// item 1/16 of what they take.
const rangeSize = 16

// span is a range of items in the hands of a runner, cut into chunks. The runner
// begins one chunk after another; the others can be taken from it. What it began
// last is its to the end of the chunk.
//
// The fields but claims change only with mu held, by the runner; so the runner may
// read them without. Items are written as actors.Claims says.
type span[T any] struct {
	claims actors.Claims // of the chunks
	first  int           // the index of the first item
	items  []T
	// While so many are begun, the runner is at that chunk: those between were taken
	// from it. 0: it is at the last one begun. Guarded by mu.
	cutTo, cutAt int
}

// leftover are items that a failing runner has left behind.
type leftover[T any] struct {
	first int
	items []T
}

// indexes are those of a run of items.
type indexes struct{ low, high int }

// chunk says where a chunk of so many items begins and ends.
func (s *span[T]) chunk(number, size int) (low, high int) {
	return number * size, min((number+1)*size, len(s.items))
}

// hold makes the items that were appended to the empty s.items the runner's.
func (s *span[T]) hold(first, size int) {
	s.first, s.cutTo, s.cutAt = first, 0, 0
	s.claims.Hand(0, (len(s.items)+size-1)/size)
}

// cut takes items of the first n chunks that the runner has not begun. The caller
// moves them elsewhere and clears them.
func (s *span[T]) cut(n, size int) (first int, items []T) {
	low, high := s.claims.CutFront(n)
	if low == high {
		return 0, nil
	}
	at := low - 1
	if low == s.cutTo {
		at = s.cutAt
	}
	s.cutTo, s.cutAt = high, at
	from := low * size
	return s.first + from, s.items[from:min(high*size, len(s.items))]
}

// isAt reports whether the runner has begun the chunk with an item and is not through
// with it.
func (s *span[T]) isAt(index, size int) bool {
	at, ok := s.claims.At()
	if at+1 == s.cutTo {
		at = s.cutAt
	}
	low, high := s.chunk(at, size)
	return ok && index >= s.first+low && index < s.first+high
}

// claim gives the runner items, if it finds any that it should take. Called with mu
// held, as all below.
func (j *streamJob[T, R]) claim(m *streamRunner[T, R]) bool {
	if j.over != nil || j.root.Decided() {
		return false
	}
	m.items = m.items[:0]
	switch {
	case len(j.left) > 0:
		j.claimLeft(m)
	case m.once:
		_ = j.claimFrom(m, j.earliest(m)) || j.claimFed(m)
	case j.moves(m):
		return false
	default:
		_ = j.claimFrom(m, j.standing(m)) || j.claimFed(m) || j.claimFrom(m, j.earliest(m))
	}
	if len(m.items) == 0 {
		return false
	}
	m.fn, j.started = j.fn, true
	return true
}

// reach is how many items the runner should take.
func (j *streamJob[T, R]) reach(m *streamRunner[T, R]) int {
	if m.once {
		return j.size
	}
	return j.pace * j.size
}

func (j *streamJob[T, R]) claimLeft(m *streamRunner[T, R]) {
	l := &j.left[0]
	n := min(j.reach(m), len(l.items))
	m.items = append(m.items, l.items[:n]...)
	m.hold(l.first, j.size)
	clear(l.items[:n])
	if l.first, l.items = l.first+n, l.items[n:]; len(l.items) == 0 {
		j.left = append(j.left[:0], j.left[1:]...)
	}
}

func (j *streamJob[T, R]) claimFed(m *streamRunner[T, R]) bool {
	n := min(j.reach(m), j.input.pending())
	if n == 0 {
		return false
	}
	first := j.input.taken
	m.items = j.input.take(n, m.items)
	m.hold(first, j.size)
	return true
}

// claimFrom takes the earlier half of what another runner has not begun.
func (j *streamJob[T, R]) claimFrom(m, other *streamRunner[T, R]) bool {
	if other == nil {
		return false
	}
	n := 1
	if !m.once {
		n = (other.claims.Rest() + 1) / 2
	}
	first, items := other.cut(n, j.size)
	if len(items) == 0 {
		return false
	}
	m.items = append(m.items, items...)
	m.hold(first, j.size)
	clear(items)
	return true
}

// earliest is the runner that has the earliest item that could be taken from it.
func (j *streamJob[T, R]) earliest(m *streamRunner[T, R]) (found *streamRunner[T, R]) {
	for _, other := range j.runners {
		if other != m && other.claims.Rest() > 0 && (found == nil || other.first < found.first) {
			found = other
		}
	}
	return found
}

// standing is a runner that is kept by an item, while there are others behind it. A
// runner that comes for more looks at one other each time.
func (j *streamJob[T, R]) standing(m *streamRunner[T, R]) *streamRunner[T, R] {
	if j.most == 1 {
		return nil
	}
	j.watch++
	if j.watch >= len(j.runners) {
		j.watch = 0
	}
	other := j.runners[j.watch]
	if other != m && other.claims.Rest() > 0 && other.claims.Stands() {
		return other
	}
	return nil
}

// moves reports whether m, which has nothing in hand, should look again before it
// takes part: another runner gets on well, and has done what there is before a
// second one has begun.
func (j *streamJob[T, R]) moves(m *streamRunner[T, R]) bool {
	if j.pace == 1 || m.hot || m.looks >= lingerLooks {
		return false
	}
	for _, other := range j.runners {
		if other != m && other.busy && !other.claims.Stands() {
			return true
		}
	}
	return false
}

// hasMore reports whether there are items that nobody has begun.
func (j *streamJob[T, R]) hasMore() bool {
	if len(j.left) > 0 || j.input.pending() > 0 {
		return true
	}
	for _, m := range j.runners {
		if m.claims.Rest() > 0 {
			return true
		}
	}
	return false
}

// unclaim takes back the items that nobody has begun, without those that nobody has
// taken leaving the input, and says which they are.
func (j *streamJob[T, R]) unclaim() (dropped []indexes) {
	add := func(first, n int) {
		if n > 0 {
			dropped = append(dropped, indexes{first, first + n})
		}
	}
	for _, m := range j.runners {
		first, items := m.cut(m.claims.Rest(), j.size)
		add(first, len(items))
		clear(items)
	}
	for _, l := range j.left {
		add(l.first, len(l.items))
	}
	j.left = nil
	add(j.input.taken, j.input.pending())
	return dropped
}
