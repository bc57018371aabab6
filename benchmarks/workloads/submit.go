package workloads

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

const aboutSubmit = `Empty tasks are submitted, by one goroutine or by 64, and then waited for, all
together. A pool that can tell by itself when everything has been run does so
(Greenroom: Close, then Join); otherwise the tasks count down a WaitGroup, which is
raised once for all of them. The task is one function, bound before the clock starts,
so that nobody pays for a closure but those whose own way makes one.`

func submit(s Scale) harness.Workload {
	return harness.Workload{
		Name:  "submit",
		Title: "submit: fire and forget, then wait for all",
		About: aboutSubmit,
		Cases: []harness.Case{
			submitCase(s, "1 producer", 1),
			submitCase(s, "64 producers", 64),
		},
	}
}

func submitCase(s Scale, name string, producers int) harness.Case {
	c := harness.Case{Name: name, N: s.of(1_000_000, 50_000)}
	for _, p := range peers.All() {
		c.Contenders = append(c.Contenders, contender(p, "", func(m *harness.Meter, n int) error {
			return submitAndWait(m, s, p, Workers, producers, n)
		}))
	}
	c.Contenders = append(c.Contenders, peers.ThreadPool("submit", Workers, s.of(20_000, 640), producers))
	return c
}

// submitAndWait measures n empty tasks, from the first submission until the
// last has been run.
func submitAndWait(m *harness.Meter, s Scale, p peers.Peer, workers, producers, n int) error {
	each := max(n/producers, 1)
	n = each * producers
	runner, err := open(p, workers, n)
	if err != nil {
		return err
	}
	task, verify := emptyTask(s)
	task = runner.Bind(task)

	m.Start()
	err = produce(runner, task, producers, each)
	err = errors.Join(err, runner.Wait())
	m.Stop(n)
	return errors.Join(err, verify(n))
}

// emptyTask does nothing when it is measured, and is counted when it is only
// looked at whether each is run once.
func emptyTask(s Scale) (task func(), verify func(n int) error) {
	if s == Full {
		return func() {}, func(int) error { return nil }
	}
	var ran atomic.Int64
	return func() { ran.Add(1) }, func(n int) error {
		if got := ran.Load(); got != int64(n) {
			return fmt.Errorf("%d of %d tasks were run", got, n)
		}
		return nil
	}
}

// produce has each of the producers submit the task that many times.
func produce(runner peers.Runner, task func(), producers, each int) error {
	if producers == 1 {
		return submitTimes(runner, task, each)
	}
	var wg sync.WaitGroup
	failed := make([]error, producers)
	for i := range producers {
		wg.Go(func() { failed[i] = submitTimes(runner, task, each) })
	}
	wg.Wait()
	return errors.Join(failed...)
}

func submitTimes(runner peers.Runner, task func(), times int) error {
	for range times {
		if err := runner.Submit(task); err != nil {
			return err
		}
	}
	return nil
}
