package peers

import (
	"github.com/gammazero/workerpool"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

var gammazeroWorkerpool = Peer{
	Name:   "workerpool",
	Kind:   harness.Pool,
	Nested: Hangs,
	Open: func(c Config) (Runner, error) {
		return &workerpoolRunner{pool: workerpool.New(c.Workers)}, nil
	},
}

type workerpoolRunner struct {
	uncounted
	pool *workerpool.WorkerPool
}

func (r *workerpoolRunner) Submit(fn func()) error { return r.pool.Do(fn) }

func (r *workerpoolRunner) Wait() error {
	r.pool.StopWait()
	return nil
}
