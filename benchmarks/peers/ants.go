package peers

import (
	"runtime"
	"time"

	"github.com/panjf2000/ants/v2"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// stopTimeout is how long a pool may take to stop that has nothing to do.
const stopTimeout = 30 * time.Second

var antsPool = Peer{
	Name:   "ants.Pool",
	Kind:   harness.Pool,
	Nested: Hangs,
	Open: func(c Config) (Runner, error) {
		p, err := ants.NewPool(c.Workers)
		r := &antsRunner{submit: p.Submit, release: p.ReleaseTimeout}
		r.expect(c.Tasks)
		return r, err
	},
}

var antsPoolWithFunc = Peer{
	Name:   "ants.PoolWithFunc",
	Kind:   harness.Pool,
	Nested: Hangs,
	Open: func(c Config) (Runner, error) {
		p, err := ants.NewPoolWithFunc(c.Workers, func(fn any) { fn.(func())() })
		r := &antsRunner{submit: func(fn func()) error { return p.Invoke(fn) }, release: p.ReleaseTimeout}
		r.expect(c.Tasks)
		return r, err
	},
}

var antsMultiPool = Peer{
	Name:   "ants.MultiPool",
	Kind:   harness.Pool,
	Nested: Hangs,
	Open: func(c Config) (Runner, error) {
		pools := shards(c.Workers)
		p, err := ants.NewMultiPool(pools, c.Workers/pools, ants.RoundRobin)
		r := &antsRunner{submit: p.Submit, release: p.ReleaseTimeout}
		r.expect(c.Tasks)
		return r, err
	},
}

// shards is how many pools share the workers: as many as there are cores,
// since it is their locks that are to be spread, and so that all are of one
// size.
func shards(workers int) int {
	n := min(runtime.GOMAXPROCS(0), workers)
	for workers%n != 0 {
		n--
	}
	return n
}

type antsRunner struct {
	counted
	submit  func(func()) error
	release func(time.Duration) error
}

func (r *antsRunner) Submit(fn func()) error { return r.submit(fn) }

func (r *antsRunner) Wait() error {
	r.wg.Wait()
	return r.release(stopTimeout)
}
