package pool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

var errOfTask = errors.New("no such file")

// nap is a task of one second, which ends with its context.
func nap(ctx context.Context) error {
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func fails(context.Context) error { return errOfTask }

// meter counts how many of its tasks are at work, and the most there were. A task
// that waits leaves it meanwhile.
type meter struct{ now, most, runs atomic.Int64 }

func (m *meter) enter() {
	n := m.now.Add(1)
	for most := m.most.Load(); n > most && !m.most.CompareAndSwap(most, n); most = m.most.Load() {
	}
}

func (m *meter) task(fn func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		m.runs.Add(1)
		m.enter()
		defer m.now.Add(-1)
		return fn(ctx)
	}
}

func (m *meter) away(wait func() error) error {
	m.now.Add(-1)
	defer m.enter()
	return wait()
}

func TestGroupWaitsForAllItsTasksAndThoseTheySubmit(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := pool.NewGroup(t.Context(), p)
		var ended atomic.Int64
		var grow func(depth int) func(context.Context) error
		grow = func(depth int) func(context.Context) error {
			return func(ctx context.Context) error {
				defer ended.Add(1)
				if depth > 0 {
					require.NoError(t, g.Go(ctx, grow(depth-1)))
					require.NoError(t, g.Go(ctx, grow(depth-1)))
				}
				return nap(ctx)
			}
		}
		require.NoError(t, g.Go(t.Context(), grow(4)))
		require.NoError(t, g.Wait(t.Context()))
		require.EqualValues(t, 31, ended.Load())
		require.NoError(t, g.Wait(t.Context()), "and says so again")
		require.ErrorIs(t, g.Go(t.Context(), nap), pool.ErrClosed, "a group serves once")
		require.Error(t, g.Context().Err())
		require.NoError(t, g.Wait(t.Context()), "what was refused after its end is not its own")
	})
}

func TestGroupIsCancelledByTheFirstError(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := pool.NewGroup(t.Context(), p)
		start := time.Now()
		running := pool.GroupAsync(t.Context(), g, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		require.NoError(t, g.Go(t.Context(), func(context.Context) error { time.Sleep(time.Second); return errOfTask }))
		waiting := pool.GroupAsync(t.Context(), g, value(1))

		require.Equal(t, errOfTask, g.Wait(t.Context()), "not those of the cancelled")
		require.Equal(t, time.Second, time.Since(start))
		for _, r := range []*pool.AsyncResult[int]{running, waiting} {
			_, err := r.Get(t.Context())
			require.ErrorIs(t, err, pool.ErrCancelled)
			require.ErrorIs(t, err, errOfTask, "the cause")
		}
		require.Equal(t, errOfTask, context.Cause(g.Context()))
		require.Zero(t, p.Report().Unfetched)
	})
}

func TestGroupThatKeepsGoingFinishesItsTasks(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := pool.NewGroup(t.Context(), p, pool.WithKeepGoing())
		require.NoError(t, g.Go(t.Context(), fails))
		require.NoError(t, g.Go(t.Context(), func(context.Context) error { return errors.New("a later one") }))
		r := pool.GroupAsync(t.Context(), g, value(7))
		require.Equal(t, errOfTask, g.Wait(t.Context()))
		v, err := r.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 7, v)
		require.Zero(t, p.Report().Unfetched, "the first stands for the others")
	})
}

func TestErrorsOfAGroupThatNobodyWaitsForAreUnfetched(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		g := pool.NewGroup(t.Context(), p)
		defer g.Cancel()
		require.NoError(t, g.Go(t.Context(), fails))
		synctest.Wait()
		require.EqualValues(t, 1, p.Report().Unfetched)
	})
}

