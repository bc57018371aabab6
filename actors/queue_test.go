package actors

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func newQueue() *queue {
	return &queue{chains: map[string]*chain{}}
}

func newQueued(key string, exempt bool) *Task {
	t := &Task{}
	t.Init(nil, nil, context.Background(), TaskOptions{Key: key, Exempt: exempt})
	return t
}

// filed is a task as the model of the queue sees it.
type filed struct {
	*Task
	number int
	target Target
	taken  bool
}

func (f *filed) String() string { return fmt.Sprintf("task %d %+v", f.number, f.target) }

// queueModel is what a queue is to its user: a list in the order of submission,
// of which each worker sees a part.
type queueModel struct {
	queue   *queue
	workers int
	tasks   []*filed // waiting, or taken and not yet released
	count   int
}

func (m *queueModel) waiting() []*filed {
	return slices.DeleteFunc(slices.Clone(m.tasks), func(f *filed) bool { return f.taken })
}

func (m *queueModel) taken() []*filed {
	return slices.DeleteFunc(slices.Clone(m.tasks), func(f *filed) bool { return !f.taken })
}

// mates are the tasks with the same key, in the order of submission.
func (m *queueModel) mates(f *filed) []*filed {
	if !f.target.InOrder {
		return []*filed{f}
	}
	return slices.DeleteFunc(slices.Clone(m.tasks), func(other *filed) bool {
		return !other.target.InOrder || other.key() != f.key()
	})
}

// next is the first of the waiting tasks that the worker may start, once each has been
// moved forward by what its priority is worth.
func (m *queueModel) next(worker int) *Task {
	var next *filed
	for _, f := range m.waiting() {
		if (f.target.Worker == 0 || f.target.Worker == worker) && m.mates(f)[0] == f &&
			(next == nil || f.turn() < next.turn()) {
			next = f
		}
	}
	if next == nil {
		return nil
	}
	return next.Task
}

func (f *filed) turn() int { return f.number - testAgeing*f.priority() }

const testAgeing = 2

func (m *queueModel) put(t *rapid.T) {
	m.count++
	f := &filed{number: m.count}
	o := TaskOptions{Priority: rapid.SampledFrom([]int{0, 0, 0, 1, 2, -1, MaxPriority}).Draw(t, "priority")}
	o.Exempt = rapid.Bool().Draw(t, "exempt")
	switch key := rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(t, "key"); key {
	case "":
		f.target.Worker = rapid.IntRange(0, m.workers).Draw(t, "worker")
	default:
		f.target.InOrder = true
		o.Key = key
	}
	f.Task = new(Task)
	f.Task.Init(nil, nil, context.Background(), o)
	m.queue.put(f.Task, f.target, 0)
	m.tasks = append(m.tasks, f)
}

func (m *queueModel) take(t *rapid.T) {
	next := m.queue.next(rapid.IntRange(1, m.workers).Draw(t, "worker"))
	i := slices.IndexFunc(m.tasks, func(f *filed) bool { return f.Task == next })
	if i < 0 {
		return
	}
	m.queue.take(next)
	m.tasks[i].taken = true
}

// end releases a task that has run.
func (m *queueModel) end(t *rapid.T) {
	if taken := m.taken(); len(taken) > 0 {
		m.release(t, rapid.SampledFrom(taken).Draw(t, "task"))
	}
}

// cancel removes a task that waits, wherever it stands.
func (m *queueModel) cancel(t *rapid.T) {
	if waiting := m.waiting(); len(waiting) > 0 {
		f := rapid.SampledFrom(waiting).Draw(t, "task")
		m.queue.take(f.Task)
		m.release(t, f)
	}
}

// resume files a further attempt at a task that has run and keeps its key.
func (m *queueModel) resume(t *rapid.T) {
	taken := m.taken()
	if len(taken) == 0 {
		return
	}
	f := rapid.SampledFrom(taken).Draw(t, "task")
	f.linked().keepsKey = true
	require.Nil(t, m.queue.release(f.Task))
	next := new(Task)
	next.Init(nil, nil, context.Background(), TaskOptions{Priority: f.priority(), Key: f.key(), Exempt: true})
	m.queue.putBack(next, f.target, 0, f.Task)
	f.Task, f.taken = next, false
}

// disown gives what waits for one worker to all.
func (m *queueModel) disown(t *rapid.T) {
	worker := rapid.IntRange(1, m.workers).Draw(t, "worker")
	m.queue.disown(worker)
	for _, f := range m.waiting() {
		if f.target.Worker == worker {
			f.target.Worker = 0
		}
	}
}

func (m *queueModel) release(t *rapid.T, f *filed) {
	mates := m.mates(f)
	var next *Task
	if mates[0] == f && len(mates) > 1 {
		next = mates[1].Task
	}
	require.Same(t, next, m.queue.release(f.Task), "release of %v", f)
	require.Nil(t, f.Task.chained(), "what has left has no chain")
	m.tasks = slices.DeleteFunc(m.tasks, func(other *filed) bool { return other == f })
}

