package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestErrorsThatNobodyFetchedAreCountedAndLoggedOnce(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var log strings.Builder
		p := newPool(t, pool.WithWorkers(1), pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		mine := func(context.Context) (int, error) { return 0, errors.New("mine") }
		for _, fn := range []func(context.Context) (int, error){
			mine, boom, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }, value(1),
		} {
			<-pool.ApplyAsync(t.Context(), p, fn).Done()
		}
		r := pool.MapAsync(t.Context(), p, func(ctx context.Context, _ int) (int, error) { return mine(ctx) }, []int{1, 2})
		<-r.Done()
		pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }).Cancel()
		require.EqualValues(t, 4, p.Report().Unfetched, "who cancels knows")
		_, _ = r.Get(hour(t))
		_, _ = r.Get(hour(t))
		require.EqualValues(t, 3, p.Report().Unfetched)
		require.Contains(t, p.Report().String(), "3 errors that nobody fetched")
		require.NoError(t, p.Shutdown(hour(t)))
		require.Equal(t, 1, strings.Count(log.String(), "errors of tasks that nobody fetched"), log.String())
		require.Contains(t, log.String(), "tasks=3")
	})
}

func TestErrorThatSomebodyIsToldCountsAsFetched(t *testing.T) {
	mine := func(context.Context) (int, error) { return 0, errors.New("mine") }
	for name, tell := range map[string]func(testing.TB, *pool.Pool){
		"Get":   func(t testing.TB, p *pool.Pool) { _ = errOf(t, pool.ApplyAsync(t.Context(), p, mine)) },
		"Apply": func(t testing.TB, p *pool.Pool) { _, _ = pool.Apply(context.Background(), p, mine) },
		"Successful": func(t testing.TB, p *pool.Pool) {
			r := pool.ApplyAsync(t.Context(), p, mine)
			<-r.Done()
			_, _ = r.Successful()
		},
		"Outcome": func(t testing.TB, p *pool.Pool) {
			r := pool.ApplyAsync(t.Context(), p, mine)
			<-r.Done()
			_, _ = r.Outcome()
		},
		"OnDone, before": func(t testing.TB, p *pool.Pool) {
			g := occupy(t, p)
			pool.ApplyAsync(t.Context(), p, mine).OnDone(func(*pool.AsyncResult[int]) {})
			close(g.open)
		},
		"OnDone, after": func(t testing.TB, p *pool.Pool) {
			r := pool.ApplyAsync(t.Context(), p, mine)
			<-r.Done()
			r.OnDone(func(*pool.AsyncResult[int]) {})
		},
		"error callback": func(t testing.TB, p *pool.Pool) {
			pool.ApplyAsync(t.Context(), p, mine, pool.WithErrorCallback(func(error) {}))
		},
		"Map": func(t testing.TB, p *pool.Pool) {
			_, _ = pool.Map(t.Context(), p, func(ctx context.Context, _ int) (int, error) { return mine(ctx) }, []int{1})
		},
		"IMap": func(t testing.TB, p *pool.Pool) {
			for range pool.IMap(t.Context(), p, func(ctx context.Context, _ int) (int, error) { return mine(ctx) }, seq(1)).All() {
			}
		},
		"a message": func(t testing.TB, p *pool.Pool) {
			me, received := inbox(systemOf(t))
			request(systemOf(t), p.PID(), me, &messages.Task{Func: func(ctx context.Context) (any, error) { return mine(ctx) }})
			<-received
			systemOf(t).Root.Stop(me)
		},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1))
				tell(t, p)
				synctest.Wait()
				require.Zero(t, p.Report().Unfetched)
				outcomes := p.Stats().Outcomes
				require.EqualValues(t, 1, outcomes[pool.Failed]+outcomes[pool.Succeeded]-int64(strings.Count(name, "before")))
			})
		})
	}
}

