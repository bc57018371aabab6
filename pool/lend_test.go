package pool_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// idlePool makes a pool whose workers have all been started and are idle.
func idlePool(t testing.TB, workers int, opts ...pool.Option) *pool.Pool {
	t.Helper()
	p := newPool(t, append([]pool.Option{pool.WithWorkers(workers)}, opts...)...)
	_, err := pool.Broadcast(t.Context(), p, value(1))
	require.NoError(t, err)
	synctest.Wait()
	return p
}

// goroutine tells goroutines apart by the stack that one of them keeps.
func goroutine() string {
	var stack [64]byte
	return string(stack[:runtime.Stack(stack[:], false)])[:24]
}

func TestApplyBorrowsThePlaceOfAnIdleWorker(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 2)
		caller := goroutine()
		v, err := pool.Apply(context.Background(), p, func(ctx context.Context) (string, error) {
			require.Equal(t, caller, goroutine(), "on the caller's goroutine")
			require.Contains(t, pool.WorkerName(ctx), "/worker-")
			require.Equal(t, 1, p.Stats().Running)
			return "done", nil
		})
		require.NoError(t, err)
		require.Equal(t, "done", v)
		require.Zero(t, p.Stats().Running)
		require.EqualValues(t, 2, p.Stats().Outcomes[pool.Succeeded], "with the broadcast")
	})
}

func TestApplyThatCanBeCancelledHasAGoroutineOfThePool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 2)
		caller := goroutine()
		_, err := pool.Apply(t.Context(), p, func(context.Context) (int, error) {
			require.NotEqual(t, caller, goroutine())
			return 0, nil
		})
		require.NoError(t, err)
	})
}

func TestBorrowedPlaceIsTheWorkersInEveryWay(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 1)
		var order []string
		over := make(chan struct{})
		go func() {
			defer close(over)
			_, _ = pool.Apply(context.Background(), p, func(context.Context) (int, error) {
				time.Sleep(time.Minute)
				order = append(order, "lent")
				return 0, nil
			})
		}()
		synctest.Wait()
		after := pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { order = append(order, "queued"); return 0, nil })
		require.NoError(t, after.Wait(hour(t)))
		<-over
		require.Equal(t, []string{"lent", "queued"}, order, "one at a time")
	})
}

func TestFailureInABorrowedPlaceIsTheWorkers(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var inits atomic.Int32
		p := idlePool(t, 1, pool.WithInitializer(func(context.Context) error { inits.Add(1); return nil }))
		boom := errors.New("boom")
		_, err := pool.Apply(context.Background(), p, func(context.Context) (int, error) { panic(boom) })
		require.ErrorIs(t, err, boom)
		require.ErrorAs(t, err, new(*pool.PanicError))
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Restarts)
		require.EqualValues(t, 2, inits.Load())
		v, err := pool.Apply(context.Background(), p, value("again"))
		require.NoError(t, err)
		require.Equal(t, "again", v)
	})
}

func TestGoexitInABorrowedPlaceEndsTheTaskAndTheCaller(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 1)
		over := make(chan bool)
		go func() {
			returned := false
			defer func() { over <- returned }()
			_, _ = pool.Apply(context.Background(), p, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			returned = true
		}()
		require.False(t, <-over)
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Outcomes[pool.Exited])
		require.EqualValues(t, 1, p.Stats().Restarts)
		_, err := pool.Apply(context.Background(), p, value(1))
		require.NoError(t, err, "the worker is back")
	})
}

func TestTerminateReachesAFunctionInABorrowedPlace(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 1)
		result := make(chan error)
		go func() {
			_, err := pool.Apply(context.Background(), p, func(ctx context.Context) (int, error) {
				<-ctx.Done()
				time.Sleep(time.Minute)
				return 1, nil
			})
			result <- err
		}()
		synctest.Wait()
		p.Terminate()
		begin := time.Now()
		joined := make(chan error)
		go func() { joined <- p.Join(context.Background()) }()
		require.ErrorIs(t, <-result, pool.ErrTerminated)
		require.NoError(t, <-joined)
		require.Equal(t, time.Minute, time.Since(begin), "Join waits for the function")
		require.EqualValues(t, 1, p.Stats().Late)
	})
}

