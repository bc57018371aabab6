package pool_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

var errFlaky = errors.New("flaky")

// flaky fails so many times, then returns how often it was called.
type flaky struct {
	failures int32
	calls    atomic.Int32
}

func (f *flaky) task(context.Context) (int, error) {
	if n := f.calls.Add(1); n <= f.failures {
		return 0, errFlaky
	}
	return int(f.calls.Load()), nil
}

func twice() pool.TaskOption { return pool.WithRetry(pool.Retry{Attempts: 2}) }

func backingOff(attempts int) pool.TaskOption {
	return pool.WithRetry(pool.Retry{Attempts: attempts, MinBackoff: time.Second, MaxBackoff: 4 * time.Second})
}

func TestTaskThatFailsIsTriedAgain(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		for _, routing := range []func() pool.Strategy{pool.SharedQueue, pool.RoundRobin, pool.KeyOrdered} {
			p := newPool(t, pool.WithWorkers(1), pool.WithRouting(routing))
			began := time.Now()
			f := flaky{failures: 4}
			n, err := pool.Apply(context.Background(), p, f.task, backingOff(5))
			require.NoError(t, err)
			require.Equal(t, 5, n)
			require.Equal(t, (1+2+4+4)*time.Second, time.Since(began))
			stats := p.Stats()
			require.EqualValues(t, 4, stats.Retried)
			require.EqualValues(t, 1, stats.Accepted)
			require.EqualValues(t, 1, stats.Outcomes[pool.Succeeded])

			f = flaky{failures: 4}
			_, err = pool.Apply(context.Background(), p, f.task, backingOff(4))
			require.ErrorIs(t, err, errFlaky, "of the last attempt")
			require.EqualValues(t, 4, f.calls.Load())
			require.EqualValues(t, 1, p.Stats().Outcomes[pool.Failed])
		}
	})
}

func TestTaskOccupiesNoWorkerBetweenItsAttempts(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		f := flaky{failures: 1}
		r := pool.ApplyAsync(context.Background(), p, f.task, backingOff(2), pool.WithTaskName("flaky"))
		synctest.Wait()
		require.True(t, r.Running())
		require.Zero(t, p.Stats().Running)
		began := time.Now()
		_, err := pool.Apply(context.Background(), p, value(1))
		require.NoError(t, err)
		require.Zero(t, time.Since(began))
		_, err = r.Get(context.Background())
		require.NoError(t, err)
	})
}

func TestTasksWithTheSameKeyWaitForAllAttempts(t *testing.T) {
	for name, act := range map[string]struct {
		to    func(*pool.AsyncResult[int])
		after time.Duration // the second task starts
	}{
		"succeeds at last":           {func(*pool.AsyncResult[int]) {}, 3 * time.Second},
		"cancelled while it rests":   {func(r *pool.AsyncResult[int]) { time.Sleep(500 * time.Millisecond); r.Cancel() }, 500 * time.Millisecond},
		"cancelled between attempts": {func(r *pool.AsyncResult[int]) { time.Sleep(1500 * time.Millisecond); r.Cancel() }, 1500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(2), pool.WithRouting(pool.KeyOrdered))
				f := flaky{failures: 2}
				began := time.Now()
				r := pool.ApplyAsync(context.Background(), p, f.task, backingOff(3), pool.WithKey("k"))
				second := pool.ApplyAsync(context.Background(), p, func(context.Context) (time.Duration, error) {
					return time.Since(began), nil
				}, pool.WithKey("k"))
				act.to(r)
				after, err := second.Get(context.Background())
				require.NoError(t, err)
				require.Equal(t, act.after, after)
			})
		})
	}
}

