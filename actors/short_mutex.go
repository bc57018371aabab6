package actors

import (
	"runtime"
	"sync"
)

// shortMutex is a mutex that is held for some ten nanoseconds at a time. Whoever
// finds it locked looks a few times more, which takes about as long, and then lets
// others run once, before going to sleep like any waiter. sync.Mutex does the
// first, too, but not while other goroutines want to run, as those of many
// producers do; once they sleep, each of them has to be woken, which takes ten
// times as long as what they came for (BenchmarkGoOf64Producers in package pool:
// 56 to 39 ns).
type shortMutex struct{ sync.Mutex }

const looksAtMutex = 30

func (m *shortMutex) Lock() {
	if !m.TryLock() {
		m.lockSlowly()
	}
}

func (m *shortMutex) lockSlowly() {
	for range looksAtMutex {
		if m.TryLock() {
			return
		}
	}
	runtime.Gosched()
	m.Mutex.Lock()
}