func TestErrorOfAMessageThatNobodyIsToldCounts(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		systemOf(t).Root.Send(p.PID(), &messages.Task{Func: func(context.Context) (any, error) { return nil, errors.New("mine") }})
		synctest.Wait()
		require.EqualValues(t, 1, p.Report().Unfetched)
		time.Sleep(time.Minute) // timers of the actor system run out
	})
}

// unfetched makes an option whose function sends what it is told to a channel.
func unfetched(n int) (pool.Option, <-chan pool.UnfetchedErrors) {
	told := make(chan pool.UnfetchedErrors, n)
	return pool.WithUnfetchedErrors(func(u pool.UnfetchedErrors) { told <- u }), told
}

func failing(context.Context) (int, error) { return 0, errMine }

func TestUnfetchedErrorsAreToldAtTheEnd(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		var log strings.Builder
		hook, told := unfetched(2)
		p := newPool(t, pool.WithWorkers(1), pool.WithName("hall"), hook, pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		asked := pool.ApplyAsync(t.Context(), p, failing, pool.WithTaskName("asked"))
		for name, fn := range map[string]func(context.Context) (int, error){
			"exited": func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }, "fine": value(1),
		} {
			<-pool.ApplyAsync(t.Context(), p, fn, pool.WithTaskName(name)).Done()
		}
		<-pool.ApplyAsync(t.Context(), p, boom).Done()
		<-pool.MapAsync(t.Context(), p, func(ctx context.Context, _ int) (int, error) { return failing(ctx) }, []int{1, 2},
			pool.WithTaskName("map")).Done()
		_ = errOf(t, asked)
		require.NoError(t, p.Shutdown(hour(t)))
		u := <-told
		require.Empty(t, told, "once")
		require.Equal(t, "hall", u.Pool)
		require.EqualValues(t, 3, u.Tasks)
		require.Len(t, u.Errors, 3)
		require.Equal(t, pool.UnfetchedError{Task: "exited", Outcome: pool.Exited, Err: pool.ErrGoexit}, u.Errors[0])
		require.Equal(t, pool.Panicked, u.Errors[1].Outcome)
		require.Empty(t, u.Errors[1].Task)
		require.ErrorAs(t, u.Errors[1].Err, new(*pool.PanicError))
		require.Equal(t, "map", u.Errors[2].Task)
		require.ErrorIs(t, u.Errors[2].Err, errMine)
		require.NotContains(t, log.String(), "nobody fetched", "the function takes the place of the log")
	})
}

func TestSoManyUnfetchedErrorsAreKept(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		hook, told := unfetched(1)
		p := newPool(t, pool.WithWorkers(1), hook)
		var results []*pool.AsyncResult[int]
		fail := func(n int) {
			r := pool.ApplyAsync(t.Context(), p, failing, pool.WithTaskName(strconv.Itoa(n)))
			<-r.Done()
			results = append(results, r)
		}
		for n := range pool.MaxUnfetched + 5 {
			fail(n)
		}
		for n := range 10 { // there is room again
			_ = errOf(t, results[n])
		}
		_ = errOf(t, results[pool.MaxUnfetched+1]) // it was not kept
		for n := range 12 {
			fail(100 + n)
		}
		require.EqualValues(t, pool.MaxUnfetched+5-11+12, p.Report().Unfetched)
		require.NoError(t, p.Shutdown(hour(t)))
		u := <-told
		require.EqualValues(t, pool.MaxUnfetched+5-11+12, u.Tasks)
		var names, want []string
		for _, e := range u.Errors {
			names = append(names, e.Task)
		}
		for n := 10; n < pool.MaxUnfetched; n++ {
			want = append(want, strconv.Itoa(n))
		}
		for n := range 10 {
			want = append(want, strconv.Itoa(100+n))
		}
		require.Equal(t, want, names)
		for _, r := range results { // nothing is kept any more
			_ = errOf(t, r)
		}
		require.Zero(t, p.Report().Unfetched)
	})
}

func TestUnfetchedErrorsAreNotToldIfThereAreNone(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithUnfetchedErrors(func(pool.UnfetchedErrors) { t.Error("called") }))
		_ = errOf(t, pool.ApplyAsync(t.Context(), p, failing))
		require.NoError(t, p.Shutdown(hour(t)))
	})
}

