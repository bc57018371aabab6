package targets

import (
	"fmt"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
	"github.com/greenroom-go/greenroom/benchmarks/workloads"
)

// allocations are the counts that hold on every machine, however noisy: per
// task, with the user's closure. What opening a pool costs is in them, spread
// over all tasks; [setUp] allows for it.
//
// They are what must not get worse, not what is asked for, which is in rows.go:
// Go allocates nothing for a task, but its queue, while it grows, a kibibyte for
// 56 tasks; and a stream allocates for a runner that is woken, which few items bear.
var allocations = []struct {
	subject
	limit float64
}{
	{of("submit", "1 producer", peers.Go), queueMemory},
	{of("submit", "64 producers", peers.Go), queueMemory},
	{of("submit", "1 producer", peers.ApplyAsync), 2 + queueMemory},
	{of("submit", "64 producers", peers.ApplyAsync), 2 + queueMemory},
	{of("result", "100k", peers.ApplyAsync), 2 + queueMemory},
	{of("result-batch", "100k", workloads.ApplyEach), 0.2},
	{of("apply", "background", workloads.Apply), 2 + handedOver},
	{of("imap", "one item per task", workloads.IMap), streamWakes},
	{of("imap_unordered", "one item per task", workloads.IMapUnordered), streamWakes},
}

const (
	queueMemory = 0.05
	streamWakes = 0.1
	handedOver  = 0.25 // before a worker is idle, Apply has to wait for one
)

// CheckAllocations returns what a run allocated too much, one line each. What
// the run has not measured is not checked.
func CheckAllocations(results *harness.Results) []string {
	var excess []string
	for _, a := range allocations {
		bound := a.allocs(a.limit)
		m := bound.Of(results)
		if m.Known() && !bound.holds(m) {
			excess = append(excess, fmt.Sprintf("%s/%s/%s: %.2f allocations a task; at most %g are allowed",
				a.workload, a.name, a.contender, m.Value, a.limit))
		}
	}
	return excess
}
