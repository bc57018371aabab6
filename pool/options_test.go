package pool_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestNewRefusesBadOptionsByNameAndValue(t *testing.T) {
	stopped := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	stopped.Shutdown()
	for want, opt := range map[string]pool.Option{
		"option 1 is nil":                           nil,
		"WithWorkers: 0 workers":                    pool.WithWorkers(0),
		"WithWorkers: -5 workers":                   pool.WithWorkers(-5),
		"WithWorkers: 9223372036854775807":          pool.WithWorkers(math.MaxInt),
		"WithActorSystem: the system is nil":        pool.WithActorSystem(nil),
		"WithActorSystem: the system was shut down": pool.WithActorSystem(stopped),
		`WithName: ""`:                              pool.WithName(""),
		`WithName: "a/b"`:                           pool.WithName("a/b"),
		"WithLogger: the logger is nil":             pool.WithLogger(nil),
		"WithMaxTasksPerWorker: 0 tasks":            pool.WithMaxTasksPerWorker(0),
		"WithMaxWorkerAge: 0s; it must be positive": pool.WithMaxWorkerAge(0),
		"WithMaxWorkerAge: -1s":                     pool.WithMaxWorkerAge(-time.Second),
		"WithInitializerTimeout: 0s":                pool.WithInitializerTimeout(0),
		"WithInitializerTimeout: -1s":               pool.WithInitializerTimeout(-time.Second),
		"WithInitializerTimeout: it has no effect without WithInitializer or WithState": pool.WithInitializerTimeout(time.Second),
		"WithQueueLimit: -1 tasks":                  pool.WithQueueLimit(-1),
		"WithQueuePolicy: unknown policy 99":        pool.WithQueuePolicy(99),
		"WithRouting: the constructor returned nil": pool.WithRouting(func() pool.Strategy { return nil }),
	} {
		p, err := pool.New(opt)
		require.Nil(t, p)
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, want)
		require.ErrorIs(t, pool.With(t.Context(), func(*pool.Pool) error { t.Error("called"); return nil }, opt), pool.ErrInvalid)
	}
}

func TestTheLastOfAnOptionCounts(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(0), pool.WithWorkers(7), pool.WithWorkers(2), pool.WithName(""), pool.WithName("last"))
		require.Equal(t, 2, p.Workers())
		require.Equal(t, "last", p.Name())
		_, err := pool.New(pool.WithWorkers(2), pool.WithWorkers(0))
		require.ErrorIs(t, err, pool.ErrInvalid)
		_, err = pool.Map(t.Context(), p, double, []int{1}, pool.WithChunkSize(0), pool.WithChunkSize(1))
		require.NoError(t, err)
	})
}

func TestTwoPoolsMayHaveOneName(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		a, b := newPool(t, pool.WithName("twin")), newPool(t, pool.WithName("twin"))
		require.Equal(t, a.Name(), b.Name())
		require.NotEqual(t, a.PID().Id, b.PID().Id)
	})
}

func TestWorkersAreNamedAfterTheirPool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithName("mill"))
		name, err := pool.Apply(t.Context(), p, func(ctx context.Context) (string, error) { return pool.WorkerName(ctx), nil })
		require.NoError(t, err)
		require.Equal(t, "mill/worker-1", name)
		require.Empty(t, pool.WorkerName(t.Context()))
		require.Equal(t, "grind", pool.ApplyAsync(t.Context(), p, value(1), pool.WithTaskName("grind")).Name())
	})
}

