package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestScopeSaysWhichWorkersAreRestarted(t *testing.T) {
	for scope, want := range map[pool.Scope][]int{
		pool.OneForOne:  {1, 2, 1},
		pool.AllForOne:  {2, 2, 2},
		pool.RestForOne: {1, 2, 2},
	} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				seen := newLives()
				p := newPool(t, pool.WithWorkers(3), pool.WithInitializer(seen.begin), pool.WithSupervision(pool.Supervision{Scope: scope}))
				require.NoError(t, p.Ready(hour(t)))
				fail(t, p, 2)
				synctest.Wait()
				require.Equal(t, want, seen.of(p, 3))
				restarts := 0
				for _, n := range want {
					restarts += n - 1
				}
				require.EqualValues(t, restarts, p.Stats().Restarts)
			})
		})
	}
}

func TestWorkerThatIsRestartedWithAnotherFinishesItsTaskFirst(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		seen := newLives()
		p := newPool(t, pool.WithWorkers(2), pool.WithInitializer(seen.begin), pool.WithSupervision(pool.Supervision{Scope: pool.AllForOne}))
		require.NoError(t, p.Ready(hour(t)))
		g := newGate()
		r := pool.ApplyAsync(t.Context(), p, g.task)
		<-g.started
		_, err := pool.Apply(t.Context(), p, boom)
		require.Error(t, err)
		synctest.Wait()
		require.ElementsMatch(t, []int{1, 2}, seen.of(p, 2))
		close(g.open)
		_, err = r.Get(hour(t))
		require.NoError(t, err, "its context did not end either")
		synctest.Wait()
		require.Equal(t, []int{2, 2}, seen.of(p, 2))
	})
}

// It does so, too, if its caller would have worked in its place.
func TestWorkerThatIsRestartedWithAnotherFinishesItsCallersTaskFirst(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var made atomic.Int32
		p := newPool(t, pool.WithWorkers(2), pool.WithSupervision(pool.Supervision{Scope: pool.AllForOne}), pool.WithState(
			func(context.Context) (int32, error) { return made.Add(1), nil }, nil))
		require.NoError(t, p.Ready(hour(t)))
		states, err := pool.Apply(context.Background(), p, func(ctx context.Context) (states [2]int32, _ error) {
			states[0], _ = pool.State[int32](ctx)
			_, _ = pool.ApplyAsync(context.Background(), p, boom).Get(context.Background())
			time.Sleep(time.Second)
			states[1], _ = pool.State[int32](ctx)
			return states, nil
		})
		require.NoError(t, err)
		require.Equal(t, states[0], states[1])
		synctest.Wait()
		require.EqualValues(t, 4, made.Load())
	})
}

// failMeanwhile has one of two workers at a long task, and the other fail n times meanwhile.
// Then the long task returns, or panics.
func failMeanwhile(t testing.TB, rules pool.Supervision, n int, panics bool) (p *pool.Pool, seen *lives, number int) {
	rules.Scope = pool.AllForOne
	seen = newLives()
	p = newPool(t, pool.WithWorkers(2), pool.WithInitializer(seen.begin), pool.WithSupervision(rules))
	require.NoError(t, p.Ready(hour(t)))
	g, at := newGate(), make(chan string)
	pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (string, error) {
		at <- pool.WorkerName(ctx)
		if panics {
			return g.fails(ctx)
		}
		return g.deaf(ctx)
	})
	number = 1
	if strings.HasSuffix(<-at, "2") {
		number = 2
	}
	for range n {
		require.Error(t, errOf(t, pool.ApplyAsync(context.Background(), p, boom)))
		time.Sleep(time.Minute) // it has waited for its restart
	}
	require.Equal(t, 1, seen.of(p, 2)[number-1])
	close(g.open)
	synctest.Wait()
	return p, seen, number
}

func TestWorkerAtALongTaskIsRestartedOnceHoweverManyHaveFailed(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, seen, number := failMeanwhile(t, pool.Supervision{}, 5, false)
		require.Equal(t, 2, seen.of(p, 2)[number-1])
		require.Equal(t, 6, seen.of(p, 2)[2-number])
		require.EqualValues(t, 6, p.Stats().Restarts)
		fail(t, p, 3-number)
		synctest.Wait()
		require.Equal(t, 3, seen.of(p, 2)[number-1], "the next time again")
	})
}

