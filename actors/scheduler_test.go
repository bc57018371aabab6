package actors

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// idleScheduler is one that nobody asks for anything.
type idleScheduler struct{ Scheduler }

func TestUnderASchedulerTheFirstChannelInOrderIsReceivedFrom(t *testing.T) {
	r := NewRouter(Config{Workers: 1, Strategy: SharedQueue()})
	a, b := make(chan struct{}, 1), make(chan struct{}, 1)
	for range 20 { // a select would take b in one of two
		a <- struct{}{}
		b <- struct{}{}

		r.scheduler = nil
		require.False(t, r.received(nil, a, b))
		r.scheduler = idleScheduler{}
		require.True(t, r.received(nil, a, b))
		require.Empty(t, a)
		require.Len(t, b, 1, "what is in the others is left there")
		require.True(t, r.received(nil, a, b))
		require.False(t, r.received(nil, a, b), "there is nothing")
	}
}
