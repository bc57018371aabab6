package actors

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTaskSetListsTasksInTheOrderInWhichTheyCame(t *testing.T) {
	s := newTaskSet()
	tasks := make([]*Task, 100)
	for i := range tasks {
		tasks[i] = &Task{}
		s.add(tasks[i])
	}
	require.True(t, slices.Equal(tasks, s.inOrder()))

	s.remove(tasks[0])
	require.False(t, s.has(tasks[0]))
	require.True(t, s.has(tasks[1]))
	s.add(tasks[0])
	require.True(t, slices.Equal(append(tasks[1:], tasks[0]), s.inOrder()), "what comes again comes last")
}
