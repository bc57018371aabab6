package pool_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inBubble runs a test in virtual time. The bubble fails if a goroutine is left
// or if all of them wait for ever.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// newPool makes a pool that ends with the test and must leave nothing behind.
func newPool(t testing.TB, opts ...pool.Option) *pool.Pool {
	t.Helper()
	if k, ok := t.(*pooltest.Kit); ok {
		p := k.Pool(opts...)
		t.Cleanup(func() { end(t, p) })
		return p
	}
	p, err := pool.New(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { end(t, p) })
	return p
}

func end(t testing.TB, p *pool.Pool) {
	t.Helper()
	p.Terminate()
	require.NoError(t, p.Join(context.Background()))
	require.Empty(t, registered(systemOf(t), p), "processes left in the registry")
	s := p.Stats()
	var ended int64
	for _, n := range s.Outcomes {
		ended += n
	}
	require.Equal(t, s.Accepted, ended, "every accepted task has one outcome: %+v", s)
	require.Zero(t, s.Running)
	require.Zero(t, s.Waiting)
	require.Zero(t, s.Started, "workers that are gone")
}

// systemOf is where newPool makes pools.
func systemOf(t testing.TB) *actor.ActorSystem {
	if k, ok := t.(*pooltest.Kit); ok {
		return k.System()
	}
	return pool.SharedSystem()
}

// registered lists the processes of a pool that the registry still knows.
func registered(system *actor.ActorSystem, p *pool.Pool) (found []string) {
	id := p.PID().Id
	ids := []string{id, id + "/router", id + "/results"}
	for i := range p.Workers() + 16 { // more, of a pool that was resized
		ids = append(ids, fmt.Sprintf("%s/worker-%d", id, i+1))
	}
	for _, id := range ids {
		if _, ok := system.ProcessRegistry.GetLocal(id); ok {
			found = append(found, id)
		}
	}
	return found
}

// value is a task that returns v.
func value[R any](v R) func(context.Context) (R, error) {
	return func(context.Context) (R, error) { return v, nil }
}

// gate is a task that waits until it is let go or its context ends.
type gate struct {
	started chan struct{}
	open    chan struct{}
}

func newGate() *gate { return &gate{make(chan struct{}, 1), make(chan struct{})} }

func (g *gate) task(ctx context.Context) (string, error) {
	g.started <- struct{}{}
	select {
	case <-g.open:
		return "done", nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// deaf ignores its context.
func (g *gate) deaf(context.Context) (string, error) {
	g.started <- struct{}{}
	<-g.open
	return "late", nil
}

// occupy fills a worker until the returned gate is opened.
func occupy(t testing.TB, p *pool.Pool) *gate {
	t.Helper()
	g := newGate()
	pool.ApplyAsync(context.Background(), p, g.task)
	<-g.started
	return g
}

// bubbleSystem is that of the kit, or another one that logs nothing and whose dead letters
// leave no goroutine behind at the end of the bubble.
func bubbleSystem(t testing.TB) *actor.ActorSystem {
	if k, ok := t.(*pooltest.Kit); ok {
		return k.System()
	}
	system := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond),
	)
	t.Cleanup(func() {
		if !system.IsStopped() {
			system.Shutdown()
		}
		time.Sleep(time.Millisecond)
	})
	return system
}
