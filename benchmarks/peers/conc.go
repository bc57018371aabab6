package peers

import (
	"github.com/sourcegraph/conc/pool"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

var concPool = Peer{
	Name:   "conc.pool",
	Kind:   harness.Pool,
	Nested: Hangs,
	Open: func(c Config) (Runner, error) {
		return &concRunner{pool: pool.New().WithMaxGoroutines(c.Workers)}, nil
	},
}

type concRunner struct {
	uncounted
	pool *pool.Pool
}

func (r *concRunner) Submit(fn func()) error {
	r.pool.Go(fn)
	return nil
}

func (r *concRunner) Wait() error {
	r.pool.Wait()
	return nil
}