func TestOnlyWhatIsWorthItIsTriedAgain(t *testing.T) {
	boom := errors.New("boom")
	panics := func(context.Context) (int, error) { panic(boom) }
	exits := func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }
	fails := func(context.Context) (int, error) { return 0, boom }
	always := func(error) bool { return true }
	for name, c := range map[string]struct {
		fn    func(context.Context) (int, error)
		when  func(error) bool
		calls int32
		err   error
	}{
		"an error by default":            {fails, nil, 3, boom},
		"a panic by default":             {panics, nil, 1, boom},
		"a Goexit by default":            {exits, nil, 1, pool.ErrGoexit},
		"a panic, if it shall":           {panics, always, 3, boom},
		"a Goexit, if it shall":          {exits, always, 3, pool.ErrGoexit},
		"another error":                  {fails, func(err error) bool { return !errors.Is(err, boom) }, 1, boom},
		"a predicate that panics":        {fails, func(error) bool { panic("if") }, 1, boom},
		"a predicate that calls Goexit":  {fails, func(error) bool { runtime.Goexit(); return true }, 1, boom},
		"a predicate and no other error": {fails, always, 3, boom},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1))
				var calls atomic.Int32
				_, err := pool.Apply(context.Background(), p, func(ctx context.Context) (int, error) {
					calls.Add(1)
					return c.fn(ctx)
				}, pool.WithRetry(pool.Retry{Attempts: 3, If: c.when}))
				require.ErrorIs(t, err, c.err)
				require.Equal(t, c.calls, calls.Load())
				synctest.Wait()
				stats := p.Stats()
				require.EqualValues(t, c.calls-1, stats.Retried)
				require.Zero(t, stats.Late)
				if c.err == boom && stats.Outcomes[pool.Panicked] > 0 {
					require.EqualValues(t, c.calls, stats.Restarts)
				}
			})
		})
	}
}

func TestWhatEndsATaskEndsItWhateverAttemptsAreLeft(t *testing.T) {
	for name, c := range map[string]struct {
		opts []pool.TaskOption
		act  func(*pool.Pool, *pool.AsyncResult[int])
		err  error
	}{
		"its deadline":          {[]pool.TaskOption{pool.WithTimeout(1500 * time.Millisecond)}, func(*pool.Pool, *pool.AsyncResult[int]) {}, pool.ErrTimeout},
		"Cancel":                {nil, func(_ *pool.Pool, r *pool.AsyncResult[int]) { r.Cancel() }, pool.ErrCancelled},
		"CancelQueued":          {nil, func(p *pool.Pool, _ *pool.AsyncResult[int]) { p.CancelQueued() }, pool.ErrCancelled},
		"Terminate":             {nil, func(p *pool.Pool, _ *pool.AsyncResult[int]) { p.Terminate() }, pool.ErrTerminated},
		"Close does not":        {nil, func(p *pool.Pool, _ *pool.AsyncResult[int]) { p.Close() }, errFlaky},
		"a pool that breaks":    {nil, func(p *pool.Pool, _ *pool.AsyncResult[int]) { breakIt(p) }, pool.ErrBroken},
		"an attempt takes ages": {[]pool.TaskOption{pool.WithRunTimeout(time.Hour)}, func(*pool.Pool, *pool.AsyncResult[int]) {}, errFlaky},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(2), pool.WithSupervision(pool.Supervision{
					Decide: func(pool.Failure) pool.Directive { return pool.Break },
				}))
				f := flaky{failures: math.MaxInt32}
				r := pool.ApplyAsync(context.Background(), p, f.task, append(c.opts, backingOff(5))...)
				time.Sleep(500 * time.Millisecond)
				c.act(p, r)
				synctest.Wait()
				if c.err != errFlaky && len(c.opts) == 0 {
					require.True(t, r.Ready(), "at once")
				}
				require.ErrorIs(t, errOf(t, r), c.err)
			})
		})
	}
}

func breakIt(p *pool.Pool) {
	pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { panic("break it") })
}

func TestAttemptThatRunsIsFinishedThoughThePoolBreaks(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithSupervision(pool.Supervision{
			Decide: func(pool.Failure) pool.Directive { return pool.Break },
		}))
		slow := func(err error) func(context.Context) (int, error) {
			return func(context.Context) (int, error) { time.Sleep(time.Second); return 7, err }
		}
		r := pool.ApplyAsync(context.Background(), p, slow(nil), backingOff(2))
		time.Sleep(time.Millisecond)
		breakIt(p)
		n, err := r.Get(context.Background())
		require.NoError(t, err)
		require.Equal(t, 7, n)
	})
}