func TestSubmissionsRefuseBadOptionsBeforeAnythingIsQueued(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		ctx := t.Context()
		submissions := map[string]func() error{
			"task option 1 is nil":    func() error { _, err := pool.Apply(ctx, p, value(1), nil); return err },
			"WithTimeout: 0s":         func() error { _, err := pool.Apply(ctx, p, value(1), pool.WithTimeout(0)); return err },
			"WithTimeout: -1s":        func() error { _, err := pool.Apply(ctx, p, value(1), pool.WithTimeout(-time.Second)); return err },
			"map option 2 is nil":     func() error { _, err := pool.Map(ctx, p, double, []int{1}, pool.WithFailFast(), nil); return err },
			"WithChunkSize: 0 items":  func() error { _, err := pool.Map(ctx, p, double, []int{1}, pool.WithChunkSize(0)); return err },
			"WithChunkSize: -3 items": func() error { _, err := pool.Map(ctx, p, double, nil, pool.WithChunkSize(-3)); return err },
			"WithChunkSize: 9223372036854775807 items": func() error {
				return next(ctx, pool.IMap(ctx, p, double, seq(1), pool.WithChunkSize(math.MaxInt)))
			},
			"WithWindow: it is for":    func() error { _, err := pool.Map(ctx, p, double, []int{1}, pool.WithWindow(3)); return err },
			"WithWindow: 0 items":      func() error { return next(ctx, pool.IMap(ctx, p, double, seq(1), pool.WithWindow(0))) },
			"WithFailFast: it is for":  func() error { return next(ctx, pool.IMap(ctx, p, double, seq(1), pool.WithFailFast())) },
			"WithCallback: callbacks":  func() error { return next(ctx, pool.IMap(ctx, p, double, seq(1), pool.WithCallback(func([]int) {}))) },
			"WithChunkSize: a broad":   func() error { _, err := pool.Broadcast(ctx, p, value(1), pool.WithChunkSize(2)); return err },
			"IMap was given nil items": func() error { return next(ctx, pool.IMap(ctx, p, double, nil)) },
			"StarMap was given nil i":  func() error { _, err := pool.StarMap(ctx, p, add, nil); return err },
		}
		for want, submit := range submissions {
			err := submit()
			require.ErrorIs(t, err, pool.ErrInvalid)
			require.ErrorContains(t, err, want)
		}
		require.Zero(t, p.Stats().Accepted)
		v, err := pool.Apply(ctx, p, value(1))
		require.NoError(t, err)
		require.Equal(t, 1, v)
	})
}

func next[R any](ctx context.Context, s *pool.Stream[R]) error {
	_, err := s.Next(ctx)
	return err
}

func TestNilContextIsRefusedEverywhere(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		var none context.Context
		r := pool.ApplyAsync(t.Context(), p, value(1))
		calls := map[string]error{}
		_, calls["Apply"] = pool.Apply(none, p, value(1))
		_, calls["ApplyAsync"] = pool.ApplyAsync(none, p, value(1)).Get(t.Context())
		_, calls["Call "] = pool.Call(none, p, func() {})
		_, calls["Map"] = pool.Map(none, p, double, []int{1})
		_, calls["StarMap"] = pool.StarMap(none, p, add, func(func(int, int) bool) {})
		calls["IMap"] = next(t.Context(), pool.IMap(none, p, double, seq(1)))
		_, calls["Broadcast"] = pool.Broadcast(none, p, value(1))
		_, calls["Get"] = r.Get(none)
		calls["Wait"] = r.Wait(none)
		calls["Next"] = next(none, pool.IMap(t.Context(), p, double, seq(1)))
		calls["Join"] = p.Join(none)
		calls["Shutdown"] = p.Shutdown(none)
		calls["Ready"] = p.Ready(none)
		calls["With"] = pool.With(none, func(*pool.Pool) error { return nil })
		_, _, calls["WaitFor"] = pool.WaitFor(none, pool.AllCompleted, r)
		for call, err := range calls {
			require.ErrorIs(t, err, pool.ErrInvalid, call)
			if call != "Call " { // which says Apply
				require.ErrorContains(t, err, call)
			}
		}
		for _, err := range pool.AsCompleted(none, r) {
			require.ErrorIs(t, err, pool.ErrInvalid)
		}
	})
}

