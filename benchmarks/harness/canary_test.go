package harness_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

func TestCanaryWaitsForAQuietMachineButNotForEver(t *testing.T) {
	const one, quiet, noisy = 100, 114, 116 // what one thread takes, and two
	for name, c := range map[string]struct {
		tries    int
		patience time.Duration
		two      []time.Duration
		want     harness.Reading
		pauses   int
	}{
		"a quiet machine is not asked twice":       {4, time.Minute, []time.Duration{quiet}, harness.Reading{One: one, Two: quiet, Tries: 1, Quiet: true}, 0},
		"a noisy one is asked again after a pause": {4, time.Minute, []time.Duration{noisy, 200, quiet}, harness.Reading{One: one, Two: quiet, Tries: 3, Quiet: true}, 2},
		"until it has been asked often enough":     {3, time.Minute, []time.Duration{noisy, noisy, noisy}, harness.Reading{One: one, Two: noisy, Tries: 3}, 2},
		"or the patience of the run is at its end": {9, 2 * time.Second, []time.Duration{noisy, noisy, noisy}, harness.Reading{One: one, Two: noisy, Tries: 3}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var slept time.Duration
			compute := func(threads int) time.Duration {
				if threads == 1 {
					return one
				}
				took := c.two[0]
				c.two = c.two[1:]
				return took
			}
			canary := harness.NewTestCanary(c.tries, c.patience, compute, func(d time.Duration) { slept += d })
			require.Equal(t, c.want, canary.Wait())
			require.Equal(t, time.Duration(c.pauses)*time.Second, slept)
		})
	}
}

func TestCanaryOfThisMachineComputes(t *testing.T) {
	canary := harness.NewCanary()
	canary.Tries = 1
	reading := canary.Wait()
	require.Positive(t, reading.One)
	require.Positive(t, reading.Ratio())
}
