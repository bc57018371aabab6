package workloads

import (
	"runtime"
	"sync"
	"time"
)

// burn is pure computation in registers, so many steps of it.
//
//go:noinline
func burn(steps int) uint64 {
	x := uint64(88172645463325252)
	for range steps {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

// computing returns a task that computes for d on a core of its own.
func computing(d time.Duration) func() {
	steps := int(float64(d) / nanosecondsPerStep())
	return func() { runtime.KeepAlive(burn(steps)) }
}

// nanosecondsPerStep is measured once: the best of several tries is what a step
// takes when nothing disturbs it.
var nanosecondsPerStep = sync.OnceValue(func() float64 {
	const steps, tries = 200_000, 20
	best := time.Duration(1<<63 - 1)
	for range tries {
		start := time.Now()
		runtime.KeepAlive(burn(steps))
		best = min(best, time.Since(start))
	}
	return max(float64(best)/steps, 0.01)
})
