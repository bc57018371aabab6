package targets_test

import (
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/workloads"
)

// fake is a run of all workloads in which every contender was given the sample
// that sampleOf says.
func fake(sampleOf func(c *harness.Case, contender *harness.Contender) harness.Sample) *harness.Results {
	results := &harness.Results{Rounds: 1}
	for _, w := range workloads.All(workloads.Full) {
		measured := &harness.WorkloadResult{Workload: &w}
		for i := range w.Cases {
			c := &w.Cases[i]
			result := &harness.CaseResult{Case: c}
			for j := range c.Contenders {
				contender := &c.Contenders[j]
				entry := &harness.Entry{Contender: contender, Unable: contender.Unable}
				if contender.Unable == "" {
					entry.Samples = []harness.Sample{sampleOf(c, contender)}
				}
				result.Entries = append(result.Entries, entry)
			}
			measured.Cases = append(measured.Cases, result)
		}
		results.Workloads = append(results.Workloads, measured)
	}
	return results
}

// costing is a sample of one task; each value that a workload measures itself
// is as large.
func costing(c *harness.Case, nanoseconds, allocations float64) harness.Sample {
	s := harness.Sample{
		Tasks: 1, Wall: time.Duration(nanoseconds), CPU: time.Duration(nanoseconds),
		Allocs: allocations, Values: map[string]float64{},
	}
	for _, q := range c.Columns() {
		s.Values[q.Name] = nanoseconds
	}
	return s
}
