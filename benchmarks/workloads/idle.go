package workloads

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

const aboutIdle = `A pool of 10,000 workers, each of which has been used once, then does nothing.
*Bytes* are what heap and stacks in use have grown by since before the pool was made,
after collecting the garbage. What the runtime keeps of goroutines that have ended (some
440 bytes each) and uses again for others is nobody's here: as many are started and
ended beforehand. Nor is what all pools share, such as an actor system: a pool of
8 workers has been made, used and stopped before. *CPU* is what the process uses in a second of idleness; *no pool* is
the same second without one. Pools that let workers go when they have nothing to do keep
no bytes but start goroutines anew; ants does so after a second (in its default
settings), workerpool after two.`

// The columns of idle, by which targets find them.
var (
	BytesPerWorker = harness.Value("B/worker")
	IdleCPU        = harness.Value("CPU µs/s")
)

// NoPool is the process by itself.
const NoPool = "no pool"

func idle(s Scale) harness.Workload {
	c := harness.Case{
		Name: "10,000 workers", N: s.of(manyWorkers, 500), MaxRounds: 3, SkipWarmUp: true,
		Quantities: []harness.Quantity{BytesPerWorker, IdleCPU},
	}
	second := time.Second
	if s == Short {
		second = time.Millisecond
	}
	c.Contenders = append(c.Contenders, harness.Contender{Name: NoPool, Kind: harness.Raw, Run: func(m *harness.Meter, n int) error {
		inUse()
		rest(m, n, second)
		m.Set(BytesPerWorker.Name, 0)
		return nil
	}})
	for _, p := range peers.All() {
		unable := ""
		if p.KeepsNone {
			unable = "keeps no workers"
		}
		c.Contenders = append(c.Contenders, contender(p, unable, func(m *harness.Meter, n int) error {
			return idlePool(m, p, n, second)
		}))
	}
	return harness.Workload{
		Name:  "idle",
		Title: "idle: what a pool of 10,000 workers costs that does nothing",
		About: aboutIdle,
		Cases: []harness.Case{c},
	}
}

func idlePool(m *harness.Meter, p peers.Peer, workers int, second time.Duration) error {
	if err := liveOnce(p, Workers); err != nil {
		return err
	}
	startAndEnd(workers)
	before := inUse()
	runner, err := open(p, workers, workers)
	if err != nil {
		return err
	}
	if err := useAll(runner, workers); err != nil {
		return err
	}
	after := inUse()
	rest(m, workers, second)
	m.Set(BytesPerWorker.Name, float64(after-before)/float64(workers))
	return runner.Wait()
}

// startAndEnd has the runtime make what it keeps of so many goroutines.
func startAndEnd(goroutines int) {
	everybody := make(chan struct{})
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() { <-everybody })
	}
	close(everybody)
	wg.Wait()
}

// settle is how long the process gets to come to rest: workers after their last
// task, and the runtime after collecting garbage.
const settle = 50 * time.Millisecond

// inUse is the memory of heap and stacks that is in use.
func inUse() int64 {
	time.Sleep(settle)
	// The stacks of goroutines that have ended are freed in the collection after
	// the one that finds them. FreeOSMemory collects too, and leaves the runtime
	// no memory to give back in the background during the second that follows.
	runtime.GC()
	runtime.GC()
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse)
}

// rest measures a second in which nothing happens.
func rest(m *harness.Meter, workers int, second time.Duration) {
	m.Start()
	m.Pause()
	time.Sleep(settle)
	m.Resume()
	time.Sleep(second)
	m.Stop(workers)
	m.Set(IdleCPU.Name, m.CPUMicrosecondsPerSecond())
}
