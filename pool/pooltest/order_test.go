package pooltest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// overtakes has two workers do a task each, and fails if the second is done first.
func overtakes(k *pooltest.Kit) {
	p := k.Pool(pool.WithWorkers(2))
	var done []int
	for i := range 2 {
		require.NoError(k, p.Go(k.Context(), func() {
			done = append(done, i)
		}))
	}
	k.Idle()
	require.Equal(k, []int{0, 1}, done)
}

func TestATaskMayBeDoneBeforeOneThatWasTakenEarlier(t *testing.T) {
	for _, s := range []pooltest.Strategy{pooltest.PCT, pooltest.RandomWalk} {
		require.NotNil(t, pooltest.Search(t, pooltest.Options{Strategy: s, Seeds: 1000}, overtakes), s)
	}
}

func TestReplayRepeatsAFinding(t *testing.T) {
	for _, raw := range []bool{false, true} {
		found := pooltest.Search(t, pooltest.Options{Seeds: 1000, NoShrink: raw}, overtakes)
		require.NotNil(t, found)
		again := pooltest.Search(t, pooltest.Options{Replay: found.Replay}, overtakes)
		require.NotNil(t, again)
		require.Equal(t, found.Trace, again.Trace)
		require.Equal(t, found.Failures, again.Failures)
	}
}

func TestNoShrinkLeavesARunAsItsSeedGaveIt(t *testing.T) {
	raw := pooltest.Search(t, pooltest.Options{Strategy: pooltest.RandomWalk, Seeds: 1000, NoShrink: true}, overtakes)
	require.NotNil(t, raw)
	require.Contains(t, raw.Replay, "walk:")
	shrunk := pooltest.Search(t, pooltest.Options{Strategy: pooltest.RandomWalk, Seeds: 1000}, overtakes)
	require.NotNil(t, shrunk)
	require.Equal(t, raw.Seed, shrunk.Seed)
	require.Contains(t, shrunk.Replay, "steps:")
}

func TestSearchRefusesWhatIsNoReplay(t *testing.T) {
	options := pooltest.Options{Replay: "walk"}
	require.ErrorContains(t, options.Check(), `pooltest.Options: Replay: "walk" is no replay`)
}

func TestTheSimplestOrderIsAReplayToo(t *testing.T) {
	require.Nil(t, pooltest.Search(t, pooltest.Options{Replay: "steps:"}, overtakes))
}
