package pool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