func (m *queueModel) check(t *rapid.T) {
	waiting := m.waiting()
	for worker := 1; worker <= m.workers; worker++ {
		require.Same(t, m.next(worker), m.queue.next(worker), "next task of worker %d", worker)
	}

	var listed []*Task
	m.queue.each(func(task *Task) { listed = append(listed, task) })
	slices.SortFunc(listed, func(a, b *Task) int { return cmp.Compare(a.linked().order, b.linked().order) })
	require.Len(t, listed, len(waiting))
	require.Equal(t, len(listed), m.queue.all, "tasks of all kinds")
	for i, f := range waiting {
		require.Same(t, f.Task, listed[i], "%v", f)
	}

	counted := slices.DeleteFunc(waiting, func(f *filed) bool { return f.exempt })
	require.Equal(t, len(counted), m.queue.length, "length without exempt tasks")
	oldest, newest := m.queue.oldest, m.queue.newest
	for i := range counted {
		require.Same(t, counted[i].Task, oldest)
		require.Same(t, counted[len(counted)-1-i].Task, newest)
		oldest, newest = oldest.linked().newer, newest.linked().older
	}
	require.Nil(t, oldest)
	require.Nil(t, newest)
	if len(m.tasks) == 0 {
		require.Empty(t, m.queue.chains, "chains of keys that no task has")
	}
}

func TestQueueBehavesLikeItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &queueModel{workers: rapid.IntRange(1, 3).Draw(t, "workers")}
		m.queue = newQueue()
		m.queue.ageing = testAgeing
		t.Repeat(map[string]func(*rapid.T){
			"":       m.check,
			"put":    m.put,
			"put 2":  m.put, // more often than the rest
			"take":   m.take,
			"end":    m.end,
			"cancel": m.cancel,
			"disown": m.disown,
			"resume": m.resume,
		})
	})
}

func TestQueueListKeepsItsOrderWhateverComesLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list queueList
		var model []*Task // in the order of submission
		orders := map[uint64]bool{}
		newTask := func(order uint64) *Task {
			task := &Task{}
			task.linked().order = order
			orders[order] = true
			return task
		}
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) {
				order := uint64(rapid.IntRange(1, 1000).Filter(func(n int) bool { return !orders[uint64(n)] }).Draw(t, "order"))
				task := newTask(order)
				i, _ := slices.BinarySearchFunc(model, order, func(other *Task, order uint64) int {
					return cmp.Compare(other.linked().order, order)
				})
				list.insert(task)
				model = slices.Insert(model, i, task)
			},
			"push": func(*rapid.T) {
				order := uint64(1)
				if len(model) > 0 {
					order = model[len(model)-1].linked().order + 1
				}
				task := newTask(order)
				list.push(task)
				model = append(model, task)
			},
			"remove": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				i := rapid.IntRange(0, len(model)-1).Draw(t, "place")
				list.remove(model[i])
				at := model[i].linked()
				require.Equal(t, links{order: at.order}, *at)
				delete(orders, at.order)
				model = slices.Delete(model, i, i+1)
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(model), list.length)
				require.True(t, slices.Equal(model, list.all()))
				var first *Task
				if len(model) > 0 {
					first = model[0]
				}
				require.Same(t, first, list.first())
				for _, task := range model {
					require.Same(t, &list, task.linked().in)
				}
			},
		})
	})
}

func TestReleaseNudgesThoseWhoWaitForTheNextTaskWithTheKey(t *testing.T) {
	q := newQueue()
	first, second := newQueued("a", false), newQueued("a", false)
	q.put(first, Target{InOrder: true}, 0)
	q.put(second, Target{InOrder: true}, 0)
	q.take(first)
	nudge := newNudge()
	first.chained().nudges.Add(nudge)
	first.chained().nudges.Add(nudge)

	require.Same(t, second, q.release(first))
	require.True(t, isClosed(nudge.given), "the waiter is woken")
	require.Empty(t, second.chained().nudges, "once")
}

func BenchmarkQueuePutTake(b *testing.B) {
	for _, c := range []struct {
		name   string
		key    string
		target Target
	}{
		{"Shared", "", Target{}},
		{"Own", "", Target{Worker: 1}},
		{"Keyed", "key", Target{InOrder: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			q, task := newQueue(), newQueued(c.key, false)
			for b.Loop() {
				q.put(task, c.target, 0)
				q.take(q.next(1))
				q.release(task)
			}
		})
	}
}

// What one task costs that comes late does not grow with how many have come so.
func BenchmarkQueueLate(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var list queueList
			random := rand.New(rand.NewPCG(1, 2))
			for range n {
				t := new(Task)
				t.linked().order = random.Uint64()
				list.insert(t)
			}
			for b.Loop() {
				t := list.first()
				list.remove(t)
				t.linked().order = random.Uint64()
				list.insert(t)
			}
		})
	}
}
