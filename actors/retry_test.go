package actors

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// A task that is tried often would else keep all its attempts.
func TestAttemptForgetsTheOneThatItResumes(t *testing.T) {
	for _, strategy := range []Strategy{SharedQueue(), RoundRobin()} {
		r := newTestRouter(1, strategy)
		failed := newScript(r, TaskOptions{Internal: true})
		require.NoError(t, r.Submit(context.Background(), &failed.Task))
		pull(r, 1)
		next := newScript(r, TaskOptions{Internal: true, Exempt: true, Resumes: &failed.Task})
		require.NoError(t, r.SubmitAgain(&next.Task, func() {}))
		require.Nil(t, next.spec().resumes)
	}
}
