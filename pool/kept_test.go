package pool_test

import (
	"context"
	"runtime"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
)

// isKept reports whether a value is still reachable after the garbage was collected.
func isKept(value weak.Pointer[argument]) bool {
	for range 5 {
		runtime.GC()
		if value.Value() == nil {
			return false
		}
		runtime.Gosched()
	}
	return true
}

func TestResultDoesNotKeepWhatRanInItsPlace(t *testing.T) {
	p, err := pool.New(pool.WithWorkers(1))
	require.NoError(t, err)
	var value weak.Pointer[argument]
	parent := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
		child := pool.ApplyAsync(ctx, p, func(context.Context) (*argument, error) {
			v := new(argument)
			value = weak.Make(v)
			return v, nil
		})
		_, err := child.Get(ctx)
		return 1, err
	})
	require.NoError(t, parent.Wait(t.Context()))
	require.NoError(t, p.Shutdown(context.Background()))
	require.False(t, isKept(value))
	runtime.KeepAlive(parent)
}

func TestStreamThatEndedEarlyKeepsNothingThatCannotBeRead(t *testing.T) {
	p, err := pool.New(pool.WithWorkers(2))
	require.NoError(t, err)
	open, behind := make(chan struct{}), make(chan struct{})
	var value weak.Pointer[argument]
	s := pool.IMap(t.Context(), p, func(_ context.Context, n int) (*argument, error) {
		switch n {
		case 0:
			<-open
		case 1:
			v := new(argument)
			value = weak.Make(v)
			return v, nil
		case 2: // on the worker that has done item 1
			close(behind)
		}
		return nil, nil
	}, count(3))
	<-behind
	require.True(t, s.Cancel())
	close(open)
	_, err = s.Next(t.Context())
	require.ErrorIs(t, err, pool.ErrCancelled)
	require.NoError(t, p.Shutdown(context.Background()))
	require.False(t, isKept(value))
	runtime.KeepAlive(s)
}