func TestRunTimeoutOfAnAttemptEndsTheTask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		var calls atomic.Int32
		began := time.Now()
		_, err := pool.Apply(context.Background(), p, func(ctx context.Context) (int, error) {
			if calls.Add(1) == 1 {
				time.Sleep(900 * time.Millisecond)
				return 0, errFlaky
			}
			<-ctx.Done()
			return 0, context.Cause(ctx)
		}, twice(), pool.WithRunTimeout(time.Second))
		require.ErrorIs(t, err, pool.ErrTimeout)
		require.Equal(t, 1900*time.Millisecond, time.Since(began))
	})
}

// On one worker the attempts run in the place of the task that waits for them.
func TestTaskThatWaitsRunsAttemptsInItsPlace(t *testing.T) {
	for name, rules := range map[string]pool.TaskOption{"at once": pool.WithRetry(pool.Retry{Attempts: 4}), "after a while": backingOff(4)} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1))
				n, err := pool.Apply(context.Background(), p, func(ctx context.Context) (int, error) {
					f := flaky{failures: 3}
					return pool.ApplyAsync(ctx, p, f.task, rules).Get(ctx)
				})
				require.NoError(t, err)
				require.Equal(t, 4, n)
			})
		})
	}
}

func TestRetryIsAnEventAndItsEndToo(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithName("stage"))
		events := p.Events(context.Background())
		f := flaky{failures: 1}
		called := 0
		_, err := pool.Apply(context.Background(), p, f.task, twice(), pool.WithTaskName("tune"),
			pool.WithCallback(func(int) { called++ }), pool.WithErrorCallback(func(error) { called += 10 }))
		require.NoError(t, err)
		require.Equal(t, 1, called, "once, of the task")
		p.Close()
		var lines []string
		for e := range events {
			if e.Kind == pool.TaskRetried {
				require.Equal(t, 1, e.Attempt)
				lines = append(lines, e.String())
			}
		}
		require.Equal(t, []string{"stage: task retried tune after attempt 1: flaky"}, lines)
	})
}

func TestFullQueueTreatsARetriedTaskAsAnyOther(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.Reject))
		f := flaky{failures: 1}
		r := pool.ApplyAsync(context.Background(), p, f.task, backingOff(2))
		synctest.Wait()
		g := occupy(t, p)
		waits := pool.ApplyAsync(context.Background(), p, value(1))
		require.ErrorIs(t, errOf(t, pool.ApplyAsync(context.Background(), p, value(1), twice())), pool.ErrFull)
		time.Sleep(2 * time.Second) // the second attempt enters, whatever the limit
		close(g.open)
		_, err := r.Get(context.Background())
		require.NoError(t, err)
		_, err = waits.Get(context.Background())
		require.NoError(t, err)
	})
}

func TestWrongRulesOfARetryAreRefused(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		for says, rules := range map[string]pool.Retry{
			"WithRetry: Attempts is 0; there must be 2 at least":      {},
			"WithRetry: Attempts is 1; there must be 2 at least":      {Attempts: 1},
			"WithRetry: Attempts is -3; there must be 2 at least":     {Attempts: -3},
			"MinBackoff is -1s; it must not be negative":              {Attempts: 2, MinBackoff: -time.Second},
			"MaxBackoff is 1s, less than MinBackoff, 2s":              {Attempts: 2, MinBackoff: 2 * time.Second, MaxBackoff: time.Second},
			"MaxBackoff is 1s, but MinBackoff is not set":             {Attempts: 2, MaxBackoff: time.Second},
			"Jitter is 2; it must be from 0 to 1":                     {Attempts: 2, MinBackoff: 1, MaxBackoff: 1, Jitter: 2},
			"Jitter is 0.5, but MinBackoff is not set":                {Attempts: 2, Jitter: 0.5},
			"Attempts is 1; there must be 2 at least\nMaxBackoff is ": {Attempts: 1, MaxBackoff: time.Second},
		} {
			err := errOf(t, pool.ApplyAsync(context.Background(), p, value(1), pool.WithRetry(rules)))
			require.ErrorIs(t, err, pool.ErrInvalid)
			require.ErrorContains(t, err, says)
		}
	})
}

