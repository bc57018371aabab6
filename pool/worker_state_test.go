package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// connections numbers what it opens and knows what is open.
type connections struct {
	mu     sync.Mutex
	opened int
	open   map[int]bool
}

type connection struct {
	of     *connections
	number int
}

func newConnections() *connections { return &connections{open: map[int]bool{}} }

func (c *connections) connect(context.Context) (*connection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened++
	c.open[c.opened] = true
	return &connection{c, c.opened}, nil
}

func (c *connection) Close() error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if !c.of.open[c.number] {
		return fmt.Errorf("connection %d is not open", c.number)
	}
	delete(c.of.open, c.number)
	return nil
}

func (c *connections) howMany() (opened, open int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened, len(c.open)
}

// number is a task that returns the number of its worker's connection.
func number(ctx context.Context) (int, error) {
	c, ok := pool.State[*connection](ctx)
	if !ok {
		return 0, errors.New("no connection")
	}
	return c.number, nil
}

func TestEachWorkerHasAStateOfItsOwnUntilItEnds(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		c := newConnections()
		p := newPool(t, pool.WithWorkers(3), pool.WithState(c.connect, (*connection).Close))
		for range 3 {
			numbers, err := pool.Broadcast(hour(t), p, number)
			require.NoError(t, err)
			require.ElementsMatch(t, []int{1, 2, 3}, numbers)
		}
		_, _ = pool.Apply(t.Context(), p, boom)
		synctest.Wait()
		opened, open := c.howMany()
		require.Equal(t, 4, opened, "the worker that failed has a new one")
		require.Equal(t, 3, open, "and the old one is closed")
		require.NoError(t, p.Shutdown(hour(t)))
		_, open = c.howMany()
		require.Zero(t, open)
	})
}

func TestStateIsThatOfTheWorkerInWhosePlaceATaskRuns(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithState(newConnections().connect, nil))
		v, err := pool.Apply(hour(t), p, func(ctx context.Context) (int, error) { return pool.Apply(ctx, p, number) })
		require.NoError(t, err)
		require.Equal(t, 1, v)
		v, err = pool.Apply(context.Background(), p, number) // in a borrowed place
		require.NoError(t, err)
		require.Equal(t, 1, v)
		_, ok := pool.State[*connection](t.Context())
		require.False(t, ok)
		other, err := pool.Apply(hour(t), p, func(ctx context.Context) (bool, error) { _, ok := pool.State[int](ctx); return ok, nil })
		require.NoError(t, err)
		require.False(t, other, "of another type")
	})
}

func TestWorkerThatResumesKeepsItsConnection(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		c := newConnections()
		p := newPool(t, pool.WithWorkers(1), pool.WithState(c.connect, (*connection).Close),
			pool.WithSupervision(pool.Supervision{Decide: func(pool.Failure) pool.Directive { return pool.Resume }}))
		_, err := pool.Apply(hour(t), p, boom)
		require.Error(t, err)
		v, err := pool.Apply(hour(t), p, number)
		require.NoError(t, err)
		require.Equal(t, 1, v)
		_, open := c.howMany()
		require.Equal(t, 1, open)
	})
}

func TestHooksRunInOrder(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var order []string
		note := func(what string) func(context.Context) error {
			return func(ctx context.Context) error {
				order = append(order, what+" "+strings.TrimPrefix(pool.WorkerName(ctx), "troupe/"))
				return nil
			}
		}
		p := newPool(t, pool.WithWorkers(1), pool.WithName("troupe"),
			pool.WithCleanup(note("end")), pool.WithInitializer(note("begin")),
			pool.WithState(func(ctx context.Context) (int, error) { return 1, note("make")(ctx) },
				func(int) error { order = append(order, "close"); return nil }))
		_, err := pool.Apply(hour(t), p, func(context.Context) (int, error) { order = append(order, "task"); return 0, nil })
		require.NoError(t, err)
		require.NoError(t, p.Shutdown(hour(t)))
		require.Equal(t, []string{"begin worker-1", "make worker-1", "task", "close", "end worker-1"}, order)
	})
}

