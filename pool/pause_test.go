package pool_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestPausedPoolTakesUpNothingUntilItResumes(t *testing.T) {
	for name, routing := range map[string]func() pool.Strategy{
		"shared queue": pool.SharedQueue, "round robin": pool.RoundRobin, "key ordered": pool.KeyOrdered,
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(3), pool.WithRouting(routing))
				_, err := pool.Broadcast(t.Context(), p, value(1)) // all workers are there
				require.NoError(t, err)
				require.True(t, p.Pause())
				require.True(t, p.Pause())
				var calls atomic.Int64
				count := func(context.Context) (int, error) { return int(calls.Add(1)), nil }
				var results []pool.Awaitable
				for range 10 {
					results = append(results, pool.ApplyAsync(t.Context(), p, count))
				}
				results = append(results,
					pool.MapAsync(t.Context(), p, func(ctx context.Context, _ int) (int, error) { return count(ctx) }, make([]int, 10), pool.WithChunkSize(1)),
					pool.BroadcastAsync(t.Context(), p, count))
				require.NoError(t, p.Go(t.Context(), func() { calls.Add(1) }))
				s := pool.IMap(t.Context(), p, func(ctx context.Context, _ int) (int, error) { return count(ctx) }, seq(1, 2, 3))
				lent := make(chan int)
				go func() { // in no borrowed place
					v, err := pool.Apply(context.Background(), p, count)
					require.NoError(t, err)
					lent <- v
				}()
				time.Sleep(time.Hour)
				require.Zero(t, calls.Load())
				require.True(t, p.Stats().Paused)
				require.Zero(t, p.Stats().Running)

				p.Resume()
				p.Resume()
				_, _, err = pool.WaitFor(hour(t), pool.AllCompleted, results...)
				require.NoError(t, err)
				<-lent
				for _, err := range s.All() {
					require.NoError(t, err)
				}
				synctest.Wait()
				require.EqualValues(t, 10+10+3+1+3+1, calls.Load())
				require.False(t, p.Stats().Paused)
			})
		})
	}
}

func TestPauseTakesBackWhatAWorkerHasInHand(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		var order []int
		g := occupy(t, p)
		var last *pool.AsyncResult[int]
		for i := range 500 { // the worker takes many at once when it finds out how short they are
			last = pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) {
				if order = append(order, i); i == 300 {
					p.Pause()
				}
				return i, nil
			})
		}
		close(g.open)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, order, 301)
		require.Equal(t, 199, p.Stats().Waiting)
		p.Resume()
		_, err := last.Get(hour(t))
		require.NoError(t, err)
		for i, n := range order {
			require.Equal(t, i, n, "in the order of submission")
		}
	})
}

func TestWhatRunsIsFinishedThoughThePoolPauses(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		v, err := pool.Apply(hour(t), p, func(ctx context.Context) (int, error) {
			p.Pause()
			sum := 0
			for v, err := range pool.IMap(ctx, p, double, seq(1, 2)).All() { // in its place
				if err != nil {
					return 0, err
				}
				sum += v
			}
			squares, err := pool.Map(ctx, p, double, []int{1, 2, 3}, pool.WithChunkSize(1))
			return sum + len(squares), err
		})
		require.NoError(t, err)
		require.Equal(t, 9, v)
		p.Resume()
	})
}

func TestMapAndStreamPauseBehindTheChunkInHand(t *testing.T) {
	var calls atomic.Int64
	item := func(_ context.Context, n int) (int, error) {
		calls.Add(1)
		time.Sleep(time.Second)
		return n, nil
	}
	for name, begin := range map[string]func(*pool.Pool) (end func() error){
		"MapAsync": func(p *pool.Pool) func() error {
			r := pool.MapAsync(context.Background(), p, item, make([]int, 20), pool.WithChunkSize(1))
			return func() error { _, err := r.Get(context.Background()); return err }
		},
		"Map": func(p *pool.Pool) func() error {
			err := make(chan error, 1)
			go func() {
				_, e := pool.Map(context.Background(), p, item, make([]int, 20), pool.WithChunkSize(1))
				err <- e
			}()
			return func() error { return <-err }
		},
		"IMap": func(p *pool.Pool) func() error {
			s := pool.IMap(context.Background(), p, item, count(20))
			return func() error {
				n := 0
				for v, err := range s.All() {
					if err != nil || v != n {
						return fmt.Errorf("item %d: %d, %w", n, v, err)
					}
					n++
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(2))
				calls.Store(0)
				end := begin(p)
				time.Sleep(2500 * time.Millisecond)
				p.Pause()
				time.Sleep(time.Hour)
				require.EqualValues(t, 6, calls.Load(), "three for each worker")
				require.Zero(t, p.Stats().Running)
				p.Resume()
				require.NoError(t, end())
				require.EqualValues(t, 20, calls.Load())
			})
		})
	}
}

