package actors

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

// fickle is a strategy that fails when it is told to.
type fickle struct{ bad bool }

func (*fickle) UsesKeys() bool { return false }
func (f *fickle) Route(string, int, func(int) int) Target {
	if f.bad {
		panic("route")
	}
	return Target{}
}

func TestHeldMessageThatTheStrategyRefusesIsNotCountedAsWaiting(t *testing.T) {
	f := &fickle{}
	r := newTestRouter(1, f)
	r.config.Limit = 1
	submit(t, r, TaskOptions{}, nil)
	submit(t, r, TaskOptions{}, nil)
	b := newScript(r, TaskOptions{})
	require.NoError(t, r.SubmitMessage(&b.Task)) // held
	f.bad = true
	work(r, 1)
	work(r, 1)
	require.True(t, b.Task.Ready())
	require.ErrorIs(t, b.Err(), messages.ErrInvalid)
	f.bad = false
	require.Zero(t, r.uncounted)
	require.Zero(t, r.Stats().Waiting)
}

func TestPlaceThatAWorkerIsAboutToPassOverIsNotATaskLessThanNone(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	x := submit(t, r, TaskOptions{}, nil)
	require.True(t, x.Cancel())
	b, _ := r.next(1, false) // and is not given the processor for a while
	require.Same(t, &x.Task, b.first.task)
	require.Zero(t, r.Stats().Waiting)
}

// The worker has taken a task but not claimed it, another claims it to run it in
// place.
func TestWorkerAtATaskThatRunsElsewhereIsFree(t *testing.T) {
	r := newTestRouter(2, SharedQueue())
	x := submit(t, r, TaskOptions{}, nil)
	require.Same(t, &x.Task, pull(r, 1))
	y := submit(t, r, TaskOptions{}, nil)
	b, _ := r.next(2, false) // and is not given the processor for a while
	require.Same(t, &y.Task, b.first.task)
	require.Same(t, &y.Task, r.ClaimFor(&y.Task, 1, newNudge())) // x waits for y and hosts it
	fixed := submit(t, r, TaskOptions{Worker: 2}, nil)           // y waits for it: a broadcast
	e := newEntry(nil, nil, TaskWait{&fixed.Task})
	require.True(t, waitGraph.enter(context.Background(), &y.Task, e), "worker 2 is free: it only has to pass over y")
}

// The graph and those who wait for a task ask after it without a lock at first, and
// may come to it when it has left and the last task with its key has ended.
func TestTaskThatLeftItsChainIsAskedAfterTheChain(t *testing.T) {
	r := newTestRouter(1, KeyOrdered())
	var behind *script
	submit(t, r, TaskOptions{Key: "a"}, func(context.Context) {
		behind = submit(t, r, TaskOptions{Key: "a"}, nil)
		require.True(t, behind.Task.Cancel())
	})
	work(r, 1)
	require.Empty(t, r.queue.chains)
	require.Empty(t, r.holders(&behind.Task))
	require.Nil(t, r.ClaimFor(&behind.Task, 1, nil))
}

// hooked is a context whose Done is foreign code.
type hooked struct {
	context.Context
	done func()
}

func (h hooked) Done() <-chan struct{} { h.done(); return nil }

func TestDropOldestDropsWhatItChoseThoughAWorkerComesBack(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	r.config.Limit, r.config.Policy, r.mayBatch = 1, DropOldest, false
	submit(t, r, TaskOptions{}, nil)
	require.NotNil(t, pull(r, 1))
	oldest := submit(t, r, TaskOptions{}, nil)
	c := &script{}
	took := false
	c.Init(r, c, hooked{context.Background(), func() {
		r.mu.Lock()
		both := r.line.length == 2
		r.mu.Unlock()
		if both && !took { // c was accepted; the worker comes back before the oldest is told
			took = true
			b, _ := r.next(1, false)
			require.Same(t, &oldest.Task, b.first.task)
		}
	}}, TaskOptions{})
	require.NotPanics(t, func() { require.NoError(t, r.Submit(context.Background(), &c.Task)) })
	require.True(t, took)
	require.Equal(t, messages.Dropped, oldest.Outcome())
}

func TestWorkerAtAPlaceThatWasTakenBackIsNotCountedTwice(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	r.config.Limit, r.config.Policy = 0, Reject
	require.True(t, r.Go(func() {}))
	require.Equal(t, 1, r.CancelUnstarted())
	b, _ := r.next(1, false)
	require.True(t, b.first.isHole())
	accepted := 0
	for r.Submit(context.Background(), &newScript(r, TaskOptions{}).Task) == nil {
		accepted++
	}
	require.Equal(t, 1, accepted, "a task is accepted only when a worker is free")
}

// A worker that fails makes room; nobody is told before it is back.
func TestWorkerThatFailsLetsASubmitterIn(t *testing.T) {
	r := newTestRouter(2, SharedQueue())
	r.config.Limit = 0
	a := submit(t, r, TaskOptions{}, func(context.Context) { panic("boom") })
	b := submit(t, r, TaskOptions{}, nil)
	first, _ := r.next(1, false)
	require.Same(t, &a.Task, first.first.task)
	require.Same(t, &b.Task, pull(r, 2))
	let := make(chan error, 1)
	go func() { let <- r.Submit(context.Background(), &newScript(r, TaskOptions{}).Task) }()
	for {
		r.mu.Lock()
		n := r.waiters.len()
		r.mu.Unlock()
		if n == 1 {
			break
		}
		runtime.Gosched()
	}
	w := &worker{router: r, number: 1, box: r.slot(1).box}
	w.box.status.Store(awake)
	func() { defer func() { _ = recover() }(); w.run(r.slot(1).batch) }()
	r.withdraw(w.box) // suspended; the initializer of the next one takes its time
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Zero(t, r.waiters.len(), "there is room")
}
