package actors

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

// blocked is a wait that a test writes.
type blocked struct {
	on    Blockers
	ready bool
}

func (w *blocked) Ready() bool                { return w.ready }
func (w *blocked) Signal() <-chan struct{}    { return nil }
func (w *blocked) Piece(*Frame, *Nudge) *Task { return nil }
func (w *blocked) Blockers() Blockers         { return w.on }

func all(tasks ...*Task) *entry {
	return newEntry(nil, nil, &blocked{on: Blockers{All: tasks}})
}

// assembly is a body made of pieces, as a map is.
type assembly struct {
	script
	pieces []*Task
}

func (a *assembly) Assist(int, *Nudge) *Task { return nil }
func (a *assembly) Blockers() Blockers       { return Blockers{All: a.pieces} }

// newGraph is given lines such as "a: all b c". The nodes are tasks: a, b and c
// each run on a worker of their own; q waits in the queue; first is a task for
// worker 1, which a runs on; done is decided; map and cancelled-map are made of
// c and done; late has ended, but its function runs on. A node waits for all or any of
// those named behind it, for the places of all or of any, or, if it is ready, no longer.
func newGraph(t *testing.T, workers int, lines ...string) map[string]*Task {
	t.Helper()
	r := newTestRouter(workers, SharedQueue())
	nodes := map[string]*Task{}
	for i, name := range []string{"a", "b", "c"} {
		nodes[name] = &submit(t, r, TaskOptions{Worker: i + 1}, nil).Task
		require.Same(t, nodes[name], pull(r, i+1))
	}
	nodes["q"] = &submit(t, r, TaskOptions{}, nil).Task
	nodes["first"] = &submit(t, r, TaskOptions{Worker: 1}, nil).Task
	nodes["done"] = &inState(r, stateReady).Task
	nodes["late"] = &inState(r, stateReady).Task
	for name, state := range map[string]uint32{"map": stateRunning, "cancelled-map": stateDecided} {
		whole := &assembly{pieces: []*Task{nodes["done"], nodes["c"]}}
		whole.Init(r, whole, context.Background(), TaskOptions{})
		whole.state.Store(state)
		nodes[name] = &whole.Task
	}
	for _, line := range lines {
		name, wait, _ := strings.Cut(line, ": ")
		words := strings.Fields(wait)
		w := &blocked{ready: words[0] == "ready"}
		for _, word := range words[1:] {
			kind := map[string]*[]*Task{"ready": &w.on.All, "all": &w.on.All, "any": &w.on.Any, "places": &w.on.AllPlaces, "place": &w.on.AnyPlace}[words[0]]
			*kind = append(*kind, nodes[word])
		}
		f := nodes[name].frame()
		f.waits = append(f.waits, newEntry(nil, nil, w))
	}
	return nodes
}

