package workloads

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

const aboutCreate = `A pool is made, every worker is used (the tasks wait for each other, so all of them
must run at once), and the pool is stopped. Figures are for the whole life of one pool.
Greenroom's pools share one actor system, and so do Proto.Actor's routers. CPython takes
part with 8 workers only.`

const manyWorkers = 10_000

func create(s Scale) harness.Workload {
	return harness.Workload{
		Name:  "create",
		Title: "create: make a pool, use every worker, stop it",
		About: aboutCreate,
		Cases: []harness.Case{
			createCase(s, "8 workers", Workers, s.of(1_000, 5), true),
			createCase(s, "10,000 workers", s.of(manyWorkers, 500), s.of(3, 1), false),
		},
	}
}

func createCase(s Scale, name string, workers, n int, python bool) harness.Case {
	c := harness.Case{Name: name, N: n, Quantities: harness.Per("pool")}
	for _, p := range peers.All() {
		c.Contenders = append(c.Contenders, contender(p, "", func(m *harness.Meter, n int) error {
			return livesOfPools(m, p, workers, n)
		}))
	}
	if python {
		c.Contenders = append(c.Contenders, peers.ThreadPool("create", workers, s.of(50, 5)))
	}
	return c
}

// livesOfPools measures n pools, one after another.
func livesOfPools(m *harness.Meter, p peers.Peer, workers, n int) error {
	m.Start()
	for range n {
		if err := liveOnce(p, workers); err != nil {
			return err
		}
	}
	m.Stop(n)
	return nil
}

// liveOnce makes a pool, uses every worker, and stops it.
func liveOnce(p peers.Peer, workers int) error {
	runner, err := open(p, workers, workers)
	if err != nil {
		return err
	}
	return errors.Join(useAll(runner, workers), runner.Wait())
}

// useAll submits a task for each worker and returns when all of them run.
func useAll(runner peers.Runner, workers int) error {
	var waiting atomic.Int64
	waiting.Store(int64(workers))
	everybody := make(chan struct{})
	var done sync.WaitGroup
	done.Add(workers)
	task := runner.Bind(func() {
		if waiting.Add(-1) == 0 {
			close(everybody)
		}
		<-everybody
		done.Done()
	})
	for range workers {
		if err := runner.Submit(task); err != nil {
			return err
		}
	}
	done.Wait()
	return nil
}
