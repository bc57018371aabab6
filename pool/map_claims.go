package pool

import "sync/atomic"

// claims say which chunks of a map have been begun, which is in their order, and
// which have ended in full. Both are changed by the runners without a lock, and
// nothing is set aside for one of them: whoever is free takes the next chunk.
type claims struct {
	chunks int // how many there are
	// begun is how many have been begun, or more than there are. A runner adds
	// one before it looks at the items of its chunk.
	begun atomic.Int64
	// ended has a bit for each chunk, set by its runner after the last result was
	// written. So whoever sees the bit may read the results, though the runner
	// goes on with other chunks.
	ended []atomic.Uint64
	few   [1]atomic.Uint64 // ended of a map that has no more chunks than this
}

const (
	wordBits = 64
	// allBegun is more than any number of chunks, by far: every try of a runner
	// adds one to it.
	allBegun = 1 << 62
)

func (c *claims) init(chunks int) {
	c.chunks = chunks
	c.ended = c.few[:]
	if words := (chunks + wordBits - 1) / wordBits; words > len(c.few) {
		c.ended = make([]atomic.Uint64, words)
	}
}

// begin gives the next chunk to the caller, or reports that there is none.
func (c *claims) begin() (number int, ok bool) {
	number = int(c.begun.Add(1) - 1)
	return number, number < c.chunks
}

// cut lets no further chunk begin and returns how many will not.
func (c *claims) cut() (unbegun int) {
	return max(0, c.chunks-int(c.begun.Swap(allBegun)))
}

// left is how many chunks have not been begun.
func (c *claims) left() int { return max(0, c.chunks-int(c.begun.Load())) }

// hasBegun reports whether any chunk has been begun, or none will be.
func (c *claims) hasBegun() bool { return c.begun.Load() > 0 }

func (c *claims) end(number int) { c.ended[number/wordBits].Or(1 << (number % wordBits)) }
func (c *claims) hasEnded(number int) bool {
	return c.ended[number/wordBits].Load()>>(number%wordBits)&1 == 1
}
