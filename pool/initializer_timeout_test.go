package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// slowly makes a constructor of connections that does not look at its context. Only the
// first of each worker takes so long.
func (c *connections) slowly(takes time.Duration) func(context.Context) (*connection, error) {
	seen := map[string]bool{}
	return func(ctx context.Context) (*connection, error) {
		name := pool.WorkerName(ctx)
		c.mu.Lock()
		first := !seen[name]
		seen[name] = true
		c.mu.Unlock()
		if first {
			time.Sleep(takes)
		}
		return c.connect(ctx)
	}
}

func TestInitializerThatTakesTooLongFails(t *testing.T) {
	for name, c := range map[string]struct {
		init    func(context.Context) error
		ends    time.Duration
		cleaned int // it may succeed after all
	}{
		"deaf":                   {func(context.Context) error { time.Sleep(time.Hour); return nil }, time.Hour, 1},
		"heeds its context":      {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, time.Minute, 0},
		"returns at that moment": {func(context.Context) error { time.Sleep(time.Minute); return nil }, time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				cleaned := 0
				var life context.Context
				p := newPool(t, pool.WithWorkers(1), pool.WithName("hall"), pool.WithInitializerTimeout(time.Minute),
					pool.WithCleanup(func(context.Context) error { cleaned++; return nil }),
					pool.WithInitializer(func(ctx context.Context) error {
						deadline, _ := ctx.Deadline()
						require.Equal(t, time.Now().Add(time.Minute), deadline)
						require.Equal(t, "hall/worker-1", pool.WorkerName(ctx))
						life = ctx
						return c.init(ctx)
					}))
				events := p.Events(t.Context())
				begin := time.Now()
				err := p.Ready(hour(t))
				require.Equal(t, time.Minute, time.Since(begin))
				require.ErrorIs(t, err, pool.ErrBroken)
				require.ErrorIs(t, err, pool.ErrTimeout)
				require.ErrorContains(t, err, "initializer of hall/worker-1: it has not returned within 1m0s")
				for e := range events {
					if e.Kind == pool.WorkerFailed {
						var failure *pool.Failure
						require.ErrorAs(t, e.Err, &failure)
						require.Equal(t, pool.InitializerFailed, failure.Kind)
						break
					}
				}
				p.Close()
				require.NoError(t, p.Join(hour(t)))
				if name != "returns at that moment" { // or has returned before
					require.Equal(t, context.DeadlineExceeded, life.Err())
					require.ErrorIs(t, context.Cause(life), pool.ErrTimeout)
				}
				require.Equal(t, c.ends, time.Since(begin), "Join waits for what was abandoned")
				require.Equal(t, c.cleaned, cleaned)
			})
		})
	}
}

func TestInitializerThatTakesNoLongerThanItMayIsAsWithoutTheLimit(t *testing.T) {
	for name, c := range map[string]struct {
		init func(context.Context) error
		want string
	}{
		"succeeds": {func(context.Context) error { return nil }, ""},
		"fails":    {func(context.Context) error { return errors.New("no") }, "initializer of hall/worker-1: no"},
		"panics":   {func(context.Context) error { panic("no") }, "no"},
		"exits":    {func(context.Context) error { runtime.Goexit(); return nil }, pool.ErrGoexit.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				cleaned := 0
				var life context.Context
				p := newPool(t, pool.WithWorkers(1), pool.WithName("hall"), pool.WithInitializerTimeout(time.Minute),
					pool.WithCleanup(func(context.Context) error { cleaned++; return nil }),
					pool.WithInitializer(func(ctx context.Context) error {
						life = ctx
						time.Sleep(time.Minute - 1)
						return c.init(ctx)
					}))
				begin := time.Now()
				err := p.Ready(hour(t))
				require.Equal(t, time.Minute-1, time.Since(begin))
				if c.want == "" {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, pool.ErrBroken)
					require.ErrorContains(t, err, c.want)
					require.NotErrorIs(t, err, pool.ErrTimeout)
				}
				require.Equal(t, name == "panics", errors.As(err, new(*pool.PanicError)))
				require.Equal(t, name == "exits", errors.Is(err, pool.ErrGoexit))
				synctest.Wait()
				require.NotErrorIs(t, life.Err(), context.DeadlineExceeded, "its timer is gone")
				require.NoError(t, p.Shutdown(hour(t)))
				require.Equal(t, c.want == "", cleaned == 1)
			})
		})
	}
}