func TestGroupTellsEveryWayInWhichATaskFails(t *testing.T) {
	for name, c := range map[string]struct {
		fn  func(context.Context) error
		err error
	}{
		"an error":  {fails, errOfTask},
		"a panic":   {func(context.Context) error { panic(errOfTask) }, errOfTask},
		"a Goexit":  {func(context.Context) error { runtime.Goexit(); return nil }, pool.ErrGoexit},
		"a timeout": {func(ctx context.Context) error { <-ctx.Done(); return nil }, pool.ErrTimeout},
	} {
		for _, limit := range []int{1, 100} {
			t.Run(fmt.Sprintf("%s, with limit %d", name, limit), func(t *testing.T) {
				pooltest.Run(t, func(t *pooltest.Kit) {
					p := newPool(t, pool.WithWorkers(2))
					g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(limit), pool.WithKeepGoing())
					require.NoError(t, g.Go(t.Context(), c.fn, pool.WithRunTimeout(time.Second)))
					require.NoError(t, g.Go(t.Context(), c.fn, pool.WithRunTimeout(time.Second)))
					last := pool.GroupAsync(t.Context(), g, value(7))
					require.ErrorIs(t, g.Wait(t.Context()), c.err)
					v, err := last.Get(t.Context())
					require.NoError(t, err, "its place was given back")
					require.Equal(t, 7, v)
				})
			})
		}
	}
}

func TestTaskThatIsCancelledAloneDoesNotCancelItsGroup(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := pool.NewGroup(t.Context(), p)
		require.NoError(t, g.Go(t.Context(), nap))
		alone := pool.GroupAsync(t.Context(), g, value(1))
		last := pool.GroupAsync(t.Context(), g, value(2))
		require.True(t, alone.Cancel())
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrCancelled, "yet not all went well")
		v, err := last.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, v)
	})
}

func TestNoMoreTasksOfAGroupAreInThePoolThanItsLimit(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(4))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(2))
		var m meter
		var order []int
		var mu sync.Mutex
		start := time.Now()
		for i := range 10 {
			require.NoError(t, g.Go(t.Context(), m.task(func(ctx context.Context) error {
				mu.Lock()
				order = append(order, i/2)
				mu.Unlock()
				return nap(ctx)
			})))
		}
		synctest.Wait()
		require.Zero(t, p.Stats().Waiting, "they wait in the group")
		require.EqualValues(t, 10, p.Stats().Accepted)
		v, err := pool.Apply(t.Context(), p, value(3))
		require.NoError(t, err)
		require.Equal(t, 3, v)
		require.Zero(t, time.Since(start), "others find a free worker")

		require.NoError(t, g.Wait(t.Context()))
		require.EqualValues(t, 2, m.most.Load())
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, []int{0, 0, 1, 1, 2, 2, 3, 3, 4, 4}, order, "in the order of submission")
	})
}

func TestTaskKeepsItsPlaceInTheGroupUntilItsFunctionReturns(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		d := newGate()
		deaf := pool.GroupAsync(t.Context(), g, d.deaf)
		<-d.started
		next := pool.GroupAsync(t.Context(), g, value(1))
		require.True(t, deaf.Cancel())
		synctest.Wait()
		require.True(t, deaf.Ready())
		require.False(t, next.Ready())
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := g.Wait(short)
		require.ErrorIs(t, err, pool.ErrNotReady)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		close(d.open)
		_, err = next.Get(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrCancelled)
	})
}

func TestGroupWaitsForFunctionsWhoseResultsHaveEnded(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := pool.NewGroup(t.Context(), p)
		var returned atomic.Bool
		require.NoError(t, g.Go(t.Context(), func(context.Context) error {
			time.Sleep(time.Minute)
			returned.Store(true)
			return nil
		}))
		synctest.Wait() // a task that has not begun is cancelled by the failure, and never called
		require.NoError(t, g.Go(t.Context(), fails))
		require.Equal(t, errOfTask, g.Wait(t.Context()))
		require.True(t, returned.Load())
	})
}

func TestCancelledGroupStartsNothingMore(t *testing.T) {
	for _, by := range []string{"Cancel", "its context"} {
		t.Run(by, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(3))
				ctx, cancel := context.WithCancelCause(t.Context())
				g := pool.NewGroup(ctx, p, pool.WithGroupLimit(2))
				sub := g.Subgroup(g.Context(), pool.WithGroupLimit(1)) // of two contexts one would end first
				var m meter
				for range 20 {
					require.NoError(t, g.Go(ctx, m.task(nap)))
					require.NoError(t, sub.Go(ctx, m.task(nap)))
				}
				last := pool.GroupAsync(ctx, sub, value(1))
				synctest.Wait()
				began := m.runs.Load()
				require.EqualValues(t, 2, began)
				if by == "Cancel" {
					g.Cancel()
					synctest.Wait() // the context's own watcher may have come first, and be at it
					require.True(t, last.Ready(), "at once")
				} else {
					cancel(errOfTask)
				}
				for _, g := range []*pool.Group{g, sub} {
					require.ErrorIs(t, g.Go(t.Context(), nap), pool.ErrCancelled)
					err := g.Wait(t.Context())
					require.ErrorIs(t, err, pool.ErrCancelled)
					require.Equal(t, by != "Cancel", errors.Is(err, errOfTask))
				}
				require.Equal(t, began, m.runs.Load())
				cancel(nil)
			})
		})
	}
}

