package actors

import (
	"context"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/greenroom-go/greenroom/messages"
)

// lineModel is a line and the batches taken from it, beside the lists of tasks
// that they should hold.
type lineModel struct {
	line    line
	waiting []*Task
	hands   []*batch
	begun   [][]*Task // what each of the hands has left, its present task first
}

func newWaiting() *Task {
	t := &Task{}
	t.state.Store(stateQueued)
	return t
}

func tasksOf(places []queued) (tasks []*Task) {
	for _, q := range places {
		tasks = append(tasks, q.task)
	}
	return tasks
}

func (m *lineModel) push(*rapid.T) {
	task := newWaiting()
	m.line.push(queued{task: task})
	m.waiting = append(m.waiting, task)
}

func (m *lineModel) pushMany(t *rapid.T) {
	for range batchSize {
		m.push(t)
	}
}

func (m *lineModel) take(t *rapid.T) {
	n := rapid.IntRange(1, batchSize).Draw(t, "n")
	b := m.line.take(n)
	if len(m.waiting) == 0 {
		require.Nil(t, b)
		return
	}
	got := b.rest() + 1
	require.LessOrEqual(t, got, n)
	require.LessOrEqual(t, got, len(m.waiting))
	require.Equal(t, got-1, b.loan)
	m.hands = append(m.hands, b)
	m.begun = append(m.begun, slices.Clone(m.waiting[:got]))
	m.waiting = slices.Clone(m.waiting[got:])
}

func (m *lineModel) begin(t *rapid.T) {
	if len(m.hands) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.hands)-1).Draw(t, "hand")
	q, ok := m.hands[i].begin()
	require.Equal(t, len(m.begun[i]) > 1, ok)
	if ok {
		m.begun[i] = m.begun[i][1:]
		require.Same(t, m.begun[i][0], q.task)
		return
	}
	_, at := m.hands[i].current()
	require.False(t, at, "it is at nothing")
	m.line.retire(m.hands[i])
	m.hands = slices.Delete(m.hands, i, i+1)
	m.begun = slices.Delete(m.begun, i, i+1)
}

func (m *lineModel) giveBack(t *rapid.T) {
	if len(m.hands) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.hands)-1).Draw(t, "hand")
	n := rapid.IntRange(1, batchSize).Draw(t, "n")
	places := m.hands[i].cut(n)
	rest := m.begun[i][1:]
	want := rest[max(0, len(rest)-n):]
	require.Equal(t, len(want), len(places))
	if len(places) == 0 {
		return
	}
	require.Equal(t, want, tasksOf(places))
	m.line.pushFront(places)
	clear(places)
	m.waiting = append(slices.Clone(want), m.waiting...)
	m.begun[i] = m.begun[i][:len(m.begun[i])-len(want)]
}

// share gives the earlier part of what a hand has not begun to a new one.
func (m *lineModel) share(t *rapid.T) {
	if len(m.hands) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.hands)-1).Draw(t, "hand")
	n := rapid.IntRange(1, batchSize).Draw(t, "n")
	b := m.line.fresh()
	places := m.hands[i].cutFront(n, b.of[:0])
	rest := m.begun[i][1:]
	want := rest[:min(n, len(rest))]
	require.True(t, slices.Equal(want, tasksOf(places)))
	if len(want) == 0 {
		m.line.retire(b)
		return
	}
	b.hand(0, len(places))
	m.hands = append(m.hands, b)
	m.begun[i] = append([]*Task{m.begun[i][0]}, rest[len(want):]...)
	m.begun = append(m.begun, slices.Clone(want))
}

// decide ends tasks that wait, and sometimes has the line forget them.
func (m *lineModel) compact(t *rapid.T) {
	taken := m.line.taken()
	var ended []uint64
	at := taken
	m.waiting = slices.DeleteFunc(m.waiting, func(task *Task) bool {
		at++
		if rapid.Bool().Draw(t, "ends") {
			task.state.Store(stateReady)
			ended = append(ended, at)
			return true
		}
		return false
	})
	require.Equal(t, ended, m.line.compact())
	require.Equal(t, taken, m.line.taken())
}

// trim has the line forget those that have ended and stand in front.
func (m *lineModel) trim(t *rapid.T) {
	n := rapid.IntRange(0, len(m.waiting)).Draw(t, "ended")
	for _, task := range m.waiting[:n] {
		task.state.Store(stateReady)
	}
	taken := m.line.taken()
	require.Equal(t, n, m.line.trim())
	require.Equal(t, taken+uint64(n), m.line.taken())
	m.waiting = slices.Clone(m.waiting[n:])
}

