package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// lives counts how often each worker was initialized.
type lives struct {
	mu    sync.Mutex
	count map[string]int
}

func newLives() *lives { return &lives{count: map[string]int{}} }

func (l *lives) begin(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count[pool.WorkerName(ctx)]++
	return nil
}

// of are the lives of the workers from 1 to n.
func (l *lives) of(p *pool.Pool, n int) (counts []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range n {
		counts = append(counts, l.count[fmt.Sprintf("%s/worker-%d", p.Name(), i+1)])
	}
	return counts
}

// fail has a task panic on a worker.
func fail(t testing.TB, p *pool.Pool, worker int) {
	t.Helper()
	_, err := pool.Broadcast(context.Background(), p, func(ctx context.Context) (int, error) {
		if pool.WorkerName(ctx) == fmt.Sprintf("%s/worker-%d", p.Name(), worker) {
			panic("boom")
		}
		return 0, nil
	})
	var panicked *pool.PanicError
	require.ErrorAs(t, err, &panicked)
}

// errOf is the error of a result.
func errOf[R any](t testing.TB, r *pool.AsyncResult[R]) error {
	t.Helper()
	_, err := r.Get(hour(t))
	return err
}

func boom(context.Context) (int, error) { panic("boom") }

func TestWorkerThatResumesKeepsItsState(t *testing.T) {
	for name, failing := range map[string]func(context.Context) (int, error){
		"panic":  boom,
		"goexit": func(context.Context) (int, error) { runtime.Goexit(); return 0, nil },
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				seen := newLives()
				var failures []pool.Failure
				p := newPool(t, pool.WithWorkers(1), pool.WithInitializer(seen.begin), pool.WithSupervision(pool.Supervision{
					Decide: func(f pool.Failure) pool.Directive { failures = append(failures, f); return pool.Resume },
				}))
				for range 3 {
					_, err := pool.Apply(t.Context(), p, failing)
					require.Error(t, err)
				}
				v, err := pool.Apply(t.Context(), p, value(1))
				require.NoError(t, err)
				require.Equal(t, 1, v)
				require.Equal(t, []int{1}, seen.of(p, 1))
				require.Zero(t, p.Stats().Restarts)
				require.Len(t, failures, 3)
				require.Equal(t, p.Name()+"/worker-1", failures[0].Worker)
				if name == "panic" {
					require.Equal(t, pool.TaskPanicked, failures[0].Kind)
				} else {
					require.Equal(t, pool.TaskExited, failures[0].Kind)
					require.ErrorIs(t, &failures[0], pool.ErrGoexit)
				}
			})
		})
	}
}

func TestPoolBreaksWhenItsWorkersFailTooOften(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithSupervision(pool.Supervision{MaxRestarts: 2, Within: time.Minute}))
		for range 4 { // never more than two in a minute
			_, err := pool.Apply(t.Context(), p, boom)
			require.Error(t, err)
			time.Sleep(30 * time.Second)
		}
		time.Sleep(time.Minute)
		g := newGate()
		running := pool.ApplyAsync(t.Context(), p, g.task)
		<-g.started
		var tasks []*pool.AsyncResult[int]
		for range 3 {
			tasks = append(tasks, pool.ApplyAsync(t.Context(), p, boom))
		}
		waiting := pool.ApplyAsync(t.Context(), p, value(1))
		for _, r := range tasks {
			_, err := r.Get(hour(t))
			require.ErrorAs(t, err, new(*pool.PanicError))
		}
		for _, err := range []error{errOf(t, waiting), errOf(t, pool.ApplyAsync(t.Context(), p, value(1))), p.Go(t.Context(), func() {})} {
			require.ErrorIs(t, err, pool.ErrBroken)
			require.ErrorIs(t, err, pool.ErrTooManyRestarts)
			require.ErrorContains(t, err, "more than 2 within 1m0s")
			require.ErrorContains(t, err, "boom")
		}
		close(g.open)
		_, err := running.Get(hour(t))
		require.NoError(t, err, "what runs is finished")
		require.EqualValues(t, 6, p.Stats().Restarts)
	})
}

