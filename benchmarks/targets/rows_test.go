package targets_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/targets"
	"github.com/greenroom-go/greenroom/benchmarks/workloads"
)

func TestEveryBoundFindsItsFiguresInAFullRun(t *testing.T) {
	results := fake(func(c *harness.Case, _ *harness.Contender) harness.Sample { return costing(c, 100, 1) })
	names := map[string]bool{}
	for _, row := range targets.Rows() {
		require.False(t, names[row.Name], "two rows are called %s", row.Name)
		names[row.Name] = true
		require.NotEmpty(t, row.Must)
		for _, bound := range slices.Concat(row.Must, row.Aim) {
			require.True(t, bound.Of(results).Known(), "%s: %s is not measured", row.Name, bound)
		}
	}
}

func TestRowsWithoutARunAreNotMeasured(t *testing.T) {
	for _, row := range targets.Rows() {
		require.Equal(t, targets.NotMeasured, row.Judge(&harness.Results{}), row.Name)
	}
}

func TestGreenroomThatCostsNothingReachesEveryAim(t *testing.T) {
	results := fake(func(c *harness.Case, contender *harness.Contender) harness.Sample {
		if contender.Kind == harness.Greenroom {
			return costing(c, 1, 0)
		}
		return costing(c, 10_000, 5)
	})
	for _, row := range targets.Rows() {
		want := targets.ReachesAim
		if len(row.Aim) == 0 {
			want = targets.Holds
		}
		require.Equal(t, want, row.Judge(results), row.Name)
	}
}

func TestGreenroomThatIsSlowHoldsNoRatio(t *testing.T) {
	results := fake(func(c *harness.Case, contender *harness.Contender) harness.Sample {
		cost := 100.0
		if contender.Kind == harness.Greenroom {
			cost = 1_000_000 + 1_000_000*contender.X
		}
		return costing(c, cost, 9)
	})
	for _, row := range targets.Rows() {
		require.Equal(t, targets.DoesNotHold, row.Judge(results), row.Name)
	}
}

func TestRatioNamesTheBestOfThoseItMayBeComparedWith(t *testing.T) {
	cheap := map[string]float64{"channel": 10, "Proto.Actor Send": 20, "conc.pool": 30, "ants.MultiPool": 40, "ants.Pool": 50}
	results := fake(func(c *harness.Case, contender *harness.Contender) harness.Sample {
		if cost, ok := cheap[contender.Name]; ok {
			return costing(c, cost, 0)
		}
		return costing(c, 60, 0)
	})
	against := func(row string, bound int) targets.Measured {
		i := slices.IndexFunc(targets.Rows(), func(r targets.Row) bool { return r.Name == row })
		return targets.Rows()[i].Must[bound].Of(results)
	}
	require.Equal(t, targets.Measured{Value: 2, Against: "conc.pool"}, against("submit-go", 0), "neither a channel nor an actor is a pool")
	require.Equal(t, targets.Measured{Value: 1.5, Against: "ants.MultiPool"}, against("io", 0), "the fastest form of ants counts")
}

func TestGrowthIsFromTheCheapestToTheDearestPoint(t *testing.T) {
	results := fake(func(c *harness.Case, contender *harness.Contender) harness.Sample {
		if contender.X == 100 {
			return costing(c, 300, 0)
		}
		return costing(c, 200, 0)
	})
	for _, row := range targets.Rows() {
		if row.Name == "growth-"+workloads.ByWorkers {
			require.Equal(t, 1.5, row.Must[0].Of(results).Value)
			require.Equal(t, targets.Holds, row.Judge(results))
		}
	}
}
