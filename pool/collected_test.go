package pool_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

func TestUnclosedPoolIsClosedAndSaysSoWhenCollected(t *testing.T) {
	logged := make(chan string, 1)
	logger := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { logged <- string(b); return len(b), nil }), nil))
	stopped := make(chan struct{})
	func() {
		p, err := pool.New(pool.WithName("forgotten"), pool.WithLogger(logger))
		require.NoError(t, err)
		_, err = pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		watchPool(t, p, stopped)
	}()
	require.Contains(t, collect(t, logged), "pool was never closed")
	<-stopped
}

func TestPausedPoolThatNobodyCanResumeIsClosedWhenCollected(t *testing.T) {
	logged := make(chan string, 1)
	logger := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { logged <- string(b); return len(b), nil }), nil))
	r := func() *pool.AsyncResult[int] {
		p, err := pool.New(pool.WithWorkers(1), pool.WithLogger(logger))
		require.NoError(t, err)
		_, err = pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		p.Pause()
		return pool.ApplyAsync(t.Context(), p, value(2))
	}()
	require.Contains(t, collect(t, logged), "pool was never closed")
	v, err := r.Get(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, v)
}

// watchPool tells when a pool has stopped, without holding it or asking for its
// address.
func watchPool(t testing.TB, p *pool.Pool, stopped chan struct{}) {
	pid := pool.PIDOf(p)
	system := pool.SharedSystem()
	watching := make(chan struct{})
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(pid)
			close(watching)
		case *actor.Terminated:
			close(stopped)
			ctx.Stop(ctx.Self())
		}
	}))
	<-watching
}

func TestUnclosedPoolWhoseAddressIsKnownGoesOnWhenCollected(t *testing.T) {
	logged := make(chan string, 1)
	logger := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { logged <- string(b); return len(b), nil }), nil))
	system := pool.SharedSystem()
	pid := func() *actor.PID {
		p, err := pool.New(pool.WithLogger(logger))
		require.NoError(t, err)
		return p.PID()
	}()
	require.Contains(t, collect(t, logged), "pool was never closed")
	result, err := system.Root.RequestFuture(pid, &messages.Task{Func: func(context.Context) (any, error) { return 42, nil }}, time.Minute).Result()
	require.NoError(t, err)
	require.Equal(t, 42, result.(*messages.Result).Value)
	require.NoError(t, system.Root.StopFuture(pid).Wait())
}

func TestPendingResultKeepsItsPoolAlive(t *testing.T) {
	each := func(g *gate) func(context.Context, int) (string, error) {
		return func(ctx context.Context, _ int) (string, error) { return g.task(ctx) }
	}
	for name, submit := range map[string]func(*pool.Pool, *gate) (get func() (string, error)){
		"of a task": func(p *pool.Pool, g *gate) func() (string, error) {
			r := pool.ApplyAsync(t.Context(), p, g.task)
			return func() (string, error) { return r.Get(t.Context()) }
		},
		"of a map": func(p *pool.Pool, g *gate) func() (string, error) {
			r := pool.MapAsync(t.Context(), p, each(g), []int{1})
			return func() (string, error) {
				all, err := r.Get(t.Context())
				return strings.Join(all, " "), err
			}
		},
		"of a stream": func(p *pool.Pool, g *gate) func() (string, error) {
			s := pool.IMap(t.Context(), p, each(g), count(1))
			return func() (string, error) { return s.Next(t.Context()) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			logged := make(chan string, 1)
			logger := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { logged <- string(b); return len(b), nil }), nil))
			g := newGate()
			get := func() func() (string, error) {
				p, err := pool.New(pool.WithLogger(logger))
				require.NoError(t, err)
				return submit(p, g)
			}()
			<-g.started
			for range 5 {
				runtime.GC()
			}
			select {
			case line := <-logged:
				t.Fatal(line)
			default:
			}
			close(g.open)
			v, err := get()
			require.NoError(t, err)
			require.Equal(t, "done", v)
			require.Contains(t, collect(t, logged), "never closed")
		})
	}
}

// collect runs the collector until something was logged. Cleanups run some time
// after a collection, on a goroutine of the runtime, so there is a loop here; the
// test's own deadline ends it.
func collect(t testing.TB, logged chan string) string {
	for {
		runtime.GC()
		select {
		case line := <-logged:
			return line
		case <-t.Context().Done():
			return ""
		default:
			runtime.Gosched()
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestPoolThatHasEndedIsCollectedThoughItsOptionsReferToIt(t *testing.T) {
	gone := map[string]weak.Pointer[pool.Pool]{}
	for name, option := range map[string]func(look func() string) pool.Option{
		"logger": func(look func() string) pool.Option {
			return pool.WithLogger(slog.New(slog.NewTextHandler(writerFunc(func([]byte) (int, error) { return len(look()), nil }), nil)))
		},
		"initializer": func(look func() string) pool.Option {
			return pool.WithInitializer(func(context.Context) error { _ = look(); return nil })
		},
		"clean-up": func(look func() string) pool.Option {
			return pool.WithCleanup(func(context.Context) error { _ = look(); return nil })
		},
		"supervision": func(look func() string) pool.Option {
			return pool.WithSupervision(pool.Supervision{Decide: func(pool.Failure) pool.Directive { _ = look(); return pool.Resume }})
		},
		"unfetched errors": func(look func() string) pool.Option {
			return pool.WithUnfetchedErrors(func(pool.UnfetchedErrors) { _ = look() })
		},
	} {
		gone[name] = func() weak.Pointer[pool.Pool] {
			var p *pool.Pool
			made := make(chan struct{})
			p, err := pool.New(pool.WithWorkers(1), option(func() string { <-made; return p.Name() }))
			require.NoError(t, err)
			close(made)
			_, _ = pool.ApplyAsync(t.Context(), p, boom), p.Ready(t.Context())
			require.NoError(t, p.Shutdown(context.Background()))
			return weak.Make(p)
		}()
	}
	collectGarbage()
	for name, p := range gone {
		require.Nil(t, p.Value(), name)
	}
}