func TestStateThatIsMadeTooLateIsEnded(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		c := newConnections()
		var log strings.Builder
		var cleaned []string
		p := newPool(t, pool.WithWorkers(1), pool.WithName("hall"), pool.WithInitializerTimeout(time.Minute),
			pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
			pool.WithState(c.slowly(10*time.Minute), (*connection).Close),
			pool.WithCleanup(func(ctx context.Context) error { cleaned = append(cleaned, pool.WorkerName(ctx)); return nil }),
			pool.WithSupervision(pool.Supervision{
				Decide:     func(pool.Failure) pool.Directive { return pool.Restart },
				MinBackoff: 5 * time.Second, MaxBackoff: time.Minute,
			}))
		begin := time.Now()
		v, err := pool.Apply(hour(t), p, number)
		require.NoError(t, err)
		require.Equal(t, time.Minute+5*time.Second, time.Since(begin), "after its back-off the worker has tried again")
		require.Equal(t, 1, v)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		opened, open := c.howMany()
		require.Equal(t, 2, opened)
		require.Equal(t, 1, open, "that of the worker")
		require.Equal(t, []string{"hall/worker-1"}, cleaned)
		require.Contains(t, log.String(), "initializer returned after its time")
		v, err = pool.Apply(hour(t), p, number)
		require.NoError(t, err)
		require.Equal(t, 1, v, "it has kept its own")
		require.NoError(t, p.Shutdown(hour(t)))
		_, open = c.howMany()
		require.Zero(t, open)
		require.Len(t, cleaned, 2)
	})
}

func TestInitializerThatFailsTooLateHasNothingToCleanUp(t *testing.T) {
	for name, fail := range map[string]func() (int, error){
		"fails":  func() (int, error) { return 1, errors.New("no") },
		"panics": func() (int, error) { panic("no") },
		"exits":  func() (int, error) { runtime.Goexit(); return 0, nil },
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				var log strings.Builder
				begin := time.Now()
				p := newPool(t, pool.WithWorkers(1), pool.WithInitializerTimeout(time.Second),
					pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
					pool.WithCleanup(func(context.Context) error { t.Error("called"); return nil }),
					pool.WithState(func(context.Context) (int, error) { time.Sleep(time.Minute); return fail() },
						func(int) error { t.Error("called"); return nil }))
				require.ErrorIs(t, p.Ready(hour(t)), pool.ErrTimeout)
				require.NoError(t, p.Shutdown(hour(t)))
				require.Equal(t, time.Minute, time.Since(begin))
				require.Contains(t, log.String(), "initializer failed after its time")
			})
		})
	}
}

func TestTerminateDuringAnInitializerWithALimit(t *testing.T) {
	for name, c := range map[string]struct {
		ignores bool
		ended   time.Duration
	}{
		"that heeds its context": {false, time.Second},
		"that does not":          {true, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				open := 0
				var cause error
				p := newPool(t, pool.WithWorkers(1), pool.WithInitializerTimeout(time.Minute),
					pool.WithState(func(ctx context.Context) (int, error) {
						begin := time.Now()
						<-ctx.Done()
						cause = context.Cause(ctx)
						if !c.ignores {
							return 0, ctx.Err()
						}
						time.Sleep(time.Hour - time.Since(begin))
						open++
						return 1, nil
					}, func(int) error { open--; return nil }))
				begin := time.Now()
				r := pool.ApplyAsync(t.Context(), p, value(1))
				time.Sleep(time.Second)
				p.Terminate()
				require.ErrorIs(t, errOf(t, r), pool.ErrTerminated)
				require.ErrorIs(t, p.Ready(hour(t)), pool.ErrClosed)
				require.Equal(t, time.Second, time.Since(begin))
				require.NoError(t, p.Join(context.Background()))
				require.Equal(t, c.ended, time.Since(begin))
				require.ErrorIs(t, cause, pool.ErrTerminated)
				require.Zero(t, open)
			})
		})
	}
}

func TestAbandonedInitializerDoesNotKeepOtherWorkersFromTheirEnd(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		c := newConnections()
		var hangs string // the worker whose initializer does
		p := newPool(t, pool.WithWorkers(2), pool.WithInitializerTimeout(time.Second),
			pool.WithInitializer(func(ctx context.Context) error {
				c.mu.Lock()
				first := hangs == ""
				if first {
					hangs = pool.WorkerName(ctx)
				}
				c.mu.Unlock()
				if first {
					time.Sleep(time.Hour)
					return errors.New("no")
				}
				return nil
			}),
			pool.WithState(c.connect, (*connection).Close),
			pool.WithSupervision(pool.Supervision{Decide: func(pool.Failure) pool.Directive { return pool.Restart }}))
		begin := time.Now()
		require.NoError(t, p.Ready(hour(t)))
		_, open := c.howMany()
		require.Equal(t, 2, open)
		p.Close()
		synctest.Wait()
		_, open = c.howMany()
		require.Zero(t, open)
		require.Equal(t, time.Second, time.Since(begin))
		require.NoError(t, p.Join(context.Background()))
		require.Equal(t, time.Hour, time.Since(begin))
	})
}

func TestInitializerThatAlwaysHangsExceedsTheRestarts(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var called atomic.Int32
		p := newPool(t, pool.WithWorkers(1), pool.WithInitializerTimeout(time.Second),
			pool.WithInitializer(func(context.Context) error { called.Add(1); time.Sleep(time.Minute); return nil }),
			pool.WithSupervision(pool.Supervision{
				Decide:      func(pool.Failure) pool.Directive { return pool.Resume }, // there is nothing to go on with
				MaxRestarts: 2, Within: time.Minute,
			}))
		err := p.Ready(hour(t))
		require.ErrorIs(t, err, pool.ErrTooManyRestarts)
		require.ErrorIs(t, err, pool.ErrTimeout)
		require.EqualValues(t, 3, called.Load())
	})
}
