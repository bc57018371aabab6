package harness

import (
	"runtime"
	"sync"
	"time"
)

// QuietBelow is how many times as long two threads may take as one, at most, on
// a machine that counts as quiet.
const QuietBelow = 1.15

// Canary tells whether the machine gives this process two cores: the same
// computation on two threads takes hardly longer than on one.
type Canary struct {
	// Tries is how often the canary is asked before the round goes on anyway.
	Tries int
	// Pause is how long to wait between two tries.
	Pause time.Duration
	// Patience bounds all waiting of a run: a machine that is always noisy must
	// not double the time it takes.
	Patience time.Duration

	// compute runs the computation on that many threads and returns how long
	// the whole took.
	compute func(threads int) time.Duration
	sleep   func(time.Duration)
}

// Reading is one answer of the canary.
type Reading struct {
	One, Two time.Duration
	Tries    int
	Quiet    bool
}

// NewCanary returns the canary of this machine.
func NewCanary() *Canary {
	return &Canary{
		Tries:    4,
		Pause:    100 * time.Millisecond,
		Patience: time.Minute,
		compute:  computeOn,
		sleep:    time.Sleep,
	}
}

// Ratio is how many times as long two threads took as one.
func (r Reading) Ratio() float64 { return float64(r.Two) / float64(r.One) }

// Wait returns as soon as the machine is quiet, or with a noisy reading when
// it has tried often enough. On a single core there is nothing to compare and
// every reading is noisy.
func (c *Canary) Wait() Reading {
	var r Reading
	for r.Tries = 1; ; r.Tries++ {
		r.One = c.compute(1)
		r.Two = c.compute(2)
		r.Quiet = r.Ratio() < QuietBelow
		if r.Quiet || r.Tries >= c.Tries || c.Patience < c.Pause {
			return r
		}
		c.sleep(c.Pause)
		c.Patience -= c.Pause
	}
}

// canarySteps take about 5 ms: long beside the start of a thread, short beside
// a round.
const canarySteps = 3_000_000

func computeOn(threads int) time.Duration {
	start := time.Now()
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			runtime.LockOSThread() // a thread each, or two would share one
			defer runtime.UnlockOSThread()
			runtime.KeepAlive(compute(canarySteps))
		})
	}
	wg.Wait()
	return time.Since(start)
}

// compute is pure computation in registers.
//
//go:noinline
func compute(steps int) uint64 {
	x := uint64(88172645463325252)
	for range steps {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}
