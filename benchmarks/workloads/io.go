package workloads

import (
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

const aboutIO = `Tasks that sleep for 1 ms, as one that waits for a disk or a network does, on
1,000 workers. If pools and timers cost nothing, a task would take 1,000 ns.`

// ioWorkers is how many tasks may sleep at once.
const ioWorkers = 1000

func io(s Scale) harness.Workload {
	c := harness.Case{Name: "1 ms", N: s.of(100_000, 2_000)}
	for _, p := range peers.All() {
		c.Contenders = append(c.Contenders, contender(p, "", func(m *harness.Meter, n int) error {
			return submitEach(m, p, ioWorkers, n, func() { time.Sleep(time.Millisecond) }, nil)
		}))
	}
	c.Contenders = append(c.Contenders, peers.ThreadPool("io", ioWorkers, s.of(10_000, 1_000)))
	return harness.Workload{
		Name:  "io",
		Title: "io: tasks that sleep for 1 ms on 1,000 workers",
		About: aboutIO,
		Cases: []harness.Case{c},
	}
}