func TestDeadlineOfAGroupIsATimeoutOfItsTasks(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		g := pool.NewGroup(ctx, p, pool.WithGroupLimit(1))
		require.NoError(t, g.Go(t.Context(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }))
		require.NoError(t, g.Go(t.Context(), nap))
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrTimeout)
	})
}

func TestSubgroupCountsTowardsBothLimitsAndHoldsNoPlaceWhileItWaits(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(8))
		var all, small meter
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(3))
		sub := g.Subgroup(t.Context(), pool.WithGroupLimit(1))
		start := time.Now()
		for range 10 { // first
			require.NoError(t, sub.Go(t.Context(), all.task(small.task(nap))))
		}
		var last atomic.Int64 // two tasks end at once
		for range 8 {
			require.NoError(t, g.Go(t.Context(), all.task(func(ctx context.Context) error {
				defer func() { last.Store(int64(time.Since(start))) }()
				return nap(ctx)
			})))
		}
		require.NoError(t, g.Wait(t.Context()), "with the tasks of the subgroup")
		require.Equal(t, 10*time.Second, time.Since(start))
		require.Equal(t, 4*time.Second, time.Duration(last.Load()), "two at a time beside that of the subgroup")
		require.EqualValues(t, 1, small.most.Load())
		require.EqualValues(t, 3, all.most.Load())
		require.ErrorIs(t, sub.Go(t.Context(), nap), pool.ErrClosed, "it ends with the group")
	})
}

func TestErrorsOfASubgroupAreItsOwn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := pool.NewGroup(t.Context(), p)
		sub := g.Subgroup(t.Context())
		require.NoError(t, g.Go(t.Context(), nap))
		require.NoError(t, sub.Go(t.Context(), fails))
		require.Equal(t, errOfTask, sub.Wait(t.Context()))
		require.NoError(t, g.Context().Err())
		require.NoError(t, g.Wait(t.Context()))
	})
}

func TestWaitForAGroupInsideATaskIsSafeOnOneWorker(t *testing.T) {
	for limit := range 4 {
		t.Run(fmt.Sprint("limit ", limit), func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				var opts []pool.GroupOption
				if limit > 0 {
					opts = append(opts, pool.WithGroupLimit(limit))
				}
				p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1))
				var runs atomic.Int64
				_, err := pool.Apply(t.Context(), p, func(ctx context.Context) (int, error) {
					g := pool.NewGroup(ctx, p, opts...)
					sub := g.Subgroup(ctx, pool.WithGroupLimit(1))
					for range 5 {
						pool.ApplyAsync(ctx, p, value(1))
						require.NoError(t, g.Go(ctx, func(context.Context) error { runs.Add(1); return nil }))
						require.NoError(t, sub.Go(ctx, func(context.Context) error { runs.Add(1); return nil }))
					}
					last := pool.GroupAsync(ctx, g, value(5))
					if v, err := last.Get(ctx); v != 5 || err != nil {
						return 0, fmt.Errorf("%d, %w", v, err)
					}
					return 0, g.Wait(ctx)
				})
				require.NoError(t, err)
				require.EqualValues(t, 10, runs.Load())
			})
		})
	}
}

// groupFib forks within a group of limited size.
func groupFib(g *pool.Group, m *meter, n int) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		m.enter()
		defer m.now.Add(-1)
		if n < 2 {
			return n, nil
		}
		a := pool.GroupAsync(ctx, g, groupFib(g, m, n-1))
		b := pool.GroupAsync(ctx, g, groupFib(g, m, n-2))
		sum := 0
		err := m.away(func() error {
			for _, r := range []*pool.AsyncResult[int]{a, b} {
				v, err := r.Get(ctx)
				if err != nil {
					return err
				}
				sum += v
			}
			return nil
		})
		return sum, err
	}
}

