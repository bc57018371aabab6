package actors

import (
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
