package pool_test

import (
	"context"
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
