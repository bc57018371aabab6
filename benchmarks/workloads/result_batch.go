package workloads

import (
	"context"
	"errors"

	"github.com/alitto/pond/v2"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
	"github.com/greenroom-go/greenroom/pool"
)

const aboutResultBatch = `The same as *result*, but the tasks are known together. Greenroom takes them
in one call (ApplyEach) and still gives each its own result. Peers that have no such
form do what they do in *result*. The channel takes part once more with all places for
results in one slice, as one would write it for a batch; pond.ResultTaskGroup gives
all results at once, when the last is there.`

// ApplyEach is Greenroom's form for batches.
const ApplyEach = "Greenroom ApplyEach"

func resultBatch(s Scale) harness.Workload {
	c := harness.Case{Name: "100k", N: s.of(100_000, 50_000)}
	c.Contenders = append(c.Contenders,
		harness.Contender{Name: ApplyEach, Kind: harness.Greenroom, Run: batchGreenroom},
		harness.Contender{Name: peers.Channel + ", one slice of WaitGroups", Kind: harness.Raw, Run: batchChannel},
		harness.Contender{Name: "pond.ResultTaskGroup", Kind: harness.Pool, Run: batchPondGroup},
	)
	for _, peer := range resultPeers() {
		if peer.Name != "pond.TaskGroup" { // its sister with results takes part
			c.Contenders = append(c.Contenders, peer)
		}
	}
	return harness.Workload{
		Name:  "result-batch",
		Title: "result-batch: a typed result for each task, submitted together",
		About: aboutResultBatch,
		Cases: []harness.Case{c},
	}
}

func numbers(n int) []int {
	items := make([]int, n)
	for i := range items {
		items[i] = i
	}
	return items
}

func batchGreenroom(m *harness.Meter, n int) error {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(Workers), pool.WithUnboundedQueue())
	if err != nil {
		return err
	}
	items := numbers(n)
	m.Start()
	sum, err := addUp(ctx, pool.ApplyEach(ctx, p, squareTask, items))
	m.Stop(n)
	return errors.Join(err, checkSum(sum, n), p.Shutdown(ctx))
}

func batchChannel(m *harness.Meter, n int) error {
	runner, err := peers.OpenChannel(Workers)
	if err != nil {
		return err
	}
	m.Start()
	futures := make([]future, n)
	for i := range futures {
		if err := futures[i].start(runner, i); err != nil {
			return err
		}
	}
	sum := 0
	for i := range futures {
		sum += futures[i].get()
	}
	m.Stop(n)
	return errors.Join(checkSum(sum, n), runner.Wait())
}

func batchPondGroup(m *harness.Meter, n int) error {
	p := pond.NewResultPool[int](Workers)
	defer p.StopAndWait()
	m.Start()
	group := p.NewGroup()
	for i := range n {
		group.Submit(func() int { return square(i) })
	}
	squares, err := group.Wait()
	sum := 0
	for _, v := range squares {
		sum += v
	}
	m.Stop(n)
	return errors.Join(err, checkSum(sum, n))
}