func TestTaskOfAGroupForksInItWhateverTheLimit(t *testing.T) {
	for workers := 1; workers <= 3; workers++ {
		for limit := 1; limit <= 3; limit++ {
			t.Run(fmt.Sprintf("%d workers, limit %d", workers, limit), func(t *testing.T) {
				pooltest.Run(t, func(t *pooltest.Kit) {
					p := newPool(t, pool.WithWorkers(workers))
					g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(limit))
					var m meter
					v, err := pool.GroupAsync(t.Context(), g, groupFib(g, &m, 10)).Get(t.Context())
					require.NoError(t, err)
					require.Equal(t, 55, v)
					require.NoError(t, g.Wait(t.Context()))
				})
			})
		}
	}
}

func TestWaitingTaskLendsItsPlaceToASubgroup(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		var m meter
		for range 3 {
			require.NoError(t, g.Go(t.Context(), m.task(func(ctx context.Context) error {
				sub := g.Subgroup(ctx, pool.WithGroupLimit(2))
				for range 3 {
					if err := sub.Go(ctx, m.task(nap)); err != nil {
						return err
					}
				}
				return m.away(func() error { return sub.Wait(ctx) })
			})))
		}
		require.NoError(t, g.Wait(t.Context()))
		require.EqualValues(t, 12, m.runs.Load())
		require.EqualValues(t, 1, m.most.Load())
	})
}

func TestTaskThatWaitsForItsOwnGroupIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(2))
		require.NoError(t, g.Go(t.Context(), func(ctx context.Context) error { return g.Wait(ctx) }))
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrDeadlock)
	})
}

func TestCycleThroughTheLimitOfAGroupIsADeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		var held *pool.AsyncResult[int]
		made := make(chan struct{})
		stranger := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-made
			return held.Get(ctx) // behind the one that waits for this
		})
		first := pool.GroupAsync(t.Context(), g, func(ctx context.Context) (int, error) {
			<-made
			return stranger.Get(ctx)
		})
		held = pool.GroupAsync(t.Context(), g, value(7))
		close(made)
		_, err := first.Get(t.Context())
		require.ErrorIs(t, err, pool.ErrDeadlock)
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrDeadlock)
	})
}

// A task waits for one that is held behind four: one that is run in its place and waits for
// it, one that is in the queue, and two that have yet to get there. (The one that is run
// makes room for another.)
func TestCycleThroughATaskThatIsBeingQueuedIsADeadlock(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit int
		late  bool
	}{
		{"it waits for room", 2, false},
		{"it begins to wait for room when the others wait", 2, true},
		{"it enters the queue when the others wait", 4, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(c.limit))
				outer := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
				inner := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(4), pool.WithKeepGoing())
				var held *pool.AsyncResult[int]
				made := make(chan struct{})
				first := pool.GroupAsync(t.Context(), outer, func(ctx context.Context) (int, error) {
					<-made
					return held.Get(ctx)
				})
				t.Idle()
				inVain := pool.GroupAsync(t.Context(), inner, func(ctx context.Context) (int, error) { return 0, outer.Wait(ctx) })
				pool.GroupAsync(t.Context(), inner, value(1))
				ctx := slowContext{t.Context(), make(chan struct{})}
				for i := range 2 {
					t.Go("submitter", func() { pool.GroupAsync(ctx, inner, value(2), pool.WithTaskName(fmt.Sprint(i))) })
				}
				t.Idle()
				if !c.late {
					close(ctx.looked)
					t.Idle()
				}
				held = pool.GroupAsync(t.Context(), inner, value(7))
				close(made)
				t.Idle()
				if c.late {
					close(ctx.looked)
				}
				_, err := first.Get(t.Context())
				_, innerErr := inVain.Get(t.Context())
				require.ErrorIs(t, errors.Join(err, innerErr), pool.ErrDeadlock)
				_ = inner.Wait(t.Context())
			})
		})
	}
}