func TestNilFunctionPanicsNamingThePackage(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		ctx := t.Context()
		calls := map[string]func(){
			"ApplyAsync":          func() { pool.ApplyAsync[int](ctx, p, nil) },
			"Apply":               func() { _, _ = pool.Apply[int](ctx, p, nil) },
			"Map":                 func() { _, _ = pool.Map[int, int](ctx, p, nil, nil) },
			"StarMap":             func() { _, _ = pool.StarMap[int, int, int](ctx, p, nil, nil) },
			"IMap":                func() { pool.IMap[int, int](ctx, p, nil, seq()) },
			"Broadcast":           func() { _, _ = pool.Broadcast[int](ctx, p, nil) },
			"Call":                func() { _, _ = pool.Call(ctx, p, nil) },
			"CallAsync":           func() { pool.CallAsync(ctx, p, (func())(nil)) },
			"WithInitializer":     func() { pool.WithInitializer(nil) },
			"WithCleanup":         func() { pool.WithCleanup(nil) },
			"WithState":           func() { pool.WithState[int](nil, nil) },
			"WithCallback":        func() { pool.WithCallback[int](nil) },
			"WithErrorCallback":   func() { pool.WithErrorCallback(nil) },
			"WithRouting":         func() { pool.WithRouting(nil) },
			"WithUnfetchedErrors": func() { pool.WithUnfetchedErrors(nil) },
			"OnDone":              func() { pool.ApplyAsync(ctx, p, value(1)).OnDone(nil) },
			"With":                func() { _ = pool.With(ctx, nil) },
		}
		for call, f := range calls {
			require.PanicsWithValue(t, fmt.Sprintf("greenroom/pool: %s was given a nil function", call), f)
		}
		require.PanicsWithValue(t, "greenroom/pool: Apply was given a nil pool", func() { _, _ = pool.Apply(ctx, nil, value(1)) })
	})
}

func TestWaitForRefusesWhatItCannotWaitFor(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		r := pool.ApplyAsync(t.Context(), newPool(t), value(1))
		_, _, err := pool.WaitFor(t.Context(), 42, r)
		require.ErrorIs(t, err, pool.ErrInvalid)
		_, _, err = pool.WaitFor(t.Context(), pool.AllCompleted, r, nil)
		require.ErrorContains(t, err, "result 2 is nil")
		_, _, err = pool.WaitFor(t.Context(), pool.AllCompleted, (*pool.AsyncResult[int])(nil))
		require.ErrorContains(t, err, "result 1 is nil")
		done, pending, err := pool.WaitFor(t.Context(), pool.FirstCompleted)
		require.NoError(t, err)
		require.Empty(t, done)
		require.Empty(t, pending)
	})
}

func TestProblemsOfSeveralOptionsAreAllReported(t *testing.T) {
	_, err := pool.New(pool.WithWorkers(0), pool.WithQueueLimit(-1))
	require.Equal(t, 2, strings.Count(err.Error(), pool.ErrInvalid.Error()))
}

func TestAllBadOptionsAreReportedOnceInTheOrderGiven(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		_, err := pool.New(pool.WithQueueLimit(-1), pool.WithWorkers(0), nil, pool.WithName(""), pool.WithWorkers(-2))
		require.EqualError(t, err, "new pool: invalid argument: WithQueueLimit: -1 tasks; use WithUnboundedQueue for no limit\n"+
			"invalid argument: option 3 is nil\n"+
			`invalid argument: WithName: ""; a name must not be empty and has no slash`+"\n"+
			"invalid argument: WithWorkers: -2 workers; there must be 1 to 1048576")
		p := newPool(t)
		_, err = pool.Map(t.Context(), p, double, []int{1}, pool.WithChunkSize(0), pool.WithWindow(1))
		require.EqualError(t, err, "invalid argument: WithChunkSize: 0 items; a chunk has 1 to 1073741824\n"+
			"invalid argument: WithWindow: it is for streams; a map has its items already")
		_, err = pool.IMap(t.Context(), p, double, count(1), pool.WithTimeout(-1), pool.WithFailFast()).Next(t.Context())
		require.EqualError(t, err, "invalid argument: WithTimeout: -1ns is not positive\n"+
			"invalid argument: WithFailFast: it is for maps; whoever reads a stream can stop at an error")
	})
}

func TestZeroResultsAreRefused(t *testing.T) {
	var r pool.AsyncResult[int]
	_, err := r.Get(t.Context())
	require.ErrorIs(t, err, pool.ErrInvalid)
	require.ErrorContains(t, err, "Get on a zero AsyncResult")
	var s pool.Stream[int]
	_, err = s.Next(t.Context())
	require.ErrorIs(t, err, pool.ErrInvalid)
}