func TestUnfetchedErrorsAreToldBehindTheLastCallback(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		hook, told := unfetched(1)
		p := newPool(t, pool.WithWorkers(1), hook)
		first := pool.ApplyAsync(t.Context(), p, failing)
		pool.ApplyAsync(t.Context(), p, value(1), pool.WithCallback(func(int) {
			time.Sleep(time.Minute)
			_, _ = first.Outcome()
		}))
		synctest.Wait()
		p.Terminate()
		require.NoError(t, p.Join(hour(t)))
		require.Empty(t, told, "somebody has asked after all")
	})
}

func TestFunctionForUnfetchedErrorsIsContainedAndWaitedFor(t *testing.T) {
	for name, f := range map[string]func(){
		"panics": func() { panic("hook") },
		"exits":  runtime.Goexit,
		"slow":   func() { time.Sleep(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				var log strings.Builder
				p := newPool(t, pool.WithWorkers(1), pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
					pool.WithUnfetchedErrors(func(pool.UnfetchedErrors) { f() }))
				<-pool.ApplyAsync(t.Context(), p, failing).Done()
				begin := time.Now()
				require.NoError(t, p.Shutdown(hour(t)))
				require.Equal(t, name != "slow", strings.Contains(log.String(), "hook for unfetched errors failed"), log.String())
				require.Equal(t, name == "slow", time.Since(begin) == time.Minute)
			})
		})
	}
}

func TestUnfetchedErrorsAreToldWhileTheyAreFetched(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		hook, told := unfetched(1)
		p := newPool(t, pool.WithWorkers(4), hook)
		var fetchers sync.WaitGroup
		for range 4 {
			fetchers.Go(func() {
				for range 200 {
					r := pool.ApplyAsync(t.Context(), p, failing)
					fetchers.Go(func() { _, _ = r.Outcome() })
					_, _ = r.Get(hour(t))
				}
			})
		}
		fetchers.Wait()
		require.Zero(t, p.Report().Unfetched)
		require.NoError(t, p.Shutdown(hour(t)))
		require.Empty(t, told)
	})
}

// A pool that its parent restarts begins anew; the one before has ended.
func TestUnfetchedErrorsAreToldWhenTheParentRestartsThePool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		var closed atomic.Int32
		system.EventStream.Subscribe(func(e any) {
			if e, ok := e.(*pool.Event); ok && e.Kind == pool.PoolClosed {
				closed.Add(1)
			}
		})
		var told []int64
		props := pool.Props(
			pool.WithWorkers(2), pool.WithEventStream(),
			pool.WithUnfetchedErrors(func(u pool.UnfetchedErrors) { told = append(told, u.Tasks) }),
			pool.WithSupervision(pool.Supervision{Decide: func(pool.Failure) pool.Directive { return pool.Escalate }}),
		)
		var pid *actor.PID
		restart := actor.NewOneForOneStrategy(10, time.Hour, func(any) actor.Directive { return actor.RestartDirective })
		parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, started := ctx.Message().(*actor.Started); started {
				pid = ctx.Spawn(props)
			}
		}, actor.WithSupervisor(restart)))
		synctest.Wait()
		for range 2 {
			system.Root.Send(pid, &messages.Task{Func: func(context.Context) (any, error) { return nil, errFlaky }})
			synctest.Wait()
			system.Root.Send(pid, &messages.Task{Func: func(context.Context) (any, error) { panic("a crash") }})
			synctest.Wait()
		}
		require.Equal(t, []int64{2, 2}, told)
		system.Root.Send(pid, &messages.Task{Func: func(context.Context) (any, error) { return nil, errFlaky }})
		synctest.Wait()
		require.NoError(t, system.Root.StopFuture(parent).Wait())
		synctest.Wait()
		require.Equal(t, []int64{2, 2, 1}, told)
		require.EqualValues(t, 3, closed.Load())
	})
}
