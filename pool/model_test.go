package pool_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// modelTask is a task as the model sees it.
type modelTask struct {
	result  *pool.AsyncResult[int]
	release chan func() // what the function does, once it is told
	outcome messages.Outcome
	ended   bool // has an outcome
	in      bool // its function occupies a worker
	waits   bool // in the queue
}

// poolModel is what a pool is to its users: a queue, first come first served,
// in front of a number of workers.
type poolModel struct {
	pool       *pool.Pool
	workers    int
	limit      int
	policy     pool.Policy
	tasks      []*modelTask
	closed     bool
	terminated bool
}

func (m *poolModel) running() (tasks []*modelTask) {
	return m.those(func(t *modelTask) bool { return t.in })
}
func (m *poolModel) waiting() (tasks []*modelTask) {
	return m.those(func(t *modelTask) bool { return t.waits })
}

func (m *poolModel) those(match func(*modelTask) bool) []*modelTask {
	return slices.DeleteFunc(slices.Clone(m.tasks), func(t *modelTask) bool { return !match(t) })
}

func (t *modelTask) end(outcome messages.Outcome) {
	if !t.ended {
		t.ended, t.outcome = true, outcome
	}
	t.waits = false
}

// pull lets free workers take tasks.
func (m *poolModel) pull() {
	for waiting := m.waiting(); len(waiting) > 0 && len(m.running()) < m.workers; waiting = waiting[1:] {
		waiting[0].waits, waiting[0].in = false, true
	}
}

func (m *poolModel) submit(t *rapid.T) {
	task := &modelTask{release: make(chan func(), 1)}
	full := len(m.waiting())+len(m.running()) >= m.limit+m.workers
	task.result = pool.ApplyAsync(context.Background(), m.pool, func(context.Context) (int, error) {
		(<-task.release)()
		return 1, nil
	})
	switch {
	case m.closed:
		_, err := task.result.Get(context.Background())
		require.ErrorIs(t, err, pool.ErrClosed)
		return
	case full && (m.policy == pool.Reject || len(m.waiting()) == 0):
		_, err := task.result.Get(context.Background())
		require.ErrorIs(t, err, pool.ErrFull)
		return
	case full:
		m.waiting()[0].end(messages.Dropped)
	}
	task.waits = true
	m.tasks = append(m.tasks, task)
}

func (m *poolModel) finish(t *rapid.T) {
	running := m.running()
	if len(running) == 0 {
		return
	}
	task := rapid.SampledFrom(running).Draw(t, "task")
	outcome := rapid.SampledFrom([]messages.Outcome{messages.Succeeded, messages.Panicked, messages.Exited}).Draw(t, "outcome")
	task.release <- map[messages.Outcome]func(){
		messages.Succeeded: func() {},
		messages.Panicked:  func() { panic(errors.New("boom")) },
		messages.Exited:    runtime.Goexit,
	}[outcome]
	task.end(outcome)
	task.in = false
}

func (m *poolModel) cancel(t *rapid.T) {
	if len(m.tasks) == 0 {
		return
	}
	task := rapid.SampledFrom(m.tasks).Draw(t, "task")
	require.Equal(t, !task.ended, task.result.Cancel())
	task.end(messages.Cancelled)
}

func (m *poolModel) close(*rapid.T) {
	m.pool.Close()
	m.closed = true
}

func (m *poolModel) terminate(*rapid.T) {
	m.pool.Terminate()
	m.closed, m.terminated = true, true
	for _, task := range m.tasks {
		task.end(messages.Terminated)
	}
}

// check compares the pool with the model once everything has come to rest.
func (m *poolModel) check(t *rapid.T) {
	m.pull()
	synctest.Wait()
	stats := m.pool.Stats()
	require.Equal(t, len(m.running()), stats.Running)
	require.Equal(t, len(m.waiting()), stats.Waiting)
	require.EqualValues(t, len(m.tasks), stats.Accepted)
	for i, task := range m.tasks {
		require.Equal(t, task.ended, task.result.Ready(), "task %d", i)
		if task.ended {
			outcome, err := task.result.Outcome()
			require.NoError(t, err)
			require.Equal(t, task.outcome, outcome, "task %d", i)
		}
	}
	ended := m.closed && len(m.running()) == 0 && len(m.waiting()) == 0
	joined := m.pool.Join(polling) == nil
	require.Equal(t, ended, joined, "joined")
}

// polling makes Join a poll.
var polling = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func TestPoolBehavesLikeItsModel(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		// Without T's Deadline, which must not be asked for inside a bubble.
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			m := &poolModel{
				workers: rapid.IntRange(1, 3).Draw(t, "workers"),
				limit:   rapid.IntRange(0, 4).Draw(t, "limit"),
				policy:  rapid.SampledFrom([]pool.Policy{pool.Reject, pool.DropOldest}).Draw(t, "policy"),
			}
			var err error
			m.pool, err = pool.New(pool.WithWorkers(m.workers), pool.WithQueueLimit(m.limit), pool.WithQueuePolicy(m.policy))
			require.NoError(t, err)
			t.Repeat(map[string]func(*rapid.T){
				"":          m.check,
				"submit":    m.submit,
				"submit 2":  m.submit, // more often than the rest
				"finish":    m.finish,
				"cancel":    m.cancel,
				"close":     m.close,
				"terminate": m.terminate,
			})
			m.terminate(t)
			for _, task := range m.running() {
				task.release <- func() {}
			}
			require.NoError(t, m.pool.Join(context.Background()))
		})
	})
}
