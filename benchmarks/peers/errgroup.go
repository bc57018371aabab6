package peers

import (
	"golang.org/x/sync/errgroup"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

var errgroupLimit = Peer{
	Name:      "errgroup.SetLimit",
	Kind:      harness.Pool,
	Nested:    Hangs,
	KeepsNone: true,
	Open: func(c Config) (Runner, error) {
		r := &errgroupRunner{}
		r.group.SetLimit(c.Workers)
		return r, nil
	},
}

type errgroupRunner struct {
	uncounted
	group errgroup.Group
}

func (r *errgroupRunner) Submit(fn func()) error {
	r.group.Go(func() error {
		fn()
		return nil
	})
	return nil
}

func (r *errgroupRunner) Wait() error { return r.group.Wait() }
