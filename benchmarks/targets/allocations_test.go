package targets_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/targets"
)

func TestAllocationsAreCheckedWithRoomForSettingUp(t *testing.T) {
	allocating := func(n float64) *harness.Results {
		return fake(func(c *harness.Case, _ *harness.Contender) harness.Sample { return costing(c, 1, n) })
	}
	require.Empty(t, targets.CheckAllocations(allocating(0)))
	require.Empty(t, targets.CheckAllocations(allocating(0.02)))
	require.Empty(t, targets.CheckAllocations(&harness.Results{}), "what was not run is not checked")

	tenth := targets.CheckAllocations(allocating(0.1))
	require.Len(t, tenth, 2, "those that may not allocate but for the queue")
	require.Equal(t, "submit/1 producer/Greenroom Go: 0.10 allocations a task; at most 0.05 are allowed", tenth[0])
	require.Len(t, targets.CheckAllocations(allocating(0.4)), 5, "and ApplyEach, and streams")
	require.Len(t, targets.CheckAllocations(allocating(2.4)), 9, "and those that may allocate twice")
}