func TestCleanupWaitsForTheFunctionThatHasOutlivedItsResult(t *testing.T) {
	for name, call := range map[string]func(*pool.Pool, func(context.Context) (int, error)){
		"ApplyAsync": func(p *pool.Pool, fn func(context.Context) (int, error)) {
			pool.ApplyAsync(context.Background(), p, fn)
		},
		"Apply": func(p *pool.Pool, fn func(context.Context) (int, error)) {
			_, _ = pool.Apply(context.Background(), p, fn)
		},
		"Map": func(p *pool.Pool, fn func(context.Context) (int, error)) {
			_, _ = pool.Map(context.Background(), p, func(ctx context.Context, _ int) (int, error) { return fn(ctx) }, []int{1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				c := newConnections()
				p := newPool(t, pool.WithWorkers(1), pool.WithState(c.connect, (*connection).Close))
				require.NoError(t, p.Ready(hour(t)))
				started := make(chan struct{})
				go call(p, func(context.Context) (int, error) {
					close(started)
					time.Sleep(time.Minute)
					_, open := c.howMany()
					require.Equal(t, 1, open, "in use")
					return 0, nil
				})
				<-started
				p.Terminate()
				begin := time.Now()
				require.NoError(t, p.Join(hour(t)))
				require.Equal(t, time.Minute, time.Since(begin))
				_, open := c.howMany()
				require.Zero(t, open)
			})
		})
	}
}

func TestCleanupRunsHoweverAWorkerEnds(t *testing.T) {
	worker := func(p *pool.Pool) *actor.PID {
		pid := p.PID()
		return actor.NewPID(pid.Address, pid.Id+"/worker-1")
	}
	for name, end := range map[string]func(*pool.Pool){
		"Terminate":       (*pool.Pool).Terminate,
		"Close":           (*pool.Pool).Close,
		"pill":            func(p *pool.Pool) { pool.SystemOf(p).Root.Poison(p.PID()) },
		"Stop":            func(p *pool.Pool) { pool.SystemOf(p).Root.Stop(p.PID()) },
		"Stop to it":      func(p *pool.Pool) { pool.SystemOf(p).Root.Stop(worker(p)); p.Close() },
		"pill to it":      func(p *pool.Pool) { pool.SystemOf(p).Root.Poison(worker(p)); p.Close() },
		"a failing task":  func(p *pool.Pool) { pool.ApplyAsync(context.Background(), p, boom); p.Close() },
		"and nobody else": func(p *pool.Pool) { p.CancelQueued(); p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				c := newConnections()
				p := newPool(t, pool.WithWorkers(2), pool.WithState(c.connect, (*connection).Close))
				require.NoError(t, p.Ready(hour(t)))
				end(p)
				synctest.Wait()
				require.NoError(t, p.Join(hour(t)))
				_, open := c.howMany()
				require.Zero(t, open)
			})
		})
	}
}

func TestCleanupThatFailsIsLoggedAndHoldsNobodyUp(t *testing.T) {
	for name, hook := range map[string]func() error{
		"error":  func() error { return errors.New("it is stuck") },
		"panic":  func() error { panic("it is stuck") },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				var log strings.Builder
				p := newPool(t, pool.WithWorkers(2), pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
					pool.WithCleanup(func(context.Context) error { return hook() }))
				_, err := pool.Broadcast(hour(t), p, value(1))
				require.NoError(t, err)
				require.NoError(t, p.Shutdown(hour(t)))
				require.Equal(t, 2, strings.Count(log.String(), "clean-up of a worker failed"), log.String())
				if name != "goexit" {
					require.Contains(t, log.String(), "it is stuck")
				}
			})
		})
	}
}

func TestWorkerWhoseInitializerFailedHasNothingToCleanUp(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		cleaned := 0
		p := newPool(t, pool.WithWorkers(1), pool.WithInitializer(func(context.Context) error { return errors.New("no") }),
			pool.WithCleanup(func(context.Context) error { cleaned++; return nil }))
		require.ErrorIs(t, p.Ready(hour(t)), pool.ErrBroken)
		require.NoError(t, p.Shutdown(hour(t)))
		require.Zero(t, cleaned)
	})
}

func TestCleanupsRunBesideEachOther(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(8), pool.WithCleanup(func(context.Context) error { time.Sleep(time.Second); return nil }))
		_, err := pool.Broadcast(hour(t), p, value(1))
		require.NoError(t, err)
		begin := time.Now()
		require.NoError(t, p.Shutdown(hour(t)))
		require.Equal(t, time.Second, time.Since(begin))
	})
}
