package report_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/report"
)

func TestNumbersHaveThreeDigitsThatCount(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.0001: "0", 0.0021: "0.002", 0.25: "0.25", 0.9: "0.9", 1: "1.00", 3.14159: "3.14",
		36.06: "36.1", 480.4: "480", 1480: "1,480", 7958: "7,960", 1234567: "1,230,000", 999_999: "1,000,000", math.NaN(): "–",
	} {
		require.Equal(t, want, report.Number(x))
	}
	require.Equal(t, "–", report.Number(math.NaN()))
}

func TestCountsForgetWhatSettingUpCost(t *testing.T) {
	require.Equal(t, "0", report.Count(0.004))
	require.Equal(t, "0.02", report.Count(0.02))
	require.Equal(t, "2.00", report.Count(2.0004))
	require.Equal(t, "–", report.Count(math.NaN()))
}

func TestTicksAreRoundNumbers(t *testing.T) {
	require.Equal(t, "10", report.TickLabel(10))
	require.Equal(t, "100,000", report.TickLabel(1e5))
	require.Equal(t, "0.1", report.TickLabel(0.1))
}

func TestSlugsAreFileNames(t *testing.T) {
	require.Equal(t, "submit-64-producers", report.Slug("submit 64 producers"))
	require.Equal(t, "map-n-16", report.Slug("map n = 16"))
	require.Equal(t, "idle-10000-workers", report.Slug("idle 10,000 workers"))
	require.Equal(t, "cpu-10-us", report.Slug("cpu 10 µs"))
}
