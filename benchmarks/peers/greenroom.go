package peers

import (
	"context"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/pool"
)

// The names of Greenroom's forms, by which the targets find them.
const (
	Go         = "Greenroom Go"
	ApplyAsync = "Greenroom ApplyAsync"
)

func newPool(c Config) (*pool.Pool, error) {
	options := []pool.Option{pool.WithWorkers(c.Workers)}
	if c.Unbounded {
		options = append(options, pool.WithUnboundedQueue())
	}
	return pool.New(options...)
}

var greenroomGo = Peer{
	Name: Go,
	Kind: harness.Greenroom,
	Open: func(c Config) (Runner, error) {
		p, err := newPool(c)
		return &fireAndForget{pool: p}, err
	},
}

// fireAndForget uses the form without a result; Close, then Join tell when all
// is done.
type fireAndForget struct {
	uncounted
	pool *pool.Pool
}

func (r *fireAndForget) Submit(fn func()) error { return r.pool.Go(context.Background(), fn) }

func (r *fireAndForget) Wait() error { return r.pool.Shutdown(context.Background()) }

var greenroomApplyAsync = Peer{
	Name: ApplyAsync,
	Kind: harness.Greenroom,
	Open: func(c Config) (Runner, error) {
		p, err := newPool(c)
		return &applyAsync{pool: p}, err
	},
}

// applyAsync uses the form with a result, which nobody fetches here.
type applyAsync struct {
	uncounted
	pool *pool.Pool
}

func (r *applyAsync) Submit(fn func()) error {
	pool.ApplyAsync(context.Background(), r.pool, func(context.Context) (struct{}, error) {
		fn()
		return struct{}{}, nil
	})
	return nil
}

func (r *applyAsync) Wait() error { return r.pool.Shutdown(context.Background()) }
