package messages_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

func TestOutcomeHasAName(t *testing.T) {
	names := map[messages.Outcome]string{
		messages.Succeeded:  "succeeded",
		messages.Failed:     "failed",
		messages.Panicked:   "panicked",
		messages.Exited:     "exited",
		messages.Cancelled:  "cancelled",
		messages.TimedOut:   "timed out",
		messages.Dropped:    "dropped",
		messages.Terminated: "terminated",
		messages.Broken:     "broken",
	}
	require.Len(t, names, messages.Outcomes, "every outcome is listed")
	for outcome, name := range names {
		require.Equal(t, name, outcome.String())
	}
	require.Equal(t, "unknown", messages.Outcome(messages.Outcomes).String())
	require.Equal(t, "unknown", messages.Outcome(255).String())
}
