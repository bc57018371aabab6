package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// crew counts how many functions run at once.
type crew struct {
	running, most atomic.Int32
}

// work is a task of a second.
func (c *crew) work(context.Context) (int, error) {
	now := c.running.Add(1)
	for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
	}
	time.Sleep(time.Second)
	c.running.Add(-1)
	return 1, nil
}

func (c *crew) each(ctx context.Context, _ int) (int, error) { return c.work(ctx) }

// routings are the ways to route tasks without keys.
var routings = map[string]func() pool.Strategy{
	"shared queue": pool.SharedQueue, "round robin": pool.RoundRobin,
	"random": pool.Random, "least loaded": pool.LeastLoaded,
}

func TestPoolThatGrowsRunsMoreAtOnce(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		var c crew
		for range 6 {
			pool.ApplyAsync(context.Background(), p, c.work)
		}
		synctest.Wait()
		require.EqualValues(t, 1, c.running.Load())
		require.NoError(t, p.Resize(3))
		require.Equal(t, 3, p.Workers())
		synctest.Wait()
		require.EqualValues(t, 3, c.running.Load())
		p.Close()
		require.NoError(t, p.Join(context.Background()))
		require.EqualValues(t, 3, c.most.Load())
	})
}

func TestPoolThatShrinksFinishesWhatRunsAndLosesNothing(t *testing.T) {
	for name, routing := range routings {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(4), pool.WithRouting(routing))
				var c crew
				var results []*pool.AsyncResult[int]
				for range 16 {
					results = append(results, pool.ApplyAsync(context.Background(), p, c.work))
				}
				synctest.Wait()
				running := c.running.Load()
				require.NoError(t, p.Resize(1))
				require.Equal(t, 1, p.Workers())
				require.GreaterOrEqual(t, c.running.Load(), running, "what runs is finished; the first worker may have had nothing to do")
				time.Sleep(time.Second)
				synctest.Wait()
				require.EqualValues(t, 1, c.running.Load())
				require.Equal(t, 1, p.Stats().Started, "the others have left")
				for _, r := range results {
					v, err := r.Get(context.Background())
					require.NoError(t, err)
					require.Equal(t, 1, v)
				}
			})
		})
	}
}

func TestIdleWorkersLeaveAPoolThatShrinks(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var begun, ended atomic.Int32
		p := newPool(t, pool.WithWorkers(4),
			pool.WithInitializer(func(context.Context) error { begun.Add(1); return nil }),
			pool.WithCleanup(func(context.Context) error { ended.Add(1); return nil }))
		require.NoError(t, p.Ready(context.Background()))
		require.NoError(t, p.Resize(2))
		synctest.Wait()
		require.EqualValues(t, 2, ended.Load())
		require.Equal(t, 2, p.Stats().Started)

		require.NoError(t, p.Resize(6))
		require.NoError(t, p.Ready(context.Background()))
		require.EqualValues(t, 8, begun.Load(), "2 of the first, and 4 new ones")
		require.Zero(t, p.Stats().Restarts)
	})
}

// Two sizes that follow one another at once: a worker that has been told to leave may be
// wanted again before it has.
func TestWorkerIsWantedAgainWhileItLeaves(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(4))
		var c crew
		for range 50 {
			results := []*pool.AsyncResult[int]{}
			for range 8 {
				results = append(results, pool.ApplyAsync(context.Background(), p, c.work))
			}
			require.NoError(t, p.Resize(1))
			require.NoError(t, p.Resize(4))
			for _, r := range results {
				_, err := r.Get(context.Background())
				require.NoError(t, err)
			}
		}
		require.LessOrEqual(t, c.most.Load(), int32(4))
	})
}

func TestBroadcastReachesWorkersWhosePlaceIsClosedMeanwhile(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		var gates []*gate
		for range 3 {
			gates = append(gates, occupy(t, p))
		}
		r := pool.BroadcastAsync(context.Background(), p, func(ctx context.Context) (string, error) {
			return pool.WorkerName(ctx)[len(p.Name())+1:], nil
		})
		require.NoError(t, p.Resize(1))
		for _, g := range gates {
			close(g.open)
		}
		names, err := r.Get(context.Background())
		require.NoError(t, err)
		require.Equal(t, []string{"worker-1", "worker-2", "worker-3"}, names)
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Started)

		names, err = pool.Broadcast(context.Background(), p, func(ctx context.Context) (string, error) {
			return pool.WorkerName(ctx)[len(p.Name())+1:], nil
		})
		require.NoError(t, err)
		require.Equal(t, []string{"worker-1"}, names)
	})
}

