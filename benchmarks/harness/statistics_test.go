package harness_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

func TestMedian(t *testing.T) {
	unknown := math.NaN()
	for name, c := range map[string]struct {
		values []float64
		want   float64
	}{
		"the middle of an odd number":        {[]float64{9, 1, 5}, 5},
		"the mean of the middle two":         {[]float64{4, 1, 9, 2}, 3},
		"one value is its own":               {[]float64{7}, 7},
		"what is not known does not count":   {[]float64{unknown, 3, unknown, 5, 4}, 4},
		"nothing known is not known":         {[]float64{unknown}, unknown},
		"no values at all are not known":     {nil, unknown},
		"an outlier does not move it far":    {[]float64{1, 2, 1000}, 2},
		"the order of values does not count": {[]float64{3, 2, 1}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if got := harness.Median(c.values); !math.IsNaN(c.want) || !math.IsNaN(got) {
				require.Equal(t, c.want, got)
			}
		})
	}
}

func TestMedianLeavesItsValuesInOrder(t *testing.T) {
	values := []float64{3, 1, 2}
	harness.Median(values)
	require.Equal(t, []float64{3, 1, 2}, values)
}

func TestRange(t *testing.T) {
	lowest, highest := harness.Range([]float64{3, math.NaN(), 1, 2})
	require.Equal(t, []float64{1, 3}, []float64{lowest, highest})
	lowest, highest = harness.Range(nil)
	require.True(t, math.IsNaN(lowest) && math.IsNaN(highest))
}

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	require.Equal(t, 50.0, harness.Percentile(hundred, 0.5))
	require.Equal(t, 99.0, harness.Percentile(hundred, 0.99))
	require.Equal(t, 100.0, harness.Percentile(hundred, 0.999))
	require.Equal(t, 1.0, harness.Percentile(hundred, 0))
	require.True(t, math.IsNaN(harness.Percentile(nil, 0.5)))
}