func TestWaitOfAIsStuck(t *testing.T) {
	for _, c := range []struct {
		name    string
		workers int
		lines   []string
		stuck   bool
	}{
		{"never if it does not wait", 3, nil, false},
		{"if it waits for itself", 3, []string{"a: all a"}, true},
		{"in a cycle of two", 3, []string{"a: all b", "b: all a"}, true},
		{"in a cycle of three", 3, []string{"a: all b", "b: all c", "c: all a"}, true},
		{"not behind one that runs", 3, []string{"a: all b", "b: all c"}, false},
		{"not if the other's wait is over", 3, []string{"a: all b", "b: ready a"}, false},
		{"not if its own wait is over", 3, []string{"a: ready a"}, false},
		{"not if it waits for what is decided", 3, []string{"a: all done"}, false},
		{"not if it waits for nothing", 3, []string{"a: all"}, false},
		{"not if it waits for any of nothing", 3, []string{"a: any"}, false},

		{"if one of all is stuck", 3, []string{"a: all c b", "b: all a"}, true},
		{"if one of all is stuck, though another is decided", 3, []string{"a: all done b", "b: all a"}, true},
		{"not if one of any runs", 3, []string{"a: any b c", "b: all a"}, false},
		{"not if one of any is decided", 3, []string{"a: any b done", "b: all a"}, false},
		{"if all of any are stuck", 3, []string{"a: any b c", "b: all a", "c: all a"}, true},
		{"if any is itself alone", 3, []string{"a: any a"}, true},
		{"not if it waits for itself or one that runs", 3, []string{"a: any a b"}, false},
		{"if a cycle leads through any", 3, []string{"a: all b", "b: any a c", "c: all b"}, true},
		{"not if any on the cycle has a way out", 3, []string{"a: all b", "b: any a c"}, false},

		{"not if it waits for one that has ended, though the function of that waits for it", 3, []string{"a: all late", "late: all a"}, false},
		{"if it waits for its place", 3, []string{"a: places late", "late: all a"}, true},
		{"if it waits for the place of one that runs and waits for it", 3, []string{"a: places done b", "b: all a"}, true},
		{"if each place of any is kept", 3, []string{"a: place late b", "late: all a", "b: all a"}, true},
		{"not if a place of any is free", 3, []string{"a: place late done", "late: all a"}, false},
		{"not if a place of any may be given back", 3, []string{"a: place late b", "late: all a"}, false},

		{"in a diamond that comes back", 3, []string{"a: all b c", "b: all c", "c: all a"}, true},
		{"not in a diamond that ends", 3, []string{"a: all b c", "b: all c"}, false},
		{"if only one way of a diamond comes back", 3, []string{"a: all c b", "b: any c a", "c: all a"}, true},
		{"not if the way back leads through one that has a way out", 3, []string{"a: all b c", "b: any c done", "c: all b"}, false},
		{"behind a cycle of others", 3, []string{"a: all b", "b: all c", "c: all b"}, true},

		{"if every worker is busy waiting and it waits for the queue", 3, []string{"a: all q", "b: all a", "c: all a"}, true},
		{"not if a worker is free for the queue", 4, []string{"a: all q", "b: all a", "c: all a"}, false},
		{"not if a worker will be free for the queue", 3, []string{"a: all q", "b: all a"}, false},
		{"if what it waits for is for its own worker", 4, []string{"a: all first"}, true},
		{"if what it waits for is for a worker that waits for it", 4, []string{"b: all first", "a: all b"}, true},

		{"if a piece of what it waits for is stuck", 3, []string{"a: all map", "c: all a"}, true},
		{"not if what it waits for was cancelled, though a piece of it is stuck", 3, []string{"a: all cancelled-map", "c: all a"}, false},
		{"not if all pieces are done or run", 3, []string{"a: all map"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newGraph(t, c.workers, c.lines...)["a"]
			require.Equal(t, c.stuck, len(stuck(a)) > 0)

			if waits := a.waits(); len(waits) > 0 {
				var g graph
				a.frame().waits = nil
				require.Equal(t, !c.stuck, g.enter(t.Context(), a, waits[0]), "enter refuses what is stuck")
				if c.stuck {
					require.Empty(t, a.waits(), "and forgets it")
				} else {
					require.Equal(t, waits, a.waits())
				}
			}
		})
	}
}

func TestWaitForATaskBehindItsKeyIsStuckIfTheHolderIs(t *testing.T) {
	r := newTestRouter(3, KeyOrdered())
	holder := submit(t, r, TaskOptions{Key: "key"}, nil)
	behind := submit(t, r, TaskOptions{Key: "key"}, nil)
	require.Same(t, &holder.Task, pull(r, 1))
	other := submit(t, r, TaskOptions{}, nil)
	require.Same(t, &other.Task, pull(r, 2))
	var g graph
	require.True(t, g.enter(t.Context(), &other.Task, all(&behind.Task)), "the holder runs")
	require.False(t, g.enter(t.Context(), &holder.Task, all(&behind.Task)), "it waits for one behind itself")
	require.False(t, g.enter(t.Context(), &holder.Task, all(&other.Task)), "by way of another")
}

func TestAwaitRefusesADeadlockAndTheTaskGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(2, SharedQueue())
		var first, second *script
		var err [2]error
		first = submit(t, r, TaskOptions{}, func(ctx context.Context) { err[0] = Await(ctx, TaskWait{&second.Task}) })
		second = submit(t, r, TaskOptions{}, func(ctx context.Context) {
			time.Sleep(time.Second)
			err[1] = Await(ctx, TaskWait{&first.Task})
		})
		one, two := pull(r, 1), pull(r, 2)
		go one.perform(func(*Failure, bool) {})
		go two.perform(func(*Failure, bool) {})
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, [2]error{nil, messages.ErrDeadlock}, err)
		require.True(t, first.Task.Ready())
		require.True(t, second.Task.Ready())
	})
}

func TestAwaitRunsInPlaceWhatHasNotStarted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		var inner *script
		var err error
		outer := submit(t, r, TaskOptions{}, func(ctx context.Context) {
			inner = submit(t, r, TaskOptions{}, func(ctx context.Context) {
				require.Equal(t, 1, FrameOf(ctx).Worker(), "in the place of the waiting task")
				require.Equal(t, 1, r.Stats().Running)
			})
			err = Await(ctx, TaskWait{&inner.Task})
		})
		work(r, 1)
		require.NoError(t, err)
		require.True(t, inner.Task.Ready())
		require.Equal(t, messages.Succeeded, outer.Outcome())
	})
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		b := inState(r, stateRunning)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Equal(t, context.DeadlineExceeded, Await(ctx, TaskWait{&b.Task}))

		var err error
		submit(t, r, TaskOptions{}, func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			err = Await(ctx, TaskWait{&b.Task})
			require.Empty(t, runningTask(ctx).waits(), "it has left the graph")
		})
		work(r, 1)
		require.Equal(t, context.DeadlineExceeded, err)
	})
}

