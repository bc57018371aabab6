package pooltest_test

import (
	"flag"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

type load = func(worker int) int

// routes is a strategy in a function.
type routes func(key string, workers int, load load) pool.Target

func (routes) UsesKeys() bool { return true }
func (r routes) Route(key string, workers int, load func(int) int) pool.Target {
	return r(key, workers, load)
}

// byHash gives the tasks with one key to one worker.
func byHash(key string, workers int, _ load) pool.Target {
	h := fnv.New32a()
	h.Write([]byte(key))
	return pool.Target{Worker: int(h.Sum32()%uint32(workers)) + 1}
}

func TestStrategiesConform(t *testing.T) {
	for name, newStrategy := range map[string]func() pool.Strategy{
		"shared queue": pool.SharedQueue,
		"round robin":  pool.RoundRobin,
		"random":       pool.Random,
		"least loaded": pool.LeastLoaded,
		"key ordered":  pool.KeyOrdered,
		"hash":         func() pool.Strategy { return routes(byHash) },
	} {
		t.Run(name, func(t *testing.T) {
			withoutRace(t)
			pooltest.TestStrategy(t, newStrategy)
		})
	}
}

// moody says each time something else about keys.
type moody struct {
	routes
	asked *int
}

func (m moody) UsesKeys() bool { *m.asked++; return *m.asked%2 == 0 }

// keyless makes keys mean nothing.
type keyless struct{ routes }

func (keyless) UsesKeys() bool { return false }

// brokenStrategies have one fault each: what it breaks, and what is said of it.
var brokenStrategies = []struct {
	fault       string
	newStrategy func() pool.Strategy
	requirement string
	says        string
}{
	{"returns nil", func() pool.Strategy { return nil },
		"The constructor returns a strategy", "newStrategy returned nil"},
	{"remembers the number of workers", func() pool.Strategy {
		most, next := 0, 0
		return routes(func(_ string, workers int, _ load) pool.Target {
			most = max(most, workers)
			next = next%most + 1
			return pool.Target{Worker: next}
		})
	}, "Route names a worker that exists, or none", "named worker"},
	{"counts workers from 0", func() pool.Strategy {
		return routes(func(_ string, workers int, _ load) pool.Target { return pool.Target{Worker: rand.N(workers+1) - 1} })
	}, "Route names a worker that exists, or none", "it must be 0 for any, or from 1 to"},
	{"panics for the empty key", func() pool.Strategy {
		return routes(func(key string, _ int, _ load) pool.Target { return pool.Target{Worker: int(key[0])*0 + 1} })
	}, "Route does not panic", `Route("", 1, load) panicked with runtime error: index out of range`},
	{"ends its goroutine", func() pool.Strategy {
		return routes(func(key string, _ int, _ load) pool.Target { runtime.Goexit(); return pool.Target{} })
	}, "Route does not panic", "ended its goroutine"},
	{"wants an order on one worker", func() pool.Strategy {
		return routes(func(key string, _ int, _ load) pool.Target { return pool.Target{Worker: 1, InOrder: key != ""} })
	}, "Route asks for an order only of tasks that any worker may take", "returned InOrder and Worker 1"},
	{"asks for the load of worker 0", func() pool.Strategy {
		return routes(func(_ string, workers int, load load) pool.Target {
			least := 1
			for w := range workers {
				if load(w) < load(least) {
					least = max(w, 1)
				}
			}
			return pool.Target{Worker: least}
		})
	}, "Route asks for the loads of workers that exist, and only until it returns", "load(0) was called; workers are numbered from 1 to"},
	{"keeps load", func() pool.Strategy {
		var kept load
		return routes(func(_ string, _ int, load load) pool.Target {
			if kept != nil {
				kept(1)
			}
			kept = load
			return pool.Target{}
		})
	}, "Route asks for the loads of workers that exist, and only until it returns", "after Route had returned"},
	{"sleeps", func() pool.Strategy {
		return routes(func(string, int, load) pool.Target { time.Sleep(time.Millisecond); return pool.Target{} })
	}, "Route returns at once", "took 1ms"},
	{"waits for ever", func() pool.Strategy {
		return routes(func(string, int, load) pool.Target { <-make(chan int); return pool.Target{} })
	}, "Route returns at once", "strategies_test.go"},
	{"waits for a lock for ever", func() pool.Strategy {
		return routes(func(string, int, load) pool.Target {
			var mu sync.Mutex
			mu.Lock()
			mu.Lock()
			return pool.Target{}
		})
	}, "Route returns at once", "sync.Mutex.Lock"},
	{"changes its mind about keys", func() pool.Strategy { return moody{byHash, new(int)} },
		"UsesKeys answers the same each time", "UsesKeys() is"},
	{"orders every second task", func() pool.Strategy {
		n := 0
		return routes(func(key string, _ int, _ load) pool.Target {
			n++
			return pool.Target{InOrder: key != "" && n%4 < 2}
		})
	}, "A key orders all its tasks or none, and is refused where keys mean nothing", "it must for each task with that key, or for none"},
	{"orders at random", func() pool.Strategy {
		return routes(func(key string, _ int, _ load) pool.Target {
			return pool.Target{InOrder: key != "" && rand.N(2) == 0}
		})
	}, "A key orders all its tasks or none, and is refused where keys mean nothing", "it must for each task with that key, or for none"},
	{"panics when all are at work", func() pool.Strategy {
		return keyless{func(_ string, workers int, load load) pool.Target {
			if workers == 3 && load(1) == 1 && load(2) == 1 && load(3) == 1 {
				panic("nobody is free")
			}
			return pool.Target{Worker: 1 + slices.Index([]bool{load(1) == 0, workers > 1 && load(2) == 0, true}[:min(workers, 3)], true)}
		}}
	}, "Each task runs once and has a result of its own", "nobody is free"},
}

func TestStrategyThatIsBrokenDoesNotConform(t *testing.T) {
	inFull(t)
	for _, broken := range brokenStrategies {
		t.Run(broken.fault, func(t *testing.T) {
			patience := 10 * time.Second // in real time
			if broken.says == "sync.Mutex.Lock" {
				patience = 200 * time.Millisecond
			}
			found := pooltest.StrategyFindings(t, patience, broken.newStrategy)
			require.Contains(t, found, broken.requirement)
			require.Contains(t, found[broken.requirement].String(), broken.says)
		})
	}
}

func TestFindingOfASuiteIsRepeatedByItsReplay(t *testing.T) {
	inFull(t)
	const order = "A key orders all its tasks or none, and is refused where keys mean nothing"
	every, random := broken("orders every second task"), broken("orders at random")
	f := pooltest.StrategyFindings(t, time.Minute, every)[order]
	require.NotNil(t, f)
	require.NotEmpty(t, f.Trace)
	require.NoError(t, flag.Set("pooltest.replay", f.Replay))
	defer func() { require.NoError(t, flag.Set("pooltest.replay", "")) }()
	again := pooltest.StrategyFindings(t, time.Minute, every)[order]
	require.NotNil(t, again)
	require.Equal(t, f.Failures, again.Failures)
	require.Equal(t, f.Trace.String(), again.Trace.String())
	f = pooltest.StrategyFindings(t, time.Minute, random)[order]
	require.NotNil(t, f)
	require.NotEmpty(t, f.Trace)
	require.Empty(t, f.Replay, "nothing repeats random numbers")
}

// broken is the strategy with a fault.
func broken(fault string) func() pool.Strategy {
	for _, b := range brokenStrategies {
		if b.fault == fault {
			return b.newStrategy
		}
	}
	panic("no strategy " + fault)
}