func TestWorkerThatOwesARestartAndFailsWaitsForItsOwn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, seen, number := failMeanwhile(t, pool.Supervision{MinBackoff: 30 * time.Second, MaxBackoff: 30 * time.Second}, 2, true)
		time.Sleep(29 * time.Second)
		synctest.Wait()
		require.Equal(t, 1, seen.of(p, 2)[number-1], "its back-off is not over")
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, 2, seen.of(p, 2)[number-1], "once for both")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 4, seen.of(p, 2)[2-number])
		require.EqualValues(t, 4, p.Stats().Restarts)
	})
}

func TestWorkerThatOwesARestartAndResumesIsRestarted(t *testing.T) {
	for _, owes := range []int{0, 2} {
		pooltest.Run(t, func(t *pooltest.Kit) {
			failures := 0
			p, seen, number := failMeanwhile(t, pool.Supervision{Decide: func(pool.Failure) pool.Directive {
				if failures++; failures > owes {
					return pool.Resume
				}
				return pool.Restart
			}}, owes, true)
			require.Equal(t, 1+min(owes, 1), seen.of(p, 2)[number-1])
			_, err := pool.Apply(hour(t), p, value(1))
			require.NoError(t, err)
		})
	}
}

// It does so, too, if it is asked to restart with others while it initializes.
func TestWorkerWhoseInitializerFailsWaitsForItsOwnRestart(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		seen := newLives()
		var first atomic.Int64
		p := newPool(t, pool.WithWorkers(2), pool.WithInitializer(func(ctx context.Context) error {
			_ = seen.begin(ctx)
			if strings.HasSuffix(pool.WorkerName(ctx), "1") && first.Add(1) == 2 {
				time.Sleep(10 * time.Second)
				return errors.New("not yet")
			}
			return nil
		}), pool.WithSupervision(pool.Supervision{
			Scope:      pool.AllForOne,
			Decide:     func(pool.Failure) pool.Directive { return pool.Restart },
			MinBackoff: 30 * time.Second, MaxBackoff: 30 * time.Second,
		}))
		require.NoError(t, p.Ready(hour(t)))
		fail(t, p, 1)
		time.Sleep(5 * time.Second)
		require.Error(t, errOf(t, pool.ApplyAsync(context.Background(), p, boom)), "on the other")
		for _, c := range []struct {
			after time.Duration
			lives []int
		}{{26 * time.Second, []int{2, 1}}, {5 * time.Second, []int{2, 2}}, {33 * time.Second, []int{2, 2}}, {2 * time.Second, []int{3, 3}}} {
			time.Sleep(c.after)
			synctest.Wait()
			require.Equal(t, c.lives, seen.of(p, 2))
		}
	})
}

// Ten workers whose initializers fail three times in eight, and take their time: there is
// always one that restarts, and all others with it. They still find the time for a task.
func TestWorkersWhoseInitializersFailOftenDoTheirTasks(t *testing.T) {
	for seed := range uint64(3) {
		pooltest.Run(t, func(t *pooltest.Kit) {
			var mu sync.Mutex
			dice := rand.New(rand.NewPCG(seed, 23))
			n := func(n int) int { mu.Lock(); defer mu.Unlock(); return dice.IntN(n) }
			var calm atomic.Bool
			p := newPool(t, pool.WithWorkers(10), pool.WithInitializer(func(context.Context) error {
				switch choice := n(8); {
				case calm.Load():
				case choice < 3:
					return errors.New("not yet")
				case choice < 6:
					time.Sleep(time.Duration(n(6)) * time.Second)
				}
				return nil
			}), pool.WithCleanup(func(context.Context) error {
				if n(6) == 0 {
					time.Sleep(time.Duration(n(5)) * time.Second)
				}
				return nil
			}), pool.WithSupervision(pool.Supervision{
				Scope:      pool.AllForOne,
				Decide:     func(pool.Failure) pool.Directive { return pool.Restart },
				MinBackoff: 500 * time.Millisecond, MaxBackoff: 3 * time.Second, Jitter: 0.5,
			}))
			for range 10 {
				_, err := pool.Apply(hour(t), p, value(1))
				require.NoError(t, err)
				time.Sleep(time.Minute)
			}
			calm.Store(true)
		})
	}
}
