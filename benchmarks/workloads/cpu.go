package workloads

import (
	"runtime"
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

const aboutCPU = `Tasks of 10 µs of pure computation, calibrated on this machine. *Serial / cores*
does the same tasks in a loop on one goroutine, in the same round, and divides the time
by GOMAXPROCS: what a pool that costs nothing would take, if every core were as fast as
one is alone. CPython is left out: it computes on one core at a time.`

// SerialByCores is what a pool that costs nothing would take.
const SerialByCores = "serial / cores"

const shortTask = 10 * time.Microsecond

func cpu(s Scale) harness.Workload {
	c := harness.Case{Name: "10 µs", N: s.of(100_000, 500), Reference: SerialByCores}
	c.Contenders = append(c.Contenders, harness.Contender{Name: SerialByCores, Kind: harness.Raw, Run: serialByCores})
	for _, p := range peers.All() {
		c.Contenders = append(c.Contenders, contender(p, "", func(m *harness.Meter, n int) error {
			return submitEach(m, p, Workers, n, computing(shortTask), nil)
		}))
	}
	return harness.Workload{
		Name:  "cpu",
		Title: "cpu: tasks of 10 µs",
		About: aboutCPU,
		Cases: []harness.Case{c},
	}
}

func serialByCores(m *harness.Meter, n int) error {
	task := computing(shortTask)
	m.Start()
	for range n {
		task()
	}
	m.Stop(n)
	m.DivideWall(runtime.GOMAXPROCS(0))
	return nil
}