// A task at work lets in those that wait for room before one that it waits for, and so does
// not wait for itself.
func TestTaskThatIsLetInIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		var held *pool.AsyncResult[int]
		made := make(chan struct{})
		waits := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-made
			return held.Get(ctx)
		})
		t.Idle()
		pool.ApplyAsync(t.Context(), p, value(1)) // fills the queue
		t.Go("submitter", func() { pool.GroupAsync(t.Context(), g, value(2)) })
		t.Idle()
		held = pool.GroupAsync(t.Context(), g, value(7))
		close(made)
		v, err := waits.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 7, v)
		require.NoError(t, g.Wait(t.Context()))
	})
}

// The wait for room ends by itself, and with it the group, and so the waits of two tasks
// that wait for each other through it.
func TestCycleThroughAWaitForRoomWithADeadlineIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1))
		other := newPool(t, pool.WithWorkers(1))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		var held, second *pool.AsyncResult[int]
		made := make(chan struct{})
		first := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-made
			return second.Get(ctx)
		})
		t.Idle()
		pool.ApplyAsync(t.Context(), p, value(1)) // fills the queue
		t.Go("submitter", func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			pool.GroupAsync(ctx, g, value(2))
		})
		t.Idle()
		held = pool.GroupAsync(t.Context(), g, value(7))
		second = pool.ApplyAsync(t.Context(), other, func(ctx context.Context) (int, error) {
			<-made
			return held.Get(ctx)
		})
		close(made)
		for _, r := range []*pool.AsyncResult[int]{first, second} {
			_, err := r.Get(t.Context())
			require.Error(t, err)
			require.NotErrorIs(t, err, pool.ErrDeadlock)
		}
		require.Error(t, g.Wait(t.Context()))
		require.Equal(t, time.Second, t.Elapsed())
	})
}

// slowContext does not say what its end is before somebody lets it.
type slowContext struct {
	context.Context
	looked chan struct{}
}

func (c slowContext) Done() <-chan struct{} {
	<-c.looked
	return c.Context.Done()
}

func TestGroupTaskThatWaitsForRoomIsLetInByATaskThatWaitsForTheGroup(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1))
		g := pool.NewGroup(t.Context(), p)
		d := newGate()
		waiter := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			_, _ = d.task(ctx)
			return 0, g.Wait(ctx)
		})
		<-d.started
		others := pool.ApplyAsync(t.Context(), p, value(1)) // fills the queue
		submitted := make(chan error, 1)
		go func() { submitted <- g.Go(t.Context(), func(context.Context) error { return nil }) }()
		synctest.Wait()
		require.Empty(t, submitted, "there is no room")
		close(d.open)
		require.NoError(t, <-submitted)
		_, err := waiter.Get(t.Context())
		require.NoError(t, err)
		require.NoError(t, others.Wait(t.Context()))
	})
}

func TestGroupIsToldWhatThePoolRefusesAndDrops(t *testing.T) {
	for _, c := range []struct {
		name string
		opts []pool.Option
		err  error
		ends pool.Outcome
	}{
		{"ErrFull", []pool.Option{pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.Reject)}, pool.ErrFull, pool.Failed},
		{"ErrDropped", []pool.Option{pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.DropOldest)}, pool.ErrDropped, pool.Dropped},
	} {
		t.Run(c.name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append(c.opts, pool.WithWorkers(1))...)
				busy := occupy(t, p)
				g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1), pool.WithKeepGoing())
				first := pool.GroupAsync(t.Context(), g, value(1))
				if c.err == pool.ErrDropped {
					pool.ApplyAsync(t.Context(), p, value(2))
				}
				outcome, err := first.Outcome()
				require.NoError(t, err)
				require.Equal(t, c.ends, outcome)
				close(busy.open)
				synctest.Wait()
				v, err := pool.GroupAsync(t.Context(), g, value(3)).Get(t.Context())
				require.NoError(t, err, "the place is free again")
				require.Equal(t, 3, v)
				require.ErrorIs(t, g.Wait(t.Context()), c.err)
			})
		})
	}
}

func TestHeldTaskEntersAFullQueue(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.Reject))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		for range 5 {
			require.NoError(t, g.Go(t.Context(), nap))
		}
		require.NoError(t, g.Wait(t.Context()))
	})
}