func TestMapAndStreamUnderWayFollowTheSizeOfThePool(t *testing.T) {
	for name, start := range map[string]func(*pool.Pool, *crew) func() error{
		"map": func(p *pool.Pool, c *crew) func() error {
			r := pool.MapAsync(context.Background(), p, c.each, make([]int, 20), pool.WithChunkSize(1))
			return func() error { _, err := r.Get(context.Background()); return err }
		},
		"stream": func(p *pool.Pool, c *crew) func() error {
			s := pool.IMapUnordered(context.Background(), p, c.each, slices.Values(make([]int, 20)))
			return func() (err error) {
				n := 0
				for _, e := range s.All() {
					err = errors.Join(err, e)
					n++
				}
				if n != 20 {
					return fmt.Errorf("%d results", n)
				}
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1))
				var c crew
				wait := start(p, &c)
				for _, size := range []int32{3, 2, 1, 3} {
					require.NoError(t, p.Resize(int(size)))
					time.Sleep(1500 * time.Millisecond)
					synctest.Wait()
					require.Equal(t, size, c.running.Load())
					time.Sleep(500 * time.Millisecond)
				}
				require.NoError(t, wait())
			})
		})
	}
}

func TestStrategyKnowsThePlacesThatAreOpen(t *testing.T) {
	for name, routing := range routings {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(4), pool.WithRouting(routing), pool.WithSupervision(pool.Supervision{
					Decide: func(pool.Failure) pool.Directive { return pool.Stop },
				}))
				fail(t, p, 2) // which leaves a gap
				synctest.Wait()
				require.Equal(t, 3, p.Workers())
				var mu sync.Mutex
				seen := map[string]bool{}
				for range 60 {
					pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (int, error) {
						mu.Lock()
						seen[pool.WorkerName(ctx)[len(p.Name()):]] = true
						mu.Unlock()
						time.Sleep(time.Second)
						return 0, nil
					})
				}
				p.Close()
				require.NoError(t, p.Join(context.Background()))
				require.Equal(t, map[string]bool{"/worker-1": true, "/worker-3": true, "/worker-4": true}, seen)
			})
		})
	}
}

func TestSizeThatCannotBeIsRefused(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(4), pool.WithMinWorkers(2))
		for n, says := range map[int]string{
			-1: "-1 workers; there must be 1 to 1048576", 0: "0 workers; there must be 1 to 1048576",
			1 << 21: "2097152 workers; there must be 1 to 1048576", 1: "1 workers; the minimum is set to 2",
		} {
			err := p.Resize(n)
			require.ErrorIs(t, err, pool.ErrInvalid)
			require.ErrorContains(t, err, says)
			require.ErrorContains(t, err, p.Name())
		}
		require.Equal(t, 4, p.Workers())
		g := occupy(t, p)
		p.Close()
		require.NoError(t, p.Resize(3), "it is still at work")
		close(g.open)
		p.Terminate()
		require.ErrorIs(t, p.Resize(4), pool.ErrClosed)
		require.Equal(t, 3, p.Workers())
	})
}

func TestClosedPoolEndsSoonerWithMoreWorkers(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		var c crew
		for range 8 {
			pool.ApplyAsync(context.Background(), p, c.work)
		}
		p.Close()
		require.NoError(t, p.Resize(8))
		began := time.Now()
		require.NoError(t, p.Join(context.Background()))
		require.Equal(t, time.Second, time.Since(began))
	})
}

func TestPoolIsResizedByMessage(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		p := newPool(t, pool.WithActorSystem(system), pool.WithWorkers(2))
		request := func(m *messages.Resize) *messages.Resized {
			answer, err := system.Root.RequestFuture(p.PID(), m, time.Second).Result()
			require.NoError(t, err)
			return answer.(*messages.Resized)
		}
		require.Equal(t, &messages.Resized{Workers: 5}, request(&messages.Resize{Workers: 5}))
		answer := request(nil)
		require.ErrorIs(t, answer.Err, pool.ErrInvalid)
		require.Equal(t, 5, answer.Workers)
		system.Root.Send(p.PID(), &messages.Resize{Workers: 1})
		synctest.Wait()
		require.Equal(t, 1, p.Workers())
	})
}