// The first attempt runs in the submitter's place, so only the next ones are queued.
func TestTaskThatItsSubmitterRanIsTriedAgainByAWorker(t *testing.T) {
	for name, routing := range routings {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.CallerRuns), pool.WithRouting(routing))
				g := occupy(t, p)
				f := flaky{failures: 1}
				r := pool.ApplyAsync(context.Background(), p, f.task, twice())
				require.EqualValues(t, 1, f.calls.Load())
				close(g.open)
				_, err := r.Get(context.Background())
				require.NoError(t, err)
				synctest.Wait()
				require.Zero(t, p.Stats().Waiting)
			})
		})
	}
}

// mood is a strategy that does something of its own when it is asked for the second time.
type mood struct {
	calls  int
	second func()
}

func (*mood) UsesKeys() bool { return false }

func (s *mood) Route(string, int, func(int) int) pool.Target {
	if s.calls++; s.calls == 2 {
		s.second()
	}
	return pool.Target{}
}

func inMood(second func()) pool.Option {
	return pool.WithRouting(func() pool.Strategy { return &mood{second: second} })
}

// An attempt that cannot be submitted is the last.
func TestAttemptThatTheStrategyRefusesIsTheEndOfItsTask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), inMood(func() { panic("in a mood") }))
		f := flaky{failures: 1}
		r := pool.ApplyAsync(context.Background(), p, f.task, backingOff(2))
		_, err := r.Get(context.Background())
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.EqualValues(t, 1, p.Stats().Outcomes[pool.Failed])
		p.Close()
		require.NoError(t, p.Join(context.Background()))
	})
}

// While an attempt is on its way to the queue, who waits for the task neither finds it
// there nor waits in vain.
func TestWaitForAnAttemptThatIsBeingQueuedIsNoDeadlock(t *testing.T) {
	p := newPool(t, pool.WithWorkers(1), inMood(func() {}))
	slow := newPool(t, pool.WithWorkers(1), pool.WithRouting(func() pool.Strategy {
		s := &mood{}
		s.second = func() { // each time from now on
			s.calls = 1
			for range 1000 {
				runtime.Gosched()
			}
		}
		return s
	}))
	for _, p := range []*pool.Pool{p, slow} {
		for range 20 {
			f := flaky{failures: 4}
			n, err := pool.Apply(context.Background(), p, func(ctx context.Context) (int, error) {
				return pool.Apply(ctx, p, f.task, pool.WithRetry(pool.Retry{Attempts: 5}))
			})
			require.NoError(t, err)
			require.Equal(t, 5, n)
		}
	}
}

// Who has the result of a task does not keep what the task was given.
func TestNothingIsKeptOfATaskThatWasTriedAgain(t *testing.T) {
	p := newPool(t, pool.WithWorkers(1))
	var all []weak.Pointer[argument]
	submit := func(failures int, o pool.TaskOption, act func(*pool.AsyncResult[int])) *pool.AsyncResult[int] {
		a := new(argument)
		all = append(all, weak.Make(a))
		f := flaky{failures: int32(failures)}
		r := pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (int, error) {
			_ = a.content[f.calls.Load()]
			return f.task(ctx)
		}, o)
		act(r)
		_ = r.Wait(context.Background())
		return r
	}
	get := func(*pool.AsyncResult[int]) {}
	results := []*pool.AsyncResult[int]{
		submit(1, twice(), get),
		submit(2, twice(), get),
		submit(9, backingOff(2), func(r *pool.AsyncResult[int]) { r.Cancel() }),
		submit(0, pool.WithRetry(pool.Retry{Attempts: 1}), get),
	}
	_, _ = pool.Apply(context.Background(), p, value(1)) // the worker has let go of them
	require.True(t, allCollected(all))
	runtime.KeepAlive(results)
}