func TestCloseAndJoinWaitForABorrowedPlace(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 1)
		result := make(chan error)
		go func() {
			_, err := pool.Apply(context.Background(), p, func(context.Context) (int, error) { time.Sleep(time.Minute); return 1, nil })
			result <- err
		}()
		synctest.Wait()
		go func() { result <- p.Shutdown(context.Background()) }()
		require.NoError(t, <-result)
		require.NoError(t, <-result)
		require.EqualValues(t, 2, p.Stats().Outcomes[pool.Succeeded])
	})
}

// A stranger stops the worker while its place is lent; its successor must not
// work beside the borrower.
func TestWorkerReplacedWhileItsPlaceIsLentDoesNotWorkBesideTheBorrower(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 1)
		var running, most atomic.Int32
		work := func(context.Context) (int, error) {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Minute)
			running.Add(-1)
			return 0, nil
		}
		over := make(chan struct{})
		go func() { defer close(over); _, _ = pool.Apply(context.Background(), p, work) }()
		synctest.Wait()
		pid := p.PID()
		systemOf(t).Root.Stop(actor.NewPID(pid.Address, pid.Id+"/worker-1"))
		synctest.Wait()
		r := pool.ApplyAsync(t.Context(), p, work)
		synctest.Wait()
		require.False(t, r.Running())
		require.NoError(t, r.Wait(hour(t)))
		<-over
		require.EqualValues(t, 1, most.Load())
	})
}

func TestManyBorrowersShareThePlacesThereAre(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := idlePool(t, 3)
		var running, most, done atomic.Int32
		over := make(chan struct{})
		for range 50 {
			go func() {
				for range 20 {
					_, err := pool.Apply(context.Background(), p, func(context.Context) (int, error) {
						most.Store(max(most.Load(), running.Add(1)))
						time.Sleep(time.Second)
						running.Add(-1)
						return 0, nil
					})
					if err == nil {
						done.Add(1)
					}
				}
				over <- struct{}{}
			}()
		}
		for range 50 {
			<-over
		}
		require.EqualValues(t, 1000, done.Load())
		require.LessOrEqual(t, most.Load(), int32(3))
	})
}

// The task that comes next finds the worker restarted, not about to be.
func TestFailureInABorrowedPlaceComesBeforeTheNextTask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var inits atomic.Int32
		p := idlePool(t, 1, pool.WithInitializer(func(context.Context) error { inits.Add(1); return nil }))
		for life := range int32(50) {
			_, err := pool.Apply(context.Background(), p, func(context.Context) (int, error) { panic("boom") })
			require.ErrorAs(t, err, new(*pool.PanicError))
			n, err := pool.Apply(t.Context(), p, func(context.Context) (int32, error) { return inits.Load(), nil })
			require.NoError(t, err)
			require.Equal(t, life+2, n)
			if life%2 == 0 {
				synctest.Wait()
			}
		}
	})
}

// A worker gets what came for it alone while its place was lent.
func TestTaskForAWorkerWhosePlaceIsLentIsStartedAfterwards(t *testing.T) {
	for name, borrow := range map[string]func(*pool.Pool){
		"Apply": func(p *pool.Pool) {
			_, _ = pool.Apply(context.Background(), p, func(context.Context) (int, error) { time.Sleep(time.Minute); return 0, nil })
		},
		"Map": func(p *pool.Pool) {
			_, _ = pool.Map(context.Background(), p, func(context.Context, int) (int, error) { time.Sleep(time.Minute); return 0, nil }, []int{1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := idlePool(t, 2)
				go borrow(p)
				synctest.Wait()
				_, err := pool.Broadcast(hour(t), p, value(1))
				require.NoError(t, err)
			})
		})
	}
}