func TestPauseEndsWithThePool(t *testing.T) {
	for name, c := range map[string]struct {
		end func(*pool.Pool)
		err error
	}{
		"Close":     {(*pool.Pool).Close, nil},
		"Terminate": {(*pool.Pool).Terminate, pool.ErrTerminated},
		"Shutdown":  {func(p *pool.Pool) { _ = p.Shutdown(context.Background()) }, nil},
		"pill":      {func(p *pool.Pool) { pool.SystemOf(p).Root.Poison(p.PID()); synctest.Wait() }, nil},
		"Stop":      {func(p *pool.Pool) { pool.SystemOf(p).Root.Stop(p.PID()); synctest.Wait() }, pool.ErrTerminated},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(2))
				p.Pause()
				r := pool.ApplyAsync(t.Context(), p, value(1))
				c.end(p)
				require.NoError(t, p.Join(hour(t)))
				require.ErrorIs(t, errOf(t, r), c.err)
				require.False(t, p.Pause(), "it is too late")
				require.False(t, p.Stats().Paused)
			})
		})
	}
}

func TestFreeWorkersOfAPausedPoolMakeNoRoom(t *testing.T) {
	for _, limit := range []int{0, 2} {
		pooltest.Run(t, func(t *pooltest.Kit) {
			p := newPool(t, pool.WithWorkers(3), pool.WithQueueLimit(limit), pool.WithQueuePolicy(pool.Reject))
			g := occupy(t, p)
			p.Pause()
			for range limit {
				pool.ApplyAsync(t.Context(), p, value(1))
			}
			require.ErrorIs(t, errOf(t, pool.ApplyAsync(t.Context(), p, value(1))), pool.ErrFull)
			p.Resume()
			synctest.Wait()
			require.NoError(t, errOf(t, pool.ApplyAsync(t.Context(), p, value(1))))
			close(g.open)
		})
	}
}

func TestSubmitterThatWaitsForRoomIsLetInByResume(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1))
		p.Pause()
		pool.ApplyAsync(t.Context(), p, value(1))
		begin := time.Now()
		time.AfterFunc(time.Minute, p.Resume)
		require.NoError(t, errOf(t, pool.ApplyAsync(t.Context(), p, value(2))))
		require.Equal(t, time.Minute, time.Since(begin))
	})
}

func TestWaitForWhatThePauseHoldsBackIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		second := occupy(t, p)
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			p.Pause()
			vs, err := pool.Broadcast(ctx, p, value(1))
			return len(vs), err
		})
		synctest.Wait()
		close(second.open)
		time.Sleep(time.Hour)
		require.False(t, r.Ready())
		p.Resume()
		v, err := r.Get(hour(t))
		require.NoError(t, err)
		require.Equal(t, 2, v)
	})
}

func TestPoolPausesByMessage(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		me, received := inbox(system)
		pid := spawn(system, pool.WithWorkers(1))
		task := func(n int) {
			request(system, pid, me, &messages.Task{Func: func(context.Context) (any, error) { return n, nil }})
		}
		task(1)
		require.Equal(t, 1, (<-received).(*messages.Result).Value)
		system.Root.Send(pid, &messages.Pause{})
		task(2)
		time.Sleep(time.Hour)
		require.Empty(t, received)
		system.Root.Send(pid, &messages.Resume{})
		require.Equal(t, 2, (<-received).(*messages.Result).Value)
		system.Root.Send(pid, &messages.Pause{})
		task(3)
		system.Root.Poison(pid) // drains it
		require.Equal(t, 3, (<-received).(*messages.Result).Value)
		stopped(t, system, pid)
		system.Root.Stop(me)
	})
}

// A runner that leaves the rest of a map because of a pause has it done later, though the
// pause ends in that moment.
func TestShortPausesLoseNothingOfAMap(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(2))
		go func() {
			for range 3000 {
				p.Pause()
				p.Resume()
				runtime.Gosched()
			}
		}()
		for range 20 {
			r := pool.MapAsync(t.Context(), p, func(_ context.Context, n int) (int, error) { return n, nil }, make([]int, 200), pool.WithChunkSize(1))
			_, err := r.Get(hour(t))
			require.NoError(t, err)
		}
	})
}
