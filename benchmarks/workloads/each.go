package workloads

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

// every is how many tasks there are to one that differs from the others.
const every = 100

// submitEach measures n tasks, from the first submission until the last has
// been run. If other is not nil, it is every hundredth task.
func submitEach(m *harness.Meter, p peers.Peer, workers, n int, task, other func()) error {
	runner, err := open(p, workers, n)
	if err != nil {
		return err
	}
	// Tasks of this length can be counted without being disturbed by it.
	var ran atomic.Int64
	bound := runner.Bind(counted(&ran, task))
	rare := bound
	if other != nil {
		rare = runner.Bind(counted(&ran, other))
	}
	m.Start()
	for i := range n {
		fn := bound
		if i%every == every/2 {
			fn = rare
		}
		if err := runner.Submit(fn); err != nil {
			return err
		}
	}
	err = runner.Wait()
	m.Stop(n)
	if got := ran.Load(); got != int64(n) {
		err = errors.Join(err, fmt.Errorf("%d of %d tasks were run", got, n))
	}
	return err
}

func counted(ran *atomic.Int64, fn func()) func() {
	return func() {
		fn()
		ran.Add(1)
	}
}
