package actors

import (
	"cmp"
	"slices"
)

// taskSet is a set of tasks that is listed in the order in which they came: whoever ends
// them all does so in that order, and in the same one whenever a Scheduler repeats a run.
type taskSet struct {
	came map[*Task]uint64 // as which one
	last uint64
}

func newTaskSet() taskSet { return taskSet{came: map[*Task]uint64{}} }

func (s *taskSet) add(t *Task) {
	s.last++
	s.came[t] = s.last
}

func (s *taskSet) remove(t *Task) { delete(s.came, t) }

func (s *taskSet) has(t *Task) bool {
	_, is := s.came[t]
	return is
}

// inOrder lists the tasks. It takes n·log n for n of them: not for what happens often.
func (s *taskSet) inOrder() []*Task {
	tasks := make([]*Task, 0, len(s.came))
	for t := range s.came {
		tasks = append(tasks, t)
	}
	slices.SortFunc(tasks, func(a, b *Task) int { return cmp.Compare(s.came[a], s.came[b]) })
	return tasks
}
