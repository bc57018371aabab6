package actors

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A worker that looks again before it sleeps is not idle.
func TestPlaceThatIsClosedIsNotLent(t *testing.T) {
	r := newTestRouter(2, SharedQueue())
	submit(t, r, TaskOptions{}, nil)
	require.NotNil(t, pull(r, 1))
	b, otherwise := r.next(2, true)
	require.Nil(t, b)
	require.Equal(t, lookAgain, otherwise)
	require.NoError(t, r.Resize(1))
	require.False(t, r.Lend(&newScript(r, TaskOptions{}).Task))
	require.False(t, r.LendMap(&newScript(r, TaskOptions{}).Task, &newScript(r, TaskOptions{}).Task, nil))
	_, otherwise = r.next(2, true)
	require.Equal(t, leave, otherwise)
	require.Zero(t, r.coming)
}

func TestPoolHasAWorkerWhileOneIsReplaced(t *testing.T) {
	const times = 500
	r := newTestRouter(1, SharedQueue())
	r.config.Replacements = times
	var over, without atomic.Bool
	var looking sync.WaitGroup
	looking.Go(func() {
		for !over.Load() {
			if r.Workers() == 0 {
				without.Store(true)
			}
		}
	})
	for range times {
		var fx effects
		r.mu.Lock()
		at := int32(len(r.all()))
		r.slot(at).started = true
		r.replace(r.slot(at), &fx)
		r.mu.Unlock()
	}
	over.Store(true)
	looking.Wait()
	require.False(t, without.Load())
	require.Equal(t, 1, r.Workers())
}
