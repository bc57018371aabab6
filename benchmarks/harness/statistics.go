package harness

import (
	"math"
	"slices"
)

// Median is the middle of values, or the mean of the two in the middle. Values
// that are not known (NaN) do not count; NaN if none is known.
func Median(values []float64) float64 {
	sorted := known(values)
	n := len(sorted)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return sorted[n/2]
	default:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
}

// Range is the smallest and the largest of values.
func Range(values []float64) (lowest, highest float64) {
	sorted := known(values)
	if len(sorted) == 0 {
		return math.NaN(), math.NaN()
	}
	return sorted[0], sorted[len(sorted)-1]
}

// Percentile is the value that a share of p, between 0 and 1, of sorted does
// not exceed.
func Percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	i := int(math.Ceil(p*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// known returns the values that are numbers, sorted.
func known(values []float64) []float64 {
	numbers := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(numbers)
	return numbers
}