// unpush takes a task back that may be the last one.
func (m *lineModel) unpush(t *rapid.T) {
	if len(m.waiting) == 0 {
		require.False(t, m.line.unpush(newWaiting()))
		return
	}
	last := len(m.waiting) - 1
	i := rapid.IntRange(max(0, last-1), last).Draw(t, "task")
	before := m.line.taken()
	if m.line.unpush(m.waiting[i]) {
		require.Equal(t, last, i)
		m.waiting = m.waiting[:last]
	} else if i == last { // it would have to look for the batch before
		require.LessOrEqual(t, m.line.tail.high-m.line.tail.low, 1)
		require.NotSame(t, m.line.head, m.line.tail)
	}
	require.Equal(t, before, m.line.taken())
}

func (m *lineModel) check(t *rapid.T) {
	var listed []*Task
	m.line.each(func(q *queued) { listed = append(listed, q.task) })
	require.True(t, slices.Equal(m.waiting, listed), "%v, not %v", listed, m.waiting)
	require.Equal(t, len(m.waiting), m.line.length)
	if oldest, at := m.line.oldest(); len(m.waiting) == 0 {
		require.Nil(t, oldest)
	} else {
		require.Same(t, m.waiting[0], oldest.task)
		require.Equal(t, m.line.taken()+1, at)
	}
	for i, b := range m.hands {
		at, _ := b.current()
		require.Same(t, m.begun[i][0], at.task)
		require.Equal(t, len(m.begun[i])-1, b.rest())
	}
	require.LessOrEqual(t, m.line.spares, maxSpares)
	require.LessOrEqual(t, m.line.spareSingles, maxSingles)
	spares, singles := checkSpare(t, m.line.spare, batchSize), checkSpare(t, m.line.singles, 1)
	require.Equal(t, m.line.spares, spares)
	require.Equal(t, m.line.spareSingles, singles)
	for b := m.line.head; b != m.line.tail; b = b.next {
		require.Less(t, b.low, b.high, "only the last may be empty")
	}
}

// checkSpare counts the spare batches in a list, which hold nothing.
func checkSpare(t *rapid.T, b *batch, size int) (n int) {
	for ; b != nil; b = b.next {
		require.Equal(t, make([]queued, size), b.of, "a spare batch holds nothing")
		require.Zero(t, b.high)
		n++
	}
	return n
}

func TestLineBehavesLikeItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m lineModel
		t.Repeat(map[string]func(*rapid.T){
			"":          m.check,
			"push":      m.push,
			"push many": m.pushMany,
			"take":      m.take,
			"begin":     m.begin,
			"give back": m.giveBack,
			"share":     m.share,
			"compact":   m.compact,
			"unpush":    m.unpush,
			"trim":      m.trim,
		})
	})
}

// The worker and those who take from it meet at the word of the batch.
func TestPlaceOfABatchIsBegunOrTakenOnce(t *testing.T) {
	takes := map[string]func(*batch) []*Task{
		"from the end": func(b *batch) []*Task {
			places := b.cut((b.rest() + 1) / 2)
			taken := tasksOf(places)
			clear(places)
			return taken
		},
		"from the front": func(b *batch) []*Task { return tasksOf(b.cutFront((b.rest()+1)/2, nil)) },
	}
	for name, take := range takes {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex // the router's
			for range 2000 {
				b := newBatch()
				for i := range batchSize {
					b.of[i] = queued{task: newWaiting()}
				}
				all := tasksOf(b.of)
				b.hand(0, batchSize)
				seen := map[*Task]int{all[0]: 1}
				var taken []*Task
				var both sync.WaitGroup
				both.Go(func() {
					for over := false; !over; {
						mu.Lock()
						some := take(b)
						if at, ok := b.current(); ok && at.task == nil {
							taken = append(taken, nil) // the worker is always at a task
						}
						mu.Unlock()
						taken = append(taken, some...)
						over = len(some) == 0
					}
				})
				for q, ok := b.begin(); ok; q, ok = b.begin() {
					seen[q.task]++
				}
				both.Wait()
				for _, task := range taken {
					seen[task]++
				}
				require.Len(t, seen, batchSize)
				for _, task := range all {
					require.Equal(t, 1, seen[task])
				}
			}
		})
	}
}

func TestIdleWorkerTakesHalfOfWhatABusyOneHasNotBegun(t *testing.T) {
	r := newTestRouter(3, SharedQueue())
	r.size = batchSize
	var tasks []*Task
	for range 8 {
		tasks = append(tasks, &submit(t, r, TaskOptions{}, nil).Task)
	}
	require.Same(t, tasks[0], pull(r, 1))
	require.Equal(t, 7, r.Stats().Waiting)
	require.Same(t, tasks[1], pull(r, 2), "the earlier half of seven")
	require.Same(t, tasks[2], pull(r, 3), "half of what the worker has that was last to take something")
	require.Equal(t, 5, r.Stats().Waiting)
	require.Equal(t, 3, r.Stats().Running)
}

