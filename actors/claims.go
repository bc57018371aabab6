package actors

import (
	"sync/atomic"
	"time"
)

// Claims says which of a run of places, which are in one goroutine's hands, that
// goroutine, their holder, has begun. The others can be taken from it, by whoever
// holds a certain lock: one word has how many were begun and where the run ends, and
// both sides change it atomically. The places themselves are written only under that
// lock, or by the holder if it has begun them; so no one writes what another reads.
type Claims struct {
	word atomic.Uint32 // begun, and end in the upper half
	seen int           // how many were begun when somebody looked last; guarded by the lock
}

const endShift = 16

func newWord(begun, end int) uint32 { return uint32(end)<<endShift | uint32(begun) }

func splitWord(word uint32) (begun, end int) {
	return int(word & (1<<endShift - 1)), int(word >> endShift)
}

// Hand gives the places from low to high, less than 1<<16, to a holder, which has
// begun the first. Called with the lock held.
//
// Model: hand.
func (c *Claims) Hand(low, high int) {
	c.seen = 0
	c.word.Store(newWord(low+1, high))
}

// Begin moves the holder on to its next place and returns it, or false if there
// is none, then and whenever it is called again. Only the holder calls it.
//
// Model: begin.
func (c *Claims) Begin() (place int, ok bool) {
	begun, end := splitWord(c.word.Add(1))
	return begun - 1, begun <= end
}

// At is the place that the holder began last, or false if it is at the end. Called
// with the lock held; the holder may move on at any time.
func (c *Claims) At() (place int, ok bool) {
	begun, end := splitWord(c.word.Load())
	return begun - 1, begun <= end
}

// Rest is how many places the holder has not begun.
func (c *Claims) Rest() int {
	begun, end := splitWord(c.word.Load())
	return max(0, end-begun)
}

// Stands reports whether the holder has begun nothing since somebody asked last.
// Called with the lock held.
func (c *Claims) Stands() bool {
	begun, _ := splitWord(c.word.Load())
	before := c.seen
	c.seen = begun
	return begun == before
}

// CutFront takes the first n of the places that the holder has not begun, or as
// many as there are. From then on the holder begins behind them. Called with the
// lock held.
func (c *Claims) CutFront(n int) (low, high int) {
	for {
		word := c.word.Load()
		begun, end := splitWord(word)
		if n = min(n, end-begun); n <= 0 {
			return begun, begun
		}
		if c.word.CompareAndSwap(word, newWord(begun+n, end)) {
			return begun, begun + n
		}
	}
}

// CutBack takes the last n of the places that the holder has not begun, or as many
// as there are. Called with the lock held.
func (c *Claims) CutBack(n int) (low, high int) {
	for {
		word := c.word.Load()
		begun, end := splitWord(word)
		if n = min(n, end-begun); n <= 0 {
			return end, end
		}
		if c.word.CompareAndSwap(word, newWord(begun, end-n)) {
			return end - n, end
		}
	}
}

// Between these times for one, as many are taken at once as before; below, twice as
// many; above, one.
const (
	shortTask = time.Microsecond
	longTask  = 5 * time.Microsecond
)

// AdaptSize returns how many tasks, at most so many, a worker shall take at once, if
// it took size of them and each took so long.
func AdaptSize(size, most int, each time.Duration) int {
	switch {
	case each > longTask:
		return 1
	case each < shortTask:
		return min(2*size, most)
	}
	return size
}

// SinceStart is the time since the process began: the clock by which sizes adapt.
func SinceStart() time.Duration { return sinceStart() }