func TestResizeIsAnEvent(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		var seen []string
		done := make(chan struct{})
		events := p.Events(context.Background())
		go func() {
			defer close(done)
			for e := range events {
				seen = append(seen, e.String()[len(p.Name())+2:])
			}
		}()
		require.NoError(t, p.Resize(3))
		require.NoError(t, p.Resize(3), "nothing has changed")
		require.NoError(t, p.Resize(1))
		p.Close()
		require.NoError(t, p.Join(context.Background()))
		<-done
		require.Equal(t, []string{"pool resized to 3 workers", "pool resized to 1 workers", "pool closing", "pool closed"}, seen)
	})
}

// With limit 0 a task is accepted when a worker is free that may take it: one that
// finishes what it runs, since its place is closed, is none, and takes the room of none.
func TestRoomIsThatOfTheWorkersThatStay(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.Reject))
		one, two := occupy(t, p), occupy(t, p)
		require.NoError(t, p.Resize(1))
		require.ErrorIs(t, errOf(t, pool.ApplyAsync(context.Background(), p, value(1))), pool.ErrFull)
		close(two.open)
		synctest.Wait()
		require.ErrorIs(t, errOf(t, pool.ApplyAsync(context.Background(), p, value(1))), pool.ErrFull)
		close(one.open)
		synctest.Wait()
		_, err := pool.ApplyAsync(context.Background(), p, value(1)).Get(context.Background())
		require.NoError(t, err)
	})
}

func TestSubmitterIsLetInWhenThePoolGrows(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0))
		g := occupy(t, p)
		done := make(chan error, 1)
		go func() {
			_, err := pool.Apply(context.Background(), p, value(1))
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, p.Resize(2))
		require.NoError(t, <-done)
		close(g.open)
	})
}

// A task waits for one of another pool that waits for room: when the worker that could
// have made it is taken away, nobody can go on.
func TestDeadlockThatASmallerPoolMakesIsBroken(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		a := newPool(t, pool.WithWorkers(2), pool.WithQueueLimit(0))
		b := newPool(t, pool.WithWorkers(1))
		waits := pool.ApplyAsync(context.Background(), a, func(ctx context.Context) (int, error) {
			inB := pool.ApplyAsync(context.Background(), b, func(ctx context.Context) (int, error) {
				time.Sleep(time.Second) // until a is busy
				return pool.ApplyAsync(ctx, a, value(1)).Get(ctx)
			})
			time.Sleep(time.Millisecond) // so that it runs there
			return inB.Get(ctx)
		})
		time.Sleep(time.Millisecond)
		busy := occupy(t, a)
		time.Sleep(2 * time.Second)
		require.False(t, waits.Ready())
		require.NoError(t, a.Resize(1))
		synctest.Wait()
		require.True(t, waits.Ready())
		require.ErrorIs(t, errOf(t, waits), pool.ErrDeadlock)
		close(busy.open)
	})
}

func TestFailedWorkerIsStoppedAndThePoolCarriesOn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		boom := errors.New("no device 2")
		broken := true
		p := newPool(t, pool.WithWorkers(3), pool.WithMinWorkers(2),
			pool.WithInitializer(func(ctx context.Context) error {
				if broken && pool.WorkerName(ctx)[len(pool.WorkerName(ctx))-1] == '2' {
					return boom
				}
				return nil
			}),
			pool.WithSupervision(pool.Supervision{Decide: func(pool.Failure) pool.Directive { return pool.Stop }}))
		require.NoError(t, p.Ready(context.Background()), "of those that are left")
		require.Equal(t, 2, p.Workers())
		var c crew
		for range 6 {
			pool.ApplyAsync(context.Background(), p, c.work)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 2, c.most.Load())
		require.EqualValues(t, 6, p.Stats().Outcomes[pool.Succeeded])

		require.NoError(t, p.Resize(3), "its place opens again")
		synctest.Wait()
		require.Equal(t, 2, p.Workers())
		broken = false
		require.NoError(t, p.Resize(3))
		require.NoError(t, p.Ready(context.Background()))
		require.Equal(t, 3, p.Workers())
	})
}

func TestPoolWithItsMinimumOfWorkersBreaksInsteadOfStoppingOne(t *testing.T) {
	for name, opts := range map[string][]pool.Option{
		"by default 1": {pool.WithWorkers(2)},
		"as set":       {pool.WithWorkers(4), pool.WithMinWorkers(3)},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append(opts, pool.WithSupervision(pool.Supervision{
					MaxRestarts: 1, Within: time.Hour, Exceeded: pool.Stop,
				}))...)
				before := p.Workers()
				for range 2 {
					pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { panic("boom") })
					synctest.Wait()
				}
				require.Equal(t, before-1, p.Workers(), "one restart, then a stop")
				pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { panic("boom") })
				synctest.Wait()
				err := errOf(t, pool.ApplyAsync(context.Background(), p, value(1)))
				require.ErrorIs(t, err, pool.ErrBroken)
				require.ErrorIs(t, err, pool.ErrTooManyRestarts)
				require.ErrorContains(t, err, fmt.Sprintf("would have been stopped, but no fewer than %d may remain", before-1))
			})
		})
	}
}

