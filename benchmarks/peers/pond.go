package peers

import (
	"github.com/alitto/pond/v2"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

var pondGo = Peer{
	Name:      "pond.Go",
	Kind:      harness.Pool,
	Nested:    Hangs,
	KeepsNone: true,
	Open: func(c Config) (Runner, error) {
		return &pondGoRunner{pool: pond.NewPool(c.Workers)}, nil
	},
}

type pondGoRunner struct {
	uncounted
	pool pond.Pool
}

func (r *pondGoRunner) Submit(fn func()) error { return r.pool.Go(fn) }

func (r *pondGoRunner) Wait() error {
	r.pool.StopAndWait()
	return nil
}

var pondSubmit = Peer{
	Name:      "pond.Submit",
	Kind:      harness.Pool,
	Nested:    Hangs,
	KeepsNone: true,
	Open: func(c Config) (Runner, error) {
		return &pondSubmitRunner{pool: pond.NewPool(c.Workers)}, nil
	},
}

// pondSubmitRunner makes a future for each task, which nobody waits for here.
type pondSubmitRunner struct {
	uncounted
	pool pond.Pool
}

func (r *pondSubmitRunner) Submit(fn func()) error {
	r.pool.Submit(fn)
	return nil
}

func (r *pondSubmitRunner) Wait() error {
	r.pool.StopAndWait()
	return nil
}

var pondGroup = Peer{
	Name:      "pond.TaskGroup",
	Kind:      harness.Pool,
	Nested:    Hangs,
	NoResult:  "only all at once",
	KeepsNone: true,
	Open: func(c Config) (Runner, error) {
		p := pond.NewPool(c.Workers)
		return &pondGroupRunner{pool: p, group: p.NewGroup()}, nil
	},
}

type pondGroupRunner struct {
	uncounted
	pool  pond.Pool
	group pond.TaskGroup
}

func (r *pondGroupRunner) Submit(fn func()) error {
	r.group.Submit(fn)
	return nil
}

func (r *pondGroupRunner) Wait() error {
	err := r.group.Wait()
	r.pool.StopAndWait()
	return err
}
