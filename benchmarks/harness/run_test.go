package harness_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// noted is a contender that notes how many tasks it was given.
func noted(name string, turns *[]string) harness.Contender {
	return harness.Contender{Name: name, Run: func(m *harness.Meter, n int) error {
		*turns = append(*turns, fmt.Sprint(name, " ", n))
		m.Start()
		m.Stop(n)
		return nil
	}}
}

func workload(contenders ...harness.Contender) []harness.Workload {
	return []harness.Workload{{Name: "w", Cases: []harness.Case{{Name: "c", N: 100, Contenders: contenders}}}}
}

func TestEveryContenderHasATurnInEveryRoundAfterAShortWarmUp(t *testing.T) {
	var turns []string
	runner := harness.Runner{Rounds: 2, WarmUp: true, Deadline: time.Minute}
	few := noted("few", &turns)
	few.N = 20
	all := workload(noted("a", &turns), few, noted("b", &turns))
	steps := 0
	runner.Progress = func(*harness.Workload, *harness.Case, *harness.Contender) { steps++ }

	results, err := runner.Run(all)

	require.NoError(t, err)
	require.ElementsMatch(t, []string{"a 10", "b 10", "few 2"}, turns[:3])
	require.ElementsMatch(t, []string{"a 100", "b 100", "few 20"}, turns[3:6])
	require.ElementsMatch(t, []string{"a 100", "b 100", "few 20"}, turns[6:])
	require.Equal(t, runner.Steps(all), steps)
	require.Len(t, results.Case("w", "c").Entry("a").Samples, 2)
	require.Equal(t, 2, results.Case("w", "c").Rounds())
}

func TestOrderOfTurnsDiffersFromRoundToRound(t *testing.T) {
	var turns []string
	var contenders []harness.Contender
	for i := range 8 {
		contenders = append(contenders, noted(fmt.Sprint(i), &turns))
	}
	runner := harness.Runner{Rounds: 2, Deadline: time.Minute}
	_, err := runner.Run(workload(contenders...))
	require.NoError(t, err)
	require.NotEqual(t, turns[:8], turns[8:])
	require.ElementsMatch(t, turns[:8], turns[8:])
}

func TestCaseMayBoundItsRoundsAndSkipItsWarmUp(t *testing.T) {
	var turns []string
	all := workload(noted("a", &turns))
	all[0].Cases[0].MaxRounds = 3
	all[0].Cases[0].SkipWarmUp = true
	runner := harness.Runner{Rounds: 9, WarmUp: true, Deadline: time.Minute}
	_, err := runner.Run(all)
	require.NoError(t, err)
	require.Len(t, turns, 3)
	require.Equal(t, 3, runner.Steps(all))
}

func TestWrongResultEndsTheRunAndNamesTheContender(t *testing.T) {
	wrong := errors.New("the results add up to 3; want 4")
	runner := harness.Runner{Rounds: 1, Deadline: time.Minute}
	_, err := runner.Run(workload(harness.Contender{Name: "a", Run: func(*harness.Meter, int) error { return wrong }}))
	require.ErrorIs(t, err, wrong)
	require.ErrorContains(t, err, "w/c/a")
}

func TestContenderThatForgetsToStopItsMeterIsAnError(t *testing.T) {
	runner := harness.Runner{Rounds: 1, Deadline: time.Minute}
	_, err := runner.Run(workload(harness.Contender{Name: "a", Run: func(m *harness.Meter, _ int) error {
		m.Start()
		return nil
	}}))
	require.ErrorContains(t, err, "meter")
}

func TestContenderThatCannotTakePartIsNamedWithItsReason(t *testing.T) {
	var turns []string
	runner := harness.Runner{Rounds: 2, Deadline: time.Minute}
	results, err := runner.Run(workload(
		noted("a", &turns),
		harness.Contender{Name: "never", Unable: "no results"},
		harness.Contender{Name: "not here", Run: func(*harness.Meter, int) error { return harness.Unable("not installed") }},
	))
	require.NoError(t, err)
	entries := results.Case("w", "c").Entries
	require.Equal(t, []string{"", "no results", "not installed"}, []string{entries[0].Unable, entries[1].Unable, entries[2].Unable})
	require.Empty(t, entries[2].Samples)
}

func TestContenderThatHangsIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		runner := harness.Runner{Rounds: 1, Deadline: time.Minute}
		_, err := runner.Run(workload(harness.Contender{Name: "a", Run: func(*harness.Meter, int) error {
			<-release
			return nil
		}}))
		require.ErrorContains(t, err, "w/c/a: not done after 1m0s")
	})
}

func TestRoundIsNoisyIfATurnIs(t *testing.T) {
	ratios := []time.Duration{100, 200, 100}
	asked := 0
	compute := func(threads int) time.Duration {
		if threads == 1 {
			return 100
		}
		asked++
		return ratios[asked-1]
	}
	synctest.Test(t, func(t *testing.T) {
		// Turns of a second, so that each asks the canary.
		long := harness.Contender{Name: "a", Run: func(m *harness.Meter, n int) error {
			m.Start()
			time.Sleep(time.Second)
			m.Stop(n)
			return nil
		}}
		runner := harness.Runner{Rounds: 3, Deadline: time.Minute}
		runner.Canary = harness.NewTestCanary(1, time.Minute, compute, time.Sleep)
		results, err := runner.Run(workload(long))
		require.NoError(t, err)
		require.Len(t, results.Readings, 3)
		require.Equal(t, 1, results.Case("w", "c").Noisy)
	})
}

func TestRunBehindItsBudgetTakesNoMoreRoundsThanAreEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := 0
		slow := harness.Contender{Name: "a", Run: func(m *harness.Meter, n int) error {
			turns++
			m.Start()
			time.Sleep(time.Minute)
			m.Stop(n)
			return nil
		}}
		all := append(workload(slow), workload(slow)...)
		steps := 0
		runner := harness.Runner{
			Rounds: 9, Budget: 5*time.Minute + time.Second, Deadline: time.Hour,
			Progress: func(*harness.Workload, *harness.Case, *harness.Contender) { steps++ },
		}
		_, err := runner.Run(all)
		require.NoError(t, err)
		require.Equal(t, 6+3, turns, "the first case until the budget is used up, the second three times")
		require.Equal(t, runner.Steps(all), steps)
	})
}

func TestMeterCountsTimeOutsideOfPausesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runner := harness.Runner{Rounds: 1, Deadline: time.Hour}
		results, err := runner.Run(workload(harness.Contender{Name: "a", Run: func(m *harness.Meter, n int) error {
			m.Start()
			time.Sleep(time.Second)
			m.Pause()
			time.Sleep(time.Minute)
			m.Resume()
			time.Sleep(time.Second)
			m.Stop(n)
			return nil
		}}))
		require.NoError(t, err)
		sample := results.Case("w", "c").Entry("a").Samples[0]
		require.Equal(t, 2*time.Second, sample.Wall)
		require.Equal(t, float64(2*time.Second)/100, harness.PerTask[0].Of(sample))
	})
}

func TestRecordedTasksCanBeRegrouped(t *testing.T) {
	runner := harness.Runner{Rounds: 1, Deadline: time.Minute}
	results, err := runner.Run(workload(harness.Contender{Name: "a", Run: func(m *harness.Meter, _ int) error {
		m.Record(10, time.Second, 2*time.Second) // 0.1 s a task
		m.Regroup(20)
		m.Set("own", 7)
		return nil
	}}))
	require.NoError(t, err)
	sample := results.Case("w", "c").Entry("a").Samples[0]
	require.Equal(t, 2*time.Second, sample.Wall)
	require.Equal(t, 4*time.Second, sample.CPU)
	require.Equal(t, 1, sample.Tasks)
	require.True(t, math.IsNaN(harness.AllocsPerTask(sample)))
	require.Equal(t, 7.0, harness.Value("own").Of(sample))
	require.True(t, math.IsNaN(harness.Value("other").Of(sample)))
}
