package workloads_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/workloads"
)

func TestChecksNoticeWrongResults(t *testing.T) {
	require.NoError(t, workloads.CheckSum(0+1+4+9, 4))
	require.Error(t, workloads.CheckSum(0+1+4, 4))
	require.NoError(t, workloads.CheckSquares([]int{0, 1, 4}, 3))
	require.Error(t, workloads.CheckSquares([]int{0, 1, 5}, 3))
	require.Error(t, workloads.CheckSquares([]int{0, 1}, 3))
}

func TestShortRunsCountTheirEmptyTasks(t *testing.T) {
	task, verify := workloads.EmptyTask(workloads.Short)
	task()
	task()
	require.NoError(t, verify(2))
	require.ErrorContains(t, verify(3), "2 of 3 tasks were run")
}

func TestArrivalsKeepHalfOfTheCoresAtWork(t *testing.T) {
	const n = 10_000
	due := workloads.Arrivals(n)
	require.True(t, slices.IsSorted(due))
	require.Equal(t, due, workloads.Arrivals(n), "the same for every contender")
	load := float64(n) * float64(workloads.LatencyTask) / float64(due[n-1]) / float64(runtime.GOMAXPROCS(0))
	require.InDelta(t, 0.5, load, 0.02)
	require.Greater(t, due[0], time.Duration(0))
}

func TestPartitionCoversEveryItemOnce(t *testing.T) {
	for _, n := range []int{1, 2, 3, 16, 1001} {
		times := make([]int, n)
		require.NoError(t, workloads.Partition(n, func(from, to int) error {
			for i := from; i < to; i++ {
				times[i]++
			}
			return nil
		}))
		require.Equal(t, slices.Repeat([]int{1}, n), times)
	}
}

func TestChunksHaveGreenroomsDefaultSize(t *testing.T) {
	require.Equal(t, 1, workloads.ChunksOf(1))
	require.Equal(t, 1, workloads.ChunksOf(32))
	require.Equal(t, 2, workloads.ChunksOf(33))
	require.Equal(t, 31_250, workloads.ChunksOf(1_000_000))
}

func TestFibonacciForksAtLeastAsOftenAsAsked(t *testing.T) {
	n := workloads.SizeFor(1000)
	require.GreaterOrEqual(t, workloads.Forks(n), 1000)
	require.Less(t, workloads.Forks(n-1), 1000)
}