func TestRestartsWaitLongerEachTime(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		seen := newLives()
		p := newPool(t, pool.WithWorkers(1), pool.WithInitializer(seen.begin),
			pool.WithSupervision(pool.Supervision{MinBackoff: time.Second, MaxBackoff: 3 * time.Second}))
		begin := time.Now()
		for _, at := range []int{1, 3, 6, 9} {
			failed := pool.ApplyAsync(t.Context(), p, boom)
			next := pool.ApplyAsync(t.Context(), p, value(1))
			require.Error(t, errOf(t, failed))
			require.NoError(t, errOf(t, next))
			require.Equal(t, time.Duration(at)*time.Second, time.Since(begin))
		}
		time.Sleep(3 * time.Second)
		begin = time.Now()
		failed, next := pool.ApplyAsync(t.Context(), p, boom), pool.ApplyAsync(t.Context(), p, value(1))
		require.Error(t, errOf(t, failed))
		require.NoError(t, errOf(t, next))
		require.Equal(t, time.Second, time.Since(begin), "it had worked long enough to begin anew")
		require.Equal(t, []int{6}, seen.of(p, 1))
	})
}

func TestOthersWorkWhileAWorkerWaitsForItsRestart(t *testing.T) {
	for name, routing := range map[string]func() pool.Strategy{"shared queue": pool.SharedQueue, "key ordered": pool.KeyOrdered} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(2), pool.WithRouting(routing),
					pool.WithSupervision(pool.Supervision{MinBackoff: time.Hour, MaxBackoff: time.Hour}))
				begin := time.Now()
				_, err := pool.Apply(t.Context(), p, boom)
				require.Error(t, err)
				for range 5 {
					_, err := pool.Apply(t.Context(), p, func(context.Context) (int, error) { time.Sleep(time.Second); return 1, nil })
					require.NoError(t, err)
				}
				v, err := pool.Map(t.Context(), p, double, []int{1, 2, 3}, pool.WithChunkSize(1))
				require.NoError(t, err)
				require.Equal(t, []int{2, 4, 6}, v)
				require.Equal(t, 5*time.Second, time.Since(begin))
			})
		})
	}
}

func TestPoolEndsWhileAWorkerWaitsForItsRestart(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(*pool.Pool)
		after time.Duration
		err   error
	}{
		"Terminate": {(*pool.Pool).Terminate, 0, pool.ErrTerminated},
		"Close":     {(*pool.Pool).Close, time.Hour, nil}, // what was accepted is done
		"Stop": {func(p *pool.Pool) {
			systemOf(t).Root.Stop(p.PID())
			synctest.Wait()
		}, 0, pool.ErrTerminated},
		"poison pill": {func(p *pool.Pool) {
			systemOf(t).Root.Poison(p.PID())
			synctest.Wait()
		}, time.Hour, nil},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithSupervision(pool.Supervision{MinBackoff: time.Hour, MaxBackoff: time.Hour}))
				require.Error(t, errOf(t, pool.ApplyAsync(t.Context(), p, boom)))
				synctest.Wait()
				r := pool.ApplyAsync(t.Context(), p, value(1))
				begin := time.Now()
				c.end(p)
				require.NoError(t, p.Join(t.Context()))
				require.Equal(t, c.after, time.Since(begin))
				_, err := r.Get(t.Context())
				require.ErrorIs(t, err, c.err)
			})
		})
	}
}

func TestWorkerThatIsStoppedWhileItWaitsForItsRestartIsReplacedOnce(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		seen := newLives()
		p := newPool(t, pool.WithWorkers(1), pool.WithInitializer(seen.begin),
			pool.WithSupervision(pool.Supervision{MinBackoff: time.Minute, MaxBackoff: time.Hour}))
		require.Error(t, errOf(t, pool.ApplyAsync(t.Context(), p, boom)))
		synctest.Wait()
		pid := p.PID()
		systemOf(t).Root.Stop(actor.NewPID(pid.Address, pid.Id+"/worker-1"))
		begin := time.Now()
		_, err := pool.Apply(t.Context(), p, value(1))
		require.NoError(t, err)
		require.Zero(t, time.Since(begin), "somebody wanted a new one")
		time.Sleep(time.Hour)
		require.Equal(t, []int{2}, seen.of(p, 1))
		require.EqualValues(t, 1, p.Stats().Restarts)
	})
}

func TestInitializerIsTriedAgain(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		tries := 0
		p := newPool(t, pool.WithWorkers(1),
			pool.WithInitializer(func(context.Context) error {
				if tries++; tries < 4 {
					return errors.New("connection refused")
				}
				return nil
			}),
			pool.WithSupervision(pool.Supervision{
				Decide:     func(pool.Failure) pool.Directive { return pool.Resume }, // which means Restart here
				MinBackoff: time.Second, MaxBackoff: time.Minute,
			}))
		begin := time.Now()
		require.NoError(t, p.Ready(hour(t)))
		require.Equal(t, 7*time.Second, time.Since(begin))
		require.Equal(t, 4, tries)
	})
}

