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
var allocations = []struct {
	subject
	limit float64
}{
	{of("submit", "1 producer", peers.Go), 0},
	{of("submit", "64 producers", peers.Go), 0},
	{of("submit", "1 producer", peers.ApplyAsync), 2},
	{of("submit", "64 producers", peers.ApplyAsync), 2},
	{of("result", "100k", peers.ApplyAsync), 2},
	{of("result-batch", "100k", workloads.ApplyEach), 0.2},
	{of("apply", "background", workloads.Apply), 2},
	{of("imap", "one item per task", workloads.IMap), 0},
	{of("imap_unordered", "one item per task", workloads.IMapUnordered), 0},
}

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
