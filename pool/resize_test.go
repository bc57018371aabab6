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
