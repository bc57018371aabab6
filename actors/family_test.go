package actors

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

func TestTaskSubmittedWithATasksContextEndsWithIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		parent := inState(r, stateRunning)
		child := func() *script {
			b := &script{}
			b.Init(r, b, parent.Context(), TaskOptions{})
			require.NoError(t, r.Submit(parent.Context(), &b.Task))
			return b
		}
		first, second, third := child(), child(), child()
		require.True(t, second.Cancel(), "one that ends before")
		require.Same(t, &third.Task, parent.extra().first)
		require.Same(t, &first.Task, third.extra().family.next, "it is forgotten")
		require.True(t, parent.Settle(messages.Cancelled, errCause))
		synctest.Wait()
		for _, b := range []*script{first, third} {
			require.Equal(t, messages.Cancelled, b.Outcome())
			require.ErrorIs(t, b.Err(), errCause, "for its parent's reason")
		}
		require.Nil(t, parent.extra().first)

		late := &script{}
		late.Init(r, late, parent.Context(), TaskOptions{})
		late.state.Store(stateRunning)
		late.WatchParent()
		synctest.Wait()
		require.Equal(t, messages.Cancelled, late.Outcome(), "one that comes late ends at once")
	})
}

func TestFamilyForgetsWhoEndsAsTheyAreAdopted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for range 200 {
			r := newTestRouter(1, SharedQueue())
			parent := inState(r, stateRunning)
			var children []*script
			for range 4 {
				b := &script{}
				b.Init(r, b, parent.Context(), TaskOptions{})
				b.state.Store(stateRunning)
				children = append(children, b)
				go b.WatchParent()
				go b.Cancel()
			}
			go parent.Settle(messages.Terminated, messages.ErrTerminated)
			synctest.Wait()
			for _, b := range children {
				require.True(t, b.Task.Ready())
				require.False(t, b.extra().adopted.Load())
			}
			require.Nil(t, parent.extra().first)
		}
	})
}

func BenchmarkFamily(b *testing.B) {
	b.ReportAllocs()
	r := newTestRouter(1, SharedQueue())
	parent := inState(r, stateRunning)
	for b.Loop() {
		child := &script{}
		child.Init(r, child, parent.Context(), TaskOptions{})
		child.state.Store(stateRunning)
		child.WatchParent()
		child.Settle(messages.Cancelled, context.Canceled)
	}
}