func TestWaitWithADeadlineDoesNotEnterTheGraph(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	a := newGraph(t, 3)["a"]
	var g graph
	require.True(t, g.enter(ctx, a, all(a)), "it ends by itself")
	require.Empty(t, a.waits())
}

func TestWaitThatWasNudgedCountsAsFree(t *testing.T) {
	nodes := newGraph(t, 3, "a: all b")
	nudge := newNudge()
	e := newEntry(nil, nudge, &blocked{on: Blockers{All: []*Task{nodes["a"]}}})
	nodes["b"].frame().waits = []*entry{e}
	require.NotEmpty(t, stuck(nodes["a"]))
	nudge.Give()
	nudge.Give()
	require.Empty(t, stuck(nodes["a"]), "b is about to look again")
}

func TestNudgesLetGoOfThoseThatNobodyWaitsFor(t *testing.T) {
	var n Nudges
	n.Add(nil)
	first := newNudge()
	n.Add(first)
	for range 1000 { // somebody polls
		poll := newNudge()
		n.Add(poll)
		poll.drop()
	}
	require.Less(t, len(n.list), 10)
	n.Give()
	require.True(t, isClosed(first.given))
	require.Empty(t, n.list)
}

func TestOfATaskThatWaitsTwiceTheWaitInVainIsBroken(t *testing.T) {
	nodes := newGraph(t, 3, "a: all c", "a: all b", "b: all a")
	require.Len(t, stuck(nodes["a"]), 2)
	for range 2 { // b's may be broken, too, but not that for c, which runs
		breakOne([]*Task{nodes["a"]})
	}
	require.False(t, nodes["a"].waits()[0].broken)
	require.True(t, breakOne([]*Task{nodes["b"], nodes["a"]}))
	require.True(t, nodes["b"].waits()[0].broken)
	require.Empty(t, stuck(nodes["a"]))
}

func TestWaitOfATaskThatHasEndedIsSearchedToo(t *testing.T) {
	nodes := newGraph(t, 3, "a: places late")
	var g graph
	require.True(t, g.enter(t.Context(), nodes["late"], all(nodes["done"])))
	nodes["late"].frame().waits = nil
	require.False(t, g.enter(t.Context(), nodes["late"], all(nodes["a"])), "a waits until the function returns")
}

func TestWaitThatInsistsBreaksAnotherOnItsCycle(t *testing.T) {
	nodes := newGraph(t, 3, "b: all a", "c: all b")
	var g graph
	g.insist(nodes["a"], all(nodes["c"]))
	broken := 0
	for _, name := range []string{"a", "b", "c"} {
		for _, e := range nodes[name].waits() {
			if e.broken {
				broken++
				require.NotEqual(t, "a", name)
			}
		}
	}
	require.Equal(t, 1, broken)
	require.Empty(t, stuck(nodes["a"]))
}

func TestTaskIsSurelyFreeOnlyIfItIsNotStuck(t *testing.T) {
	for name, c := range map[string]struct {
		waits map[string][]string // a task, and those it waits for, in a wait each
		free  bool
	}{
		"waits for nothing":                                {nil, true},
		"waits for one that runs":                          {map[string][]string{"a": {"b"}}, true},
		"waits for one that waits for one that ends":       {map[string][]string{"a": {"b"}, "b": {"done"}}, true},
		"waits for itself":                                 {map[string][]string{"a": {"a"}}, false},
		"on a cycle":                                       {map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"a"}}, false},
		"before a cycle":                                   {map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"b"}}, false},
		"one of two waits is on a cycle":                   {map[string][]string{"a": {"c", "b"}, "b": {"a"}}, false},
		"waits for one in the queue, which needs a search": {map[string][]string{"a": {"q"}}, false},
		"waits for a map, which needs one":                 {map[string][]string{"a": {"map"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			nodes := newGraph(t, 4)
			for waiter, others := range c.waits {
				f := nodes[waiter].frame()
				for _, other := range others {
					f.waits = append(f.waits, newEntry(nil, nil, TaskWait{nodes[other]}))
				}
			}
			left := plainSteps
			require.Equal(t, c.free, nodes["a"].surelyFree(&left))
			if len(stuck(nodes["a"])) > 0 {
				require.False(t, c.free)
			}
		})
	}
}
