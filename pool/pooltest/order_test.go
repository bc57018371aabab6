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
