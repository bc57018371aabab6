package workloads_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/workloads"
)

// Contenders check their own results, so a run without an error is one in
// which every task was run once and every result was right.
func TestEveryContenderOfEveryWorkloadGivesTheRightResults(t *testing.T) {
	for _, w := range workloads.All(workloads.Short) {
		t.Run(w.Name, func(t *testing.T) {
			runner := harness.Runner{Rounds: 1, Deadline: 5 * time.Minute}
			results, err := runner.Run([]harness.Workload{w})
			require.NoError(t, err)
			for _, c := range results.Workloads[0].Cases {
				for _, e := range c.Entries {
					if e.Contender.Kind != harness.Python {
						require.Equal(t, e.Contender.Unable, e.Unable, e.Contender.Name)
					}
					require.NotEqual(t, e.Unable == "", len(e.Samples) == 0, "%s has either samples or a reason", e.Contender.Name)
				}
			}
		})
	}
}

func TestNamesTellContendersApart(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range workloads.All(workloads.Full) {
		require.NotEmpty(t, w.About)
		require.NotEmpty(t, w.Title)
		for _, c := range w.Cases {
			for _, contender := range c.Contenders {
				path := harness.Path(&w, &c, &contender)
				require.False(t, seen[path], "two are called %s", path)
				seen[path] = true
			}
		}
	}
}

func TestGreenroomTakesPartInEveryCase(t *testing.T) {
	for _, w := range workloads.All(workloads.Full) {
		for _, c := range w.Cases {
			found := false
			for _, contender := range c.Contenders {
				found = found || contender.Kind == harness.Greenroom && contender.Unable == ""
			}
			require.True(t, found, "%s, %s", w.Name, c.Name)
		}
	}
}

func TestAReferenceIsOneOfTheContenders(t *testing.T) {
	for _, w := range workloads.All(workloads.Full) {
		for _, c := range w.Cases {
			found := c.Reference == ""
			for _, contender := range c.Contenders {
				found = found || contender.Name == c.Reference
			}
			require.True(t, found, "%s, %s has no %s", w.Name, c.Name, c.Reference)
		}
	}
}
