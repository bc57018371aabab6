package actors

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ago are moments that many seconds before now.
func ago(now time.Time, seconds ...int) (moments []time.Time) {
	for _, s := range seconds {
		moments = append(moments, now.Add(-time.Duration(s)*time.Second))
	}
	return moments
}

func TestJudge(t *testing.T) {
	now := time.Now()
	three := Supervision{MaxRestarts: 3, Within: 10 * time.Second}
	escalating := three
	escalating.Exceeded = Escalate
	for _, c := range []struct {
		name     string
		rules    Supervision
		kind     FailureKind
		wanted   Directive
		restarts []time.Time
		verdict  verdict
	}{
		{"restarts after a panic", Supervision{}, TaskPanicked, 0, nil, verdict{directive: Restart}},
		{"restarts after a Goexit", Supervision{}, TaskExited, 0, nil, verdict{directive: Restart}},
		{"breaks after a failed initializer", Supervision{}, InitializerFailed, 0, nil, verdict{directive: Break}},
		{"does what is wanted: resume", Supervision{}, TaskPanicked, Resume, nil, verdict{directive: Resume}},
		{"does what is wanted: escalate", Supervision{}, TaskPanicked, Escalate, nil, verdict{directive: Escalate}},
		{"does what is wanted: break", Supervision{}, TaskExited, Break, nil, verdict{directive: Break}},
		{"does what is wanted: initialize again", Supervision{}, InitializerFailed, Restart, nil, verdict{directive: Restart}},
		{"cannot resume without a state", Supervision{}, InitializerFailed, Resume, nil, verdict{directive: Restart}},
		{"does not know the directive", Supervision{}, TaskPanicked, 77, nil, verdict{directive: Restart}},
		{"does not know the directive for an initializer", Supervision{}, InitializerFailed, 77, nil, verdict{directive: Break}},
		{"counts the first restart", three, TaskPanicked, 0, nil, verdict{directive: Restart, counts: true}},
		{"counts the last restart", three, TaskPanicked, 0, ago(now, 9, 8), verdict{directive: Restart, counts: true}},
		{"exceeds", three, TaskPanicked, 0, ago(now, 9, 8, 7), verdict{directive: Break, exceeded: true}},
		{"exceeds at the same moment", three, TaskPanicked, 0, ago(now, 0, 0, 0), verdict{directive: Break, exceeded: true}},
		{"forgets what is as long ago as the time", three, TaskPanicked, 0, ago(now, 10, 8, 7), verdict{directive: Restart, counts: true}},
		{"exceeds and escalates", escalating, TaskPanicked, Restart, ago(now, 9, 8, 7), verdict{directive: Escalate, exceeded: true}},
		{"does not count what is resumed", three, TaskPanicked, Resume, ago(now, 9, 8, 7), verdict{directive: Resume}},
		{"exceeds by an initializer", three, InitializerFailed, Restart, ago(now, 9, 8, 7), verdict{directive: Break, exceeded: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.verdict, c.rules.judge(c.kind, c.wanted, c.restarts, now))
		})
	}
}

func TestScopeCovers(t *testing.T) {
	for scope, covered := range map[Scope][]int{OneForOne: {2}, AllForOne: {1, 2, 3}, RestForOne: {2, 3}} {
		var got []int
		for worker := 1; worker <= 3; worker++ {
			if scope.covers(2, worker) {
				got = append(got, worker)
			}
		}
		require.Equal(t, covered, got, "scope %d", scope)
	}
}

func TestBackoffGrowsAndBeginsAnewAfterAQuietTime(t *testing.T) {
	rules := Supervision{MinBackoff: time.Second, MaxBackoff: 5 * time.Second}
	now := time.Now()
	p := patience{intN: rand.IntN}
	for _, c := range []struct{ after, wait time.Duration }{
		{0, time.Second},
		{2 * time.Second, 2 * time.Second}, // it came back after one second, and failed at once
		{3 * time.Second, 4 * time.Second},
		{5 * time.Second, 5 * time.Second},
		{6 * time.Second, 5 * time.Second},
		{9 * time.Second, 5 * time.Second},  // 4 s after it came back
		{10 * time.Second, 1 * time.Second}, // 5 s after it came back
	} {
		now = now.Add(c.after)
		require.Equal(t, c.wait, p.next(rules, now))
	}
	require.Zero(t, new(patience).next(Supervision{}, now))
}

func TestJitterStaysWithinItsBounds(t *testing.T) {
	rules := Supervision{MinBackoff: 4 * time.Second, MaxBackoff: 4 * time.Second, Jitter: 0.25}
	waits := map[time.Duration]bool{}
	for range 200 {
		p := patience{intN: rand.IntN}
		wait := p.next(rules, time.Now())
		require.InDelta(t, 4*time.Second, wait, float64(time.Second)+1)
		waits[wait] = true
	}
	require.Greater(t, len(waits), 100, "they differ")
}