func TestEndOfThePoolIsTheEndOfHeldTasks(t *testing.T) {
	for name, c := range map[string]struct {
		end     func(p *pool.Pool)
		outcome pool.Outcome
		running pool.Outcome
	}{
		"Close finishes them":        {(*pool.Pool).Close, pool.Succeeded, pool.Succeeded},
		"Terminate ends them":        {(*pool.Pool).Terminate, pool.Terminated, pool.Terminated},
		"CancelQueued cancels them":  {func(p *pool.Pool) { p.CancelQueued() }, pool.Cancelled, pool.Succeeded},
		"Pause and Resume, in vain":  {func(p *pool.Pool) { p.Pause(); p.Resume() }, pool.Succeeded, pool.Succeeded},
		"a broken pool has no place": {func(p *pool.Pool) { breakPool(p) }, pool.Broken, pool.Succeeded},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				breaks := pool.Supervision{Decide: func(pool.Failure) pool.Directive { return pool.Break }}
				p := newPool(t, pool.WithWorkers(2), pool.WithSupervision(breaks))
				g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1), pool.WithKeepGoing())
				one := func(ctx context.Context) (int, error) { return 1, nap(ctx) }
				first := pool.GroupAsync(t.Context(), g, one)
				held := pool.GroupAsync(t.Context(), g, one)
				synctest.Wait()
				require.True(t, first.Running())
				require.False(t, held.Running())
				c.end(p)
				_ = g.Wait(t.Context())
				outcome, err := held.Outcome()
				require.NoError(t, err)
				require.Equal(t, c.outcome, outcome)
				outcome, err = first.Outcome()
				require.NoError(t, err)
				require.Equal(t, c.running, outcome)
			})
		})
	}
}

func breakPool(p *pool.Pool) {
	_ = pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { panic("boom") }).Wait(context.Background())
	synctest.Wait()
}

func TestGroupOfAClosedPoolSaysSo(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		p.Close()
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		require.ErrorIs(t, g.Go(t.Context(), nap), pool.ErrClosed)
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrClosed)
	})
}

func TestHeldTasksCanBeCancelledOneByOne(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		busy := occupy(t, p)
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		rs := make([]*pool.AsyncResult[int], 5)
		for i := range rs {
			rs[i] = pool.GroupAsync(t.Context(), g, value(i))
		}
		require.True(t, rs[2].Cancel(), "in the group")
		require.True(t, rs[0].Cancel(), "in the queue: the next takes its place")
		require.True(t, rs[1].Cancel(), "which it gave to the next")
		close(busy.open)
		for i, want := range []pool.Outcome{pool.Cancelled, pool.Cancelled, pool.Cancelled, pool.Succeeded, pool.Succeeded} {
			require.NoError(t, rs[i].Wait(t.Context()))
			outcome, err := rs[i].Outcome()
			require.NoError(t, err)
			require.Equal(t, want, outcome)
		}
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrCancelled)
	})
}

func TestOptionsOfTasksWorkInAGroup(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3), pool.WithRouting(pool.KeyOrdered))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(2), pool.WithKeepGoing())
		var m meter
		got := make(chan int, 10)
		for i := range 4 {
			fn := func(ctx context.Context) (int, error) { return i, m.task(nap)(ctx) }
			pool.GroupAsync(t.Context(), g, fn, pool.WithKey("key"), pool.WithCallback(func(v int) { got <- v }))
		}
		late := pool.GroupAsync(t.Context(), g, value(1), pool.WithTimeout(time.Second/2), pool.WithTaskName("late"))
		require.NoError(t, late.Wait(t.Context()))
		outcome, _ := late.Outcome()
		require.Equal(t, pool.TimedOut, outcome, "it never got a place")
		require.Equal(t, "late", late.Name())
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrTimeout)
		require.EqualValues(t, 1, m.most.Load())
		for i := range 4 {
			require.Equal(t, i, <-got)
		}
		require.ErrorIs(t, g.Wait(t.Context()), pool.ErrTimeout)
	})
}