// A worker that is idle may be woken by a message and find tasks that others have
// put into the line meanwhile.
func TestWorkerWokenByAMessageMayTakeABatch(t *testing.T) {
	r := newTestRouter(2, SharedQueue())
	for _, number := range []int{1, 2} {
		_, otherwise := r.next(number, false)
		require.Equal(t, sleep, otherwise)
	}
	r.size = batchSize
	for range 4 {
		submit(t, r, TaskOptions{}, nil)
	}
	idle := r.idle.head // the other one was woken for the tasks and is coming
	require.NotNil(t, pull(r, int(idle.number)))
	require.Nil(t, r.idle.head)
	require.Same(t, idle, r.sharing.head)
	require.NotNil(t, pull(r, 3-int(idle.number)), "half of what it has not begun")
	require.Equal(t, 2, r.Stats().Running)
	require.Equal(t, 2, r.Stats().Waiting)
}

func TestCancelledTasksLeaveNoTraceInTheLine(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	kept := submit(t, r, TaskOptions{}, nil)
	for range 10 * manyHoles {
		require.True(t, submit(t, r, TaskOptions{}, nil).Cancel())
	}
	require.Equal(t, 1, r.Stats().Waiting)
	require.LessOrEqual(t, r.line.length, 2*manyHoles, "memory is bounded")
	for r.line.length > 0 {
		work(r, 1)
	}
	require.Equal(t, messages.Succeeded, kept.Outcome())
	require.Zero(t, r.uncounted)
	require.Zero(t, r.line.length)
}

// A task may run its subtasks in its place for long, with no worker free to pass over theirs.
func TestLineOfTasksThatRunInPlaceDoesNotGrow(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	submit(t, r, TaskOptions{}, nil)
	for i := range 10 * manyHoles {
		sub := submit(t, r, TaskOptions{}, nil)
		if i%3 == 0 {
			require.True(t, sub.Cancel())
		} else {
			require.Same(t, &sub.Task, r.ClaimFor(&sub.Task, 1, newNudge()))
		}
	}
	require.LessOrEqual(t, r.line.length, 2*manyHoles)
	require.Equal(t, 1, r.Stats().Waiting)
}

func TestLineOfDroppedFunctionsDoesNotGrow(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	r.config.Limit, r.config.Policy, r.mayBatch = 1, DropOldest, false
	submit(t, r, TaskOptions{Internal: true, Exempt: true}, nil) // stands before them
	r.Go(func() {})
	for range 10 * manyHoles {
		require.True(t, r.Go(func() {}))
		require.True(t, submit(t, r, TaskOptions{}, nil).Cancel())
	}
	require.LessOrEqual(t, r.line.length, 2*manyHoles)
	require.Equal(t, 1, r.Stats().Waiting)
}

// They leave at the next look. If the line were compacted for them, a task that is at work
// would lose its place.
func TestDroppedTasksAreNotCompacted(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	r.config.Limit, r.config.Policy, r.mayBatch = 2*manyHoles, DropOldest, false
	for range 2 * manyHoles {
		submit(t, r, TaskOptions{}, nil)
	}
	atWork := submit(t, r, TaskOptions{Internal: true, Routed: true}, nil)
	require.Same(t, &atWork.Task, r.ClaimFor(&atWork.Task, 1, newNudge()))
	for range manyHoles + 2 {
		submit(t, r, TaskOptions{}, nil)
	}
	require.Zero(t, r.queue.moves)
}

func TestLimitCountsWhatWorkersHaveNotBegun(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	r.config.Limit, r.config.Policy = 4, Reject
	r.size = batchSize
	var tasks []*script
	accepted := func() bool {
		b := newScript(r, TaskOptions{})
		if r.Submit(context.Background(), &b.Task) != nil {
			return false
		}
		tasks = append(tasks, b)
		return true
	}
	for range 5 {
		require.True(t, accepted(), "one that a free worker will take, and four that wait")
	}
	require.False(t, accepted())
	require.Same(t, &tasks[0].Task, pull(r, 1))
	require.False(t, accepted(), "four wait in the worker's batch, and it has one in hand")
	require.True(t, tasks[2].Cancel())
	require.True(t, accepted(), "a cancelled one gives its room back")
	require.False(t, accepted())
	require.True(t, tasks[0].Settle(messages.Cancelled, nil))
	tasks[0].state.Or(returned)
	require.True(t, accepted(), "the worker is between two tasks")
	require.False(t, accepted())
	_, _ = r.slot(1).batch.begin()
	require.False(t, accepted(), "it has begun one, which no longer waits")
}

func TestBatchIsAKibibyte(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(room{}), uintptr(1024))
	require.Greater(t, unsafe.Sizeof(room{}), uintptr(1024-16), "one more place would fit")
	require.LessOrEqual(t, unsafe.Sizeof(batch{}), uintptr(128), "that of a single task")
}
