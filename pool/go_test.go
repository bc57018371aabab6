package pool_test

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestGoCallsEveryFunctionOnce(t *testing.T) {
	for name, routing := range map[string]func() pool.Strategy{
		"shared queue": pool.SharedQueue, "round robin": pool.RoundRobin, "random": pool.Random,
		"least loaded": pool.LeastLoaded, "key ordered": pool.KeyOrdered,
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(3), pool.WithRouting(routing))
				var calls [300]atomic.Int32
				for i := range calls {
					require.NoError(t, p.Go(t.Context(), func() { calls[i].Add(1) }))
				}
				require.NoError(t, p.Shutdown(hour(t)))
				for i := range calls {
					require.EqualValues(t, 1, calls[i].Load(), "function %d", i)
				}
				require.EqualValues(t, len(calls), p.Stats().Outcomes[pool.Succeeded])
			})
		})
	}
}

func TestGoAllocatesNothing(t *testing.T) {
	p, err := pool.New(pool.WithWorkers(2), pool.WithUnboundedQueue())
	require.NoError(t, err)
	fn := func() {}
	run := func() {
		for range 2000 {
			_ = p.Go(context.Background(), fn)
		}
		_, _ = pool.Broadcast(context.Background(), p, value(1))
	}
	run()
	require.Less(t, testing.AllocsPerRun(10, run)/2000, 0.05, "but for the queue's memory while it grows")
	require.NoError(t, p.Shutdown(context.Background()))
}

func TestGoReportsAFunctionThatFails(t *testing.T) {
	for outcome, fail := range map[pool.Outcome]func(){
		pool.Panicked: func() { panic("boom") }, pool.Exited: runtime.Goexit,
	} {
		t.Run(outcome.String(), func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				var log bytes.Buffer
				p := newPool(t, pool.WithWorkers(1), pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
				require.NoError(t, p.Go(t.Context(), fail))
				after := make(chan struct{})
				require.NoError(t, p.Go(t.Context(), func() { close(after) }))
				<-after
				synctest.Wait()
				s := p.Stats()
				require.EqualValues(t, 1, s.Outcomes[outcome])
				require.EqualValues(t, 1, s.Outcomes[pool.Succeeded])
				require.EqualValues(t, 1, s.Restarts)
				require.Contains(t, log.String(), "worker failed")
			})
		})
	}
}

func TestGoHonoursTheQueue(t *testing.T) {
	fill := func(t testing.TB, policy pool.Policy) (*pool.Pool, *gate, *atomic.Int32) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(policy))
		g, calls := occupy(t, p), new(atomic.Int32)
		require.NoError(t, p.Go(t.Context(), func() { calls.Add(1) }))
		return p, g, calls
	}
	t.Run("a submitter waits for room", func(t *testing.T) {
		pooltest.Run(t, func(t *pooltest.Kit) {
			p, g, calls := fill(t, pool.WaitForRoom)
			let := make(chan error)
			go func() { let <- p.Go(t.Context(), func() { calls.Add(10) }) }()
			synctest.Wait()
			require.Empty(t, let)
			close(g.open)
			require.NoError(t, <-let)
			synctest.Wait()
			require.EqualValues(t, 11, calls.Load())
		})
	})
	t.Run("its context ends the wait", func(t *testing.T) {
		pooltest.Run(t, func(t *pooltest.Kit) {
			p, _, _ := fill(t, pool.WaitForRoom)
			ctx, cancel := context.WithCancel(t.Context())
			let := make(chan error)
			go func() { let <- p.Go(ctx, func() {}) }()
			synctest.Wait()
			cancel()
			require.ErrorIs(t, <-let, pool.ErrCancelled)
			require.ErrorIs(t, p.Go(ctx, func() {}), pool.ErrCancelled)
		})
	})
	t.Run("but not the function that was accepted", func(t *testing.T) {
		pooltest.Run(t, func(t *pooltest.Kit) {
			p, g, calls := fill(t, pool.WaitForRoom)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { _ = p.Go(ctx, func() { calls.Add(10) }) }()
			synctest.Wait()
			close(g.open)
			synctest.Wait()
			cancel()
			synctest.Wait()
			require.EqualValues(t, 11, calls.Load())
		})
	})
	t.Run("it is rejected", func(t *testing.T) {
		pooltest.Run(t, func(t *pooltest.Kit) {
			p, _, _ := fill(t, pool.Reject)
			require.ErrorIs(t, p.Go(t.Context(), func() {}), pool.ErrFull)
		})
	})
	t.Run("the oldest is dropped", func(t *testing.T) {
		pooltest.Run(t, func(t *pooltest.Kit) {
			p, g, calls := fill(t, pool.DropOldest)
			require.NoError(t, p.Go(t.Context(), func() { calls.Add(10) }))
			require.EqualValues(t, 1, p.Stats().Outcomes[pool.Dropped])
			close(g.open)
			synctest.Wait()
			require.EqualValues(t, 10, calls.Load())
		})
	})
	t.Run("the caller runs it", func(t *testing.T) {
		pooltest.Run(t, func(t *pooltest.Kit) {
			p, _, calls := fill(t, pool.CallerRuns)
			require.NoError(t, p.Go(t.Context(), func() { calls.Add(10) }))
			require.EqualValues(t, 10, calls.Load())
		})
	})
}

func TestGoOfAFunctionThatIsDroppedIsCounted(t *testing.T) {
	for outcome, drop := range map[pool.Outcome]func(*pool.Pool){
		pool.Cancelled:  func(p *pool.Pool) { p.CancelQueued() },
		pool.Terminated: (*pool.Pool).Terminate,
	} {
		t.Run(outcome.String(), func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1))
				g := occupy(t, p)
				for range 200 {
					require.NoError(t, p.Go(t.Context(), func() { t.Error("was dropped") }))
				}
				require.Equal(t, 200, p.Stats().Waiting)
				drop(p)
				require.EqualValues(t, 200+terminatedGate(outcome), p.Stats().Outcomes[outcome])
				require.Zero(t, p.Stats().Waiting)
				close(g.open)
				p.Close()
				require.NoError(t, p.Join(hour(t)))
			})
		})
	}
}

// terminatedGate is how many other tasks than the functions have that outcome.
func terminatedGate(outcome pool.Outcome) int64 {
	if outcome == pool.Terminated {
		return 1 // the task that occupies the worker
	}
	return 0
}

func TestGoRefusesWhatItCannotDo(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		var none context.Context
		require.ErrorIs(t, p.Go(none, func() {}), pool.ErrInvalid)
		require.PanicsWithValue(t, "greenroom/pool: Go was given a nil function", func() { _ = p.Go(t.Context(), nil) })
		p.Close()
		require.ErrorIs(t, p.Go(t.Context(), func() {}), pool.ErrClosed)
	})
}