func TestWhatWaitsForAStoppedWorkerAloneEndsWithItsFailure(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.RoundRobin), pool.WithSupervision(pool.Supervision{
			Decide: func(pool.Failure) pool.Directive { return pool.Stop },
		}))
		boom := errors.New("boom")
		one := occupy(t, p)
		bad := pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { time.Sleep(time.Second); panic(boom) })
		synctest.Wait()
		everywhere := pool.BroadcastAsync(context.Background(), p, value(1))
		routed := []*pool.AsyncResult[int]{}
		for range 4 {
			routed = append(routed, pool.ApplyAsync(context.Background(), p, value(1)))
		}
		require.ErrorIs(t, errOf(t, bad), boom)
		close(one.open)
		for _, r := range routed {
			_, err := r.Get(context.Background())
			require.NoError(t, err, "anybody could run it")
		}
		err := errOf(t, everywhere)
		require.ErrorIs(t, err, boom)
		require.ErrorContains(t, err, "worker-2 was stopped")
	})
}

func TestWorkersLeaveThatAreIdleForTooLong(t *testing.T) {
	for name, c := range map[string]struct {
		opts []pool.Option
		stay int
	}{
		"all":            {nil, 0},
		"but the fewest": {[]pool.Option{pool.WithMinWorkers(2)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append(c.opts, pool.WithWorkers(8), pool.WithIdleTimeout(time.Minute))...)
				var work crew
				for range 5 {
					for range 8 {
						pool.ApplyAsync(context.Background(), p, work.work)
					}
					time.Sleep(time.Second)
					synctest.Wait()
					require.Equal(t, 8, p.Stats().Started)
					time.Sleep(time.Minute - time.Millisecond)
					synctest.Wait()
					require.Equal(t, 8, p.Stats().Started)
					time.Sleep(time.Minute / 8)
					synctest.Wait()
					require.Equal(t, c.stay, p.Stats().Started)
					require.Equal(t, 8, p.Workers())
				}
				require.Zero(t, p.Stats().Restarts)
			})
		})
	}
}

func TestWorkersThatAreNeededNowAndThenStay(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3), pool.WithIdleTimeout(time.Minute))
		three := func() {
			var c crew
			for range 3 {
				pool.ApplyAsync(context.Background(), p, c.work)
			}
			time.Sleep(time.Second)
		}
		three()
		for range 10 {
			time.Sleep(50 * time.Second)
			_, err := pool.Apply(context.Background(), p, value(1)) // in a place that is lent
			require.NoError(t, err)
		}
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Started, "one does it all")
		three()
		synctest.Wait()
		require.Equal(t, 3, p.Stats().Started)
	})
}

// A task that comes while a worker leaves, and takes long to clean up, has another one
// started if there is a place for it.
func TestTaskThatComesWhileAWorkerLeavesFindsOne(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithIdleTimeout(time.Minute),
			pool.WithCleanup(func(context.Context) error { time.Sleep(time.Hour); return nil }))
		ctx := context.Background()
		_, err := pool.ApplyAsync(ctx, p, value(1)).Get(ctx)
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		began := time.Now()
		_, err = pool.ApplyAsync(ctx, p, value(1)).Get(ctx)
		require.NoError(t, err)
		require.Zero(t, time.Since(began))
		time.Sleep(2 * time.Minute) // now both clean up
		_, err = pool.ApplyAsync(ctx, p, value(1)).Get(ctx)
		require.NoError(t, err)
		require.Equal(t, 59*time.Minute, time.Since(began).Truncate(time.Minute), "the first that is through")
	})
}

func TestIdleOptionsThatCannotBeAreRefused(t *testing.T) {
	for says, opts := range map[string][]pool.Option{
		"WithIdleTimeout: 0s; it must be positive":                                {pool.WithIdleTimeout(0)},
		"WithMinWorkers: 0 workers; there must be 1 at least":                     {pool.WithMinWorkers(0)},
		"WithMinWorkers: 3 workers, more than the 2 that the pool has":            {pool.WithMinWorkers(3), pool.WithWorkers(2)},
		"WithSupervision: Exceeded is stop, but MaxRestarts is not set":           {pool.WithSupervision(pool.Supervision{Exceeded: pool.Stop})},
		"WithIdleTimeout: -1s; it must be positive\ninvalid argument: WithMinWor": {pool.WithIdleTimeout(-time.Second), pool.WithMinWorkers(-1)},
	} {
		_, err := pool.New(opts...)
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, says)
	}
}

