package peers_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

func TestWaitReturnsWhenEveryBoundTaskHasRunOnce(t *testing.T) {
	for _, peer := range peers.All() {
		t.Run(peer.Name, func(t *testing.T) {
			const tasks = 500
			runner, err := peer.Open(peers.Config{Workers: 3, Tasks: tasks})
			require.NoError(t, err)
			var ran atomic.Int64
			task := runner.Bind(func() { ran.Add(1) })
			for range tasks {
				require.NoError(t, runner.Submit(task))
			}
			require.NoError(t, runner.Wait())
			require.EqualValues(t, tasks, ran.Load())
		})
	}
}

func TestOthersAreAllButGreenroom(t *testing.T) {
	others := peers.Others()
	require.Len(t, others, len(peers.All())-2)
	for _, p := range others {
		require.NotEqual(t, harness.Greenroom, p.Kind)
	}
}

func TestShardsDivideTheWorkers(t *testing.T) {
	for _, workers := range []int{1, 2, 7, 8, 10_000} {
		n := peers.Shards(workers)
		require.Positive(t, n)
		require.Zero(t, workers%n, "%d workers in %d pools", workers, n)
	}
}

func TestWithoutPythonThreadPoolIsNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	c := peers.ThreadPool("submit", 2, 10, 1)
	require.ErrorIs(t, c.Run(&harness.Meter{}, 10), harness.Unable("not installed"))
}

func TestPythonThatFailsSaysWhy(t *testing.T) {
	if err := peers.ThreadPool("submit", 2, 10, 1).Run(&harness.Meter{}, 10); err != nil {
		t.Skip("no python3 here")
	}
	err := peers.ThreadPool("no such workload", 2, 10).Run(&harness.Meter{}, 10)
	require.ErrorContains(t, err, "KeyError: 'no such workload'")
	require.NotEmpty(t, peers.PythonVersion())
}
