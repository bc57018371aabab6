package actors

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

// dequeue asks about tasks that a worker takes every 10 ms, each of which has waited for
// so long, and says when some were shed.
func dequeue(c *codel, now *time.Duration, n int, waited time.Duration) (shed []time.Duration) {
	for range n {
		*now += 10 * ms
		for c.sheds(waited, *now, 100) {
			shed = append(shed, *now)
		}
	}
	return shed
}

func TestCodelLeavesABurstAlone(t *testing.T) {
	c, now := &codel{target: 5 * ms, interval: 100 * ms}, time.Duration(0)
	require.Empty(t, dequeue(c, &now, 10, 50*ms), "not for a whole interval")
	require.Empty(t, dequeue(c, &now, 1, 4*ms), "once it was in time")
	require.Empty(t, dequeue(c, &now, 10, 50*ms))
}

func TestCodelShedsMoreAndMoreOftenWhileTheDelayStays(t *testing.T) {
	c, now := &codel{target: 5 * ms, interval: 100 * ms}, time.Duration(0)
	shed := dequeue(c, &now, 100, 50*ms)
	// At 110 ms, then after 100, 71, 58, 50, 45, ... ms, when a worker comes.
	require.Equal(t, []time.Duration{110 * ms, 210 * ms, 290 * ms, 340 * ms, 390 * ms, 440 * ms}, shed[:6])
	require.IsNonDecreasing(t, shed)
	gaps := make([]time.Duration, 0, len(shed))
	for i := range shed[1:] {
		gaps = append(gaps, shed[i+1]-shed[i])
	}
	require.Less(t, slices.Max(gaps[len(gaps)-5:]), slices.Max(gaps[:5]))
}

func TestCodelStopsAtOnceAndGoesOnWhereItWas(t *testing.T) {
	c, now := &codel{target: 5 * ms, interval: 100 * ms}, time.Duration(0)
	first := dequeue(c, &now, 60, 50*ms)
	require.Empty(t, dequeue(c, &now, 1, 4*ms))
	again := dequeue(c, &now, 40, 50*ms)
	require.NotEmpty(t, again)
	require.Equal(t, again[0]-first[0], 610*ms, "an interval after it was above again")
	require.Less(t, again[1]-again[0], 100*ms, "not as slowly as the first time")

	now += time.Minute
	require.Empty(t, dequeue(c, &now, 1, 4*ms))
	later := dequeue(c, &now, 40, 50*ms)
	require.Equal(t, 100*ms, later[1]-later[0], "after a long time from the beginning")
}

func TestCodelServesTheLastTask(t *testing.T) {
	c := &codel{target: 5 * ms, interval: 100 * ms}
	for i := range 100 {
		require.False(t, c.sheds(time.Hour, time.Duration(i)*time.Second, 0))
	}
}