func TestInitializerThatKeepsFailingExceedsTheLimit(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1),
			pool.WithInitializer(func(context.Context) error { return errors.New("connection refused") }),
			pool.WithSupervision(pool.Supervision{
				Decide:      func(pool.Failure) pool.Directive { return pool.Restart },
				MaxRestarts: 3, Within: time.Minute,
				MinBackoff: time.Second, MaxBackoff: time.Second,
			}))
		r := pool.ApplyAsync(t.Context(), p, value(1))
		begin := time.Now()
		for _, err := range []error{p.Ready(hour(t)), errOf(t, r)} {
			require.ErrorIs(t, err, pool.ErrTooManyRestarts)
			require.ErrorContains(t, err, "connection refused")
		}
		require.Equal(t, 3*time.Second, time.Since(begin))
	})
}

func TestDecideThatMisbehavesCountsAsNone(t *testing.T) {
	for name, decide := range map[string]func(pool.Failure) pool.Directive{
		"panics":    func(pool.Failure) pool.Directive { panic("decide") },
		"exits":     func(pool.Failure) pool.Directive { runtime.Goexit(); return pool.Break },
		"is silent": func(pool.Failure) pool.Directive { return 0 },
		"is odd":    func(pool.Failure) pool.Directive { return 77 },
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithSupervision(pool.Supervision{Decide: decide}))
				_, err := pool.Apply(t.Context(), p, boom)
				require.Error(t, err)
				v, err := pool.Apply(t.Context(), p, value(1))
				require.NoError(t, err)
				require.Equal(t, 1, v)
				require.EqualValues(t, 1, p.Stats().Restarts)
			})
		})
	}
}

func TestRulesThatAreWrongOrHaveNoEffectAreRefused(t *testing.T) {
	for want, rules := range map[string]pool.Supervision{
		"unknown Scope 3":                                         {Scope: 3},
		"MaxRestarts is -1":                                       {MaxRestarts: -1},
		"Within is -1s":                                           {MaxRestarts: 1, Within: -time.Second},
		"MaxRestarts is 3, but Within is not set":                 {MaxRestarts: 3},
		"Within is 1m0s, but MaxRestarts is not set":              {Within: time.Minute},
		"Exceeded is restart; it must be Break, Escalate or Stop": {MaxRestarts: 3, Within: time.Minute, Exceeded: pool.Restart},
		"Exceeded is directive 9":                                 {MaxRestarts: 3, Within: time.Minute, Exceeded: 9},
		"Exceeded is escalate, but MaxRestarts is not set":        {Exceeded: pool.Escalate},
		"MinBackoff is -1s":                                       {MinBackoff: -time.Second},
		"MaxBackoff is 1s, less than MinBackoff, 1m0s":            {MinBackoff: time.Minute, MaxBackoff: time.Second},
		"MaxBackoff is 0s, less than MinBackoff, 1m0s":            {MinBackoff: time.Minute},
		"MaxBackoff is 1s, but MinBackoff is not set":             {MaxBackoff: time.Second},
		"Jitter is 2; it must be from 0 to 1":                     {MinBackoff: time.Second, MaxBackoff: time.Minute, Jitter: 2},
		"Jitter is NaN":                                           {MinBackoff: time.Second, MaxBackoff: time.Minute, Jitter: math.NaN()},
		"Jitter is 0.5, but MinBackoff is not set":                {Jitter: 0.5},
	} {
		_, err := pool.New(pool.WithSupervision(rules))
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, "WithSupervision: ")
		require.ErrorContains(t, err, want)
	}
	_, err := pool.New(pool.WithSupervision(pool.Supervision{Scope: 9, MaxRestarts: -1}))
	require.ErrorContains(t, err, "unknown Scope 9")
	require.ErrorContains(t, err, "MaxRestarts is -1", "all that is wrong is said at once")
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

func TestWhatRulesAreMadeOfHasNames(t *testing.T) {
	for name, v := range map[string]fmt.Stringer{
		"restart": pool.Restart, "directive 9": pool.Directive(9),
		"task panicked": pool.TaskPanicked, "initializer failed": pool.InitializerFailed, "failure 9": pool.FailureKind(9),
		"one for one": pool.OneForOne, "rest for one": pool.RestForOne, "scope 9": pool.Scope(9),
		"wait for room": pool.WaitForRoom, "caller runs": pool.CallerRuns, "policy 9": pool.Policy(9),
	} {
		require.Equal(t, name, v.String())
	}
}