func TestStuckCallbackHoldsUpNobodyInTheGroup(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		open := make(chan struct{})
		pool.GroupAsync(t.Context(), g, value(1), pool.WithCallback(func(int) { <-open }))
		v, err := pool.GroupAsync(t.Context(), g, value(2)).Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, v)
		close(open)
		require.NoError(t, g.Wait(t.Context()))
	})
}

func TestGroupRejectsWhatIsNotAllowed(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		ctx := t.Context()
		var none context.Context
		for name, g := range map[string]*pool.Group{
			"a limit below 1": pool.NewGroup(ctx, p, pool.WithGroupLimit(0)),
			"a nil option":    pool.NewGroup(ctx, p, nil),
			"a nil context":   pool.NewGroup(none, p),
			"of a subgroup":   pool.NewGroup(ctx, p).Subgroup(none),
		} {
			require.ErrorIs(t, g.Go(ctx, nap), pool.ErrInvalid, name)
			require.ErrorIs(t, g.Wait(ctx), pool.ErrInvalid, name)
		}
		g := pool.NewGroup(ctx, p, pool.WithGroupLimit(0), pool.WithGroupLimit(1))
		require.NoError(t, g.Go(ctx, nap), "the last counts")
		require.ErrorIs(t, g.Wait(none), pool.ErrInvalid)
		require.ErrorIs(t, g.Go(none, nap), pool.ErrInvalid)
		require.ErrorIs(t, g.Wait(ctx), pool.ErrInvalid, "the first error")

		require.PanicsWithValue(t, "greenroom/pool: NewGroup was given a nil pool", func() { pool.NewGroup(ctx, nil) })
		require.PanicsWithValue(t, "greenroom/pool: Group.Go was given a nil function", func() { _ = g.Go(ctx, nil) })
		require.PanicsWithValue(t, "greenroom/pool: Group.Go was given a nil group", func() { _ = new(pool.Group).Go(ctx, nap) })
		require.PanicsWithValue(t, "greenroom/pool: GroupAsync was given a nil group", func() { pool.GroupAsync(ctx, nil, value(1)) })
	})
}

func TestGroupWithoutTasksEndsAtOnce(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		ctx, cancel := context.WithCancel(t.Context())
		g := pool.NewGroup(ctx, newPool(t))
		cancel()
		require.NoError(t, g.Wait(ctx))
	})
}

func TestRetryOfATaskOfAGroupIsRefused(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		g := pool.NewGroup(context.Background(), newPool(t))
		err := errOf(t, pool.GroupAsync(context.Background(), g, value(1), twice()))
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, "WithRetry: it is not for a task of a group")
		require.ErrorIs(t, g.Wait(context.Background()), pool.ErrInvalid)
	})
}

// A held task that one waits for and lends its place to is not run by another one who waits
// for it, too: the first would lend the place once more. Somebody keeps the pool's lock
// occupied, so that both stand before it.
func TestPlaceIsLentToOneTaskAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(3), pool.WithUnboundedQueue(), pool.WithRouting(func() pool.Strategy { return lingering{} }))
		g := pool.NewGroup(t.Context(), p, pool.WithGroupLimit(1))
		sub := g.Subgroup(t.Context())
		made := make(chan struct{})
		require.NoError(t, g.Go(t.Context(), func(ctx context.Context) error { <-made; return sub.Wait(ctx) }))
		var results []*pool.AsyncResult[int]
		other := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-made
			for _, r := range results {
				_ = r.Wait(ctx)
			}
			return 0, nil
		})
		var atWork, most atomic.Int32
		for range 50 {
			results = append(results, pool.GroupAsync(t.Context(), sub, func(context.Context) (int, error) {
				most.Store(max(most.Load(), atWork.Add(1)))
				runtime.Gosched()
				atWork.Add(-1)
				return 0, nil
			}))
		}
		close(made)
		for !other.Ready() {
			pool.ApplyAsync(t.Context(), p, value(1))
		}
		require.NoError(t, g.Wait(t.Context()))
		require.EqualValues(t, 1, most.Load())
	})
}

// lingering is a strategy that takes its time.
type lingering struct{}

func (lingering) UsesKeys() bool { return false }
func (lingering) Route(string, int, func(int) int) pool.Target {
	for range 3 {
		runtime.Gosched()
	}
	return pool.Target{}
}