// Embedded in an actor, a pool is resized by its owner, while its workers are killed.
func TestEmbeddedPoolIsResizedWhileItsWorkersAreKilled(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		pid, err := system.Root.SpawnNamed(pool.Props(pool.WithWorkers(2)), "crew")
		require.NoError(t, err)
		var futures []*actor.Future
		for i := range 60 {
			futures = append(futures, system.Root.RequestFuture(pid, &messages.Task{
				Func: func(context.Context) (any, error) { time.Sleep(time.Second); return i, nil },
			}, time.Hour))
			system.Root.Send(pid, &messages.Resize{Workers: 1 + i%4})
			system.Root.Send(actor.NewPID(system.Address(), fmt.Sprintf("crew/worker-%d", 1+i%5)), &actor.PoisonPill{})
		}
		for i, f := range futures {
			answer, err := f.Result()
			require.NoError(t, err)
			require.Equal(t, i, answer.(*messages.Result).Value)
		}
		require.NoError(t, system.Root.PoisonFuture(pid).Wait())
	})
}

// Ready waits for the workers that come in place of those that left.
func TestReadyAgainAfterWorkersHaveLeft(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var begun atomic.Int32
		p := newPool(t, pool.WithWorkers(2), pool.WithIdleTimeout(time.Minute), pool.WithInitializer(func(context.Context) error {
			time.Sleep(time.Second)
			if begun.Add(1) > 4 {
				return errFlaky
			}
			return nil
		}))
		for n := range 3 {
			err := p.Ready(context.Background())
			if n == 2 {
				require.ErrorIs(t, err, errFlaky)
				require.ErrorIs(t, err, pool.ErrBroken)
				break
			}
			require.NoError(t, err)
			require.EqualValues(t, 2*(n+1), begun.Load())
			require.NoError(t, p.Ready(context.Background()), "they are there")
			time.Sleep(5 * time.Minute)
			require.Zero(t, p.Stats().Started)
		}
	})
}

func TestPoolThatHasBrokenIsNotReadyAnyMore(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithSupervision(pool.Supervision{Decide: func(pool.Failure) pool.Directive { return pool.Break }}))
		require.NoError(t, p.Ready(context.Background()))
		_, err := pool.Apply(context.Background(), p, func(context.Context) (int, error) { panic("broken") })
		require.Error(t, err)
		synctest.Wait()
		require.ErrorIs(t, p.Ready(context.Background()), pool.ErrBroken)
		require.Equal(t, 1, p.Stats().Started)
	})
}

// Neither to find out that it may stay no longer, nor for the pool to break if it cannot.
func TestWorkerThatLeavesDoesNotBeginAnew(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var begun atomic.Int32
		p := newPool(t, pool.WithWorkers(2), pool.WithMaxTasksPerWorker(1), pool.WithInitializer(func(context.Context) error {
			if begun.Add(1) > 2 {
				return errFlaky
			}
			return nil
		}))
		require.NoError(t, p.Ready(context.Background()))
		gates := map[string]*gate{p.Name() + "/worker-1": newGate(), p.Name() + "/worker-2": newGate()}
		pool.BroadcastAsync(context.Background(), p, func(ctx context.Context) (string, error) {
			return gates[pool.WorkerName(ctx)].task(ctx)
		})
		synctest.Wait()
		require.NoError(t, p.Resize(1))
		close(gates[p.Name()+"/worker-2"].open)
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Started)
		require.Zero(t, p.Stats().Recycled)
		require.EqualValues(t, 2, begun.Load())
	})
}

// A worker that was kept leaves when another one is there, be that at work.
func TestWorkerThatWasKeptLeavesWhenAnotherOneComes(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithIdleTimeout(time.Minute), pool.WithMinWorkers(1), pool.WithRouting(pool.RoundRobin))
		_, err := pool.ApplyAsync(context.Background(), p, value(1)).Get(context.Background())
		require.NoError(t, err)
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, p.Stats().Started)
		g := occupy(t, p) // the other one
		require.Equal(t, 2, p.Stats().Started)
		time.Sleep(time.Minute / 4)
		require.Equal(t, 1, p.Stats().Started)
		close(g.open)
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, p.Stats().Started)
	})
}
