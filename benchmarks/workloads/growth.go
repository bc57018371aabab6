package workloads

import (
	"slices"
	"strconv"
	"sync"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

const aboutGrowth = `How the cost of an empty task grows with the number of workers, of goroutines that
submit, of tasks, and of tasks that wait in the queue. The points of all lines are
contenders of one case, so they take turns with each other. The first two are *submit*
with other numbers. For *items* a batch of so many tasks is submitted to a pool that
exists and waited for by a WaitGroup; small batches are repeated until there are
100,000 tasks. For *queue depth* all workers are held while so many tasks are submitted,
and then let go; figures are for submission and running together, without the holding;
at depth 0 nobody is held and 1,000,000 tasks are submitted. The queue is unbounded there
for Greenroom, as pond's is; the channel has none that deep. There is no warm-up.`

// The cases of growth.
const (
	ByWorkers   = "workers"
	ByProducers = "producers"
	ByItems     = "items"
	ByDepth     = "queue depth"
)

func growth(s Scale) harness.Workload {
	return harness.Workload{
		Name:  "growth",
		Title: "growth: what a task costs when there is more of everything",
		About: aboutGrowth,
		Cases: []harness.Case{
			growthCase(ByWorkers, grownPeers(), s.upTo(1000, 1, 10, 100, 1000, 10_000), growByWorkers(s)),
			growthCase(ByProducers, grownPeers(), s.upTo(100, 1, 10, 100, 1000), growByProducers(s)),
			growthCase(ByItems, grownPeers(), s.upTo(1000, 1e3, 1e4, 1e5, 1e6, 1e7), growByItems(s)),
			growthCase(ByDepth, deepPeers(), s.upTo(1000, 0, 1e3, 1e4, 1e5, 1e6), growByDepth(s)),
		},
	}
}

// upTo leaves out of a short run what takes long.
func (s Scale) upTo(most int, points ...int) []int {
	if s == Full {
		return points
	}
	return slices.DeleteFunc(points, func(x int) bool { return x > most })
}

// grownPeers are those whose growth is drawn: Greenroom, the pool with the
// cheapest submission, and the channel.
func grownPeers() []peers.Peer {
	var grown []peers.Peer
	for _, p := range peers.All() {
		switch p.Name {
		case peers.Go, peers.ApplyAsync, "pond.Go", peers.Channel:
			grown = append(grown, p)
		}
	}
	return grown
}

// growAt measures a peer at one point of a line.
type growAt func(m *harness.Meter, p peers.Peer, x int) error

func growthCase(name string, grown []peers.Peer, xs []int, measure growAt) harness.Case {
	c := harness.Case{Name: name, N: 1, MaxRounds: 3, SkipWarmUp: true}
	for _, p := range grown {
		for _, x := range xs {
			c.Contenders = append(c.Contenders, harness.Contender{
				Name:   p.Name + ", " + strconv.Itoa(x),
				Kind:   p.Kind,
				Series: p.Name,
				X:      float64(x),
				Run:    func(m *harness.Meter, _ int) error { return measure(m, p, x) },
			})
		}
	}
	return c
}

// growTasks is how many tasks a point stands for at least.
func growTasks(s Scale) int { return s.of(100_000, 2_000) }

func growByWorkers(s Scale) growAt {
	return func(m *harness.Meter, p peers.Peer, workers int) error {
		return submitAndWait(m, s, p, workers, 1, 5*growTasks(s))
	}
}

func growByProducers(s Scale) growAt {
	return func(m *harness.Meter, p peers.Peer, producers int) error {
		return submitAndWait(m, s, p, Workers, producers, 5*growTasks(s))
	}
}

// growByItems submits batches and waits for each.
func growByItems(s Scale) growAt {
	return func(m *harness.Meter, p peers.Peer, items int) error {
		runner, err := open(p, Workers, 0)
		if err != nil {
			return err
		}
		batches := max(growTasks(s)/items, 1)
		var wg sync.WaitGroup
		m.Start()
		for range batches {
			wg.Add(items)
			if err := submitTimes(runner, wg.Done, items); err != nil {
				return err
			}
			wg.Wait()
		}
		m.Stop(batches * items)
		return runner.Wait()
	}
}

// deepPeers are those with a queue that is deep enough.
func deepPeers() []peers.Peer {
	var deep []peers.Peer
	for _, p := range grownPeers() {
		if p.Name != peers.Channel {
			deep = append(deep, p)
		}
	}
	return deep
}

// growByDepth submits behind workers that are held.
func growByDepth(s Scale) growAt {
	return func(m *harness.Meter, p peers.Peer, depth int) error {
		runner, err := p.Open(peers.Config{Workers: Workers, Unbounded: true})
		if err != nil {
			return err
		}
		tasks, batches := depth, max(growTasks(s)/max(depth, 1), 1)
		if depth == 0 {
			tasks, batches = 10*growTasks(s), 1
		}
		var wg sync.WaitGroup
		m.Start()
		m.Pause()
		for range batches {
			wg.Add(tasks)
			release := func() {}
			if depth > 0 {
				if release, err = hold(runner, Workers); err != nil {
					return err
				}
			}
			m.Resume()
			if err := submitTimes(runner, wg.Done, tasks); err != nil {
				return err
			}
			release()
			wg.Wait()
			m.Pause()
		}
		m.Stop(tasks * batches)
		return runner.Wait()
	}
}

// hold keeps all workers busy until release is called.
func hold(runner peers.Runner, workers int) (release func(), err error) {
	gate := make(chan struct{})
	var held sync.WaitGroup
	held.Add(workers)
	for range workers {
		if err := runner.Submit(func() {
			held.Done()
			<-gate
		}); err != nil {
			return nil, err
		}
	}
	held.Wait()
	return func() { close(gate) }, nil
}
