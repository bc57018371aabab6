package actors

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/greenroom-go/greenroom/messages"
)

func TestSharedQueueLeavesTheChoiceToTheWorkers(t *testing.T) {
	require.False(t, SharedQueue().UsesKeys())
	require.Equal(t, Target{}, SharedQueue().Route("", 3, nil))
}

func TestRoundRobinTakesTheWorkersInTurn(t *testing.T) {
	s := RoundRobin()
	require.False(t, s.UsesKeys())
	for _, worker := range []int{1, 2, 3, 1, 2, 3, 1} {
		require.Equal(t, Target{Worker: worker}, s.Route("", 3, nil))
	}
	require.Equal(t, Target{Worker: 1}, RoundRobin().Route("", 1, nil), "each pool has a turn of its own")
}

func TestRandomReachesEveryWorkerAndNoOther(t *testing.T) {
	s := Random()
	require.False(t, s.UsesKeys())
	seen := map[Target]bool{}
	for range 1000 { // misses one of three with a chance of 3*(2/3)^1000
		seen[s.Route("", 3, nil)] = true
	}
	require.Equal(t, map[Target]bool{{Worker: 1}: true, {Worker: 2}: true, {Worker: 3}: true}, seen)
}

func TestLeastLoadedTakesAWorkerThatHoldsTheFewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := LeastLoaded()
		require.False(t, s.UsesKeys())
		loads := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 5).Draw(t, "loads")
		for range 10 {
			target := s.Route("", len(loads), func(worker int) int { return loads[worker-1] })
			require.False(t, target.InOrder)
			for _, load := range loads {
				require.LessOrEqual(t, loads[target.Worker-1], load)
			}
			loads[target.Worker-1]++
		}
	})
}

func TestLeastLoadedTakesTurnsAmongEqualsAndStopsAtAnIdleOne(t *testing.T) {
	for _, equal := range []int{0, 2} {
		s, asked := LeastLoaded(), 0
		load := func(int) int { asked++; return equal }
		for _, worker := range []int{1, 2, 3, 1} {
			require.Equal(t, Target{Worker: worker}, s.Route("", 3, load))
		}
		require.Equal(t, map[int]int{0: 4, 2: 12}[equal], asked)
	}
}

func TestKeyOrderedOrdersWhatHasAKey(t *testing.T) {
	require.True(t, KeyOrdered().UsesKeys())
	require.Equal(t, Target{InOrder: true}, KeyOrdered().Route("key", 3, nil))
	require.Equal(t, Target{}, KeyOrdered().Route("", 3, nil))
}

// answers is a strategy that a test writes.
type answers func() Target

func (answers) UsesKeys() bool                            { return false }
func (s answers) Route(string, int, func(int) int) Target { return s() }

func TestRouteRefusesWhatAStrategyMustNotAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer Target
		valid  bool
	}{
		{"any worker", Target{}, true},
		{"the first worker", Target{Worker: 1}, true},
		{"the last worker", Target{Worker: 3}, true},
		{"in order", Target{InOrder: true}, true},
		{"a worker below the first", Target{Worker: -1}, false},
		{"a worker beyond the last", Target{Worker: 4}, false},
		{"one worker and in order", Target{Worker: 1, InOrder: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, err := askStrategy(answers(func() Target { return c.answer }), newQueued("", false), 3, nil)
			if c.valid {
				require.NoError(t, err)
				require.Equal(t, c.answer, target)
			} else {
				require.ErrorIs(t, err, messages.ErrInvalid)
			}
		})
	}
}

func TestRouteContainsAStrategyThatPanics(t *testing.T) {
	_, err := askStrategy(answers(func() Target { panic(errCause) }), newQueued("", false), 3, nil)
	require.ErrorIs(t, err, messages.ErrInvalid)
	require.ErrorIs(t, err, errCause)
}

func TestRouteAsksOnlyAboutWhatAnyWorkerMayTakeAndIsATask(t *testing.T) {
	for want, o := range map[Target]TaskOptions{
		{Worker: 2}: {Worker: 2},
		{}:          {Internal: true},
	} {
		task := &Task{}
		task.Init(nil, nil, context.Background(), o)
		target, err := newTestRouter(3, answers(func() Target { panic("asked") })).route(task)
		require.NoError(t, err)
		require.Equal(t, want, target)
	}
}
