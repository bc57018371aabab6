package harness_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// entry is a contender whose tasks took so many nanoseconds, round by round.
func entry(name string, kind harness.Kind, nanoseconds ...int) *harness.Entry {
	e := &harness.Entry{Contender: &harness.Contender{Name: name, Kind: kind}}
	for _, ns := range nanoseconds {
		e.Samples = append(e.Samples, harness.Sample{Tasks: 10, Wall: time.Duration(10 * ns)})
	}
	return e
}

func TestRatioIsTheMedianOfTheRatiosOfTheRounds(t *testing.T) {
	perTask := harness.PerTask[0]
	// The second round took everybody ten times as long.
	us, them := entry("us", harness.Greenroom, 10, 100, 30), entry("them", harness.Pool, 20, 200, 20)
	require.Equal(t, 0.5, us.Ratio(perTask, them))
	require.Equal(t, 30.0, us.Median(perTask))
	require.True(t, math.IsNaN(us.Ratio(perTask, nil)))
	var nobody *harness.Entry
	require.True(t, math.IsNaN(nobody.Ratio(perTask, us)))
}

func TestReferenceIsTheBestPoolUnlessTheCaseNamesOne(t *testing.T) {
	c := &harness.CaseResult{Case: &harness.Case{}, Entries: []*harness.Entry{
		entry("us", harness.Greenroom, 1),
		entry("slow pool", harness.Pool, 30),
		entry("fast pool", harness.Pool, 20),
		entry("unable pool", harness.Pool),
		entry("by hand", harness.Raw, 10),
	}}
	require.Equal(t, "fast pool", c.Reference().Contender.Name)
	c.Case.Reference = "by hand"
	require.Equal(t, "by hand", c.Reference().Contender.Name)
	c.Case.Reference = "unable pool"
	require.Nil(t, c.Reference())
}

func TestResultsFindWhatWasRunOnly(t *testing.T) {
	c := &harness.CaseResult{
		Case:    &harness.Case{Name: "c"},
		Entries: []*harness.Entry{entry("ran", harness.Pool, 1), entry("unable", harness.Pool)},
	}
	results := &harness.Results{Workloads: []*harness.WorkloadResult{
		{Workload: &harness.Workload{Name: "w"}, Cases: []*harness.CaseResult{c}},
	}}
	require.Same(t, c, results.Case("w", "c"))
	require.Nil(t, results.Case("w", "other"))
	require.Nil(t, results.Case("other", "c"))
	require.NotNil(t, c.Entry("ran"))
	require.Nil(t, c.Entry("unable"))
	require.Nil(t, results.Case("other", "c").Entry("ran"))
}
