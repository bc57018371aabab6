package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

func TestErrorsThatNobodyFetchedAreCountedAndLoggedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
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
	for name, tell := range map[string]func(*testing.T, *pool.Pool){
		"Get":   func(t *testing.T, p *pool.Pool) { _ = errOf(t, pool.ApplyAsync(t.Context(), p, mine)) },
		"Apply": func(t *testing.T, p *pool.Pool) { _, _ = pool.Apply(context.Background(), p, mine) },
		"Successful": func(t *testing.T, p *pool.Pool) {
			r := pool.ApplyAsync(t.Context(), p, mine)
			<-r.Done()
			_, _ = r.Successful()
		},
		"Outcome": func(t *testing.T, p *pool.Pool) {
			r := pool.ApplyAsync(t.Context(), p, mine)
			<-r.Done()
			_, _ = r.Outcome()
		},
		"OnDone, before": func(t *testing.T, p *pool.Pool) {
			g := occupy(t, p)
			pool.ApplyAsync(t.Context(), p, mine).OnDone(func(*pool.AsyncResult[int]) {})
			close(g.open)
		},
		"OnDone, after": func(t *testing.T, p *pool.Pool) {
			r := pool.ApplyAsync(t.Context(), p, mine)
			<-r.Done()
			r.OnDone(func(*pool.AsyncResult[int]) {})
		},
		"error callback": func(t *testing.T, p *pool.Pool) {
			pool.ApplyAsync(t.Context(), p, mine, pool.WithErrorCallback(func(error) {}))
		},
		"Map": func(t *testing.T, p *pool.Pool) {
			_, _ = pool.Map(t.Context(), p, func(ctx context.Context, _ int) (int, error) { return mine(ctx) }, []int{1})
		},
		"IMap": func(t *testing.T, p *pool.Pool) {
			for range pool.IMap(t.Context(), p, func(ctx context.Context, _ int) (int, error) { return mine(ctx) }, seq(1)).All() {
			}
		},
		"a message": func(t *testing.T, p *pool.Pool) {
			me, received := inbox(pool.SharedSystem())
			request(pool.SharedSystem(), p.PID(), me, &messages.Task{Func: func(ctx context.Context) (any, error) { return mine(ctx) }})
			<-received
			pool.SharedSystem().Root.Stop(me)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
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
	inBubble(t, func(t *testing.T) {
		p := newPool(t, pool.WithWorkers(1))
		pool.SharedSystem().Root.Send(p.PID(), &messages.Task{Func: func(context.Context) (any, error) { return nil, errors.New("mine") }})
		synctest.Wait()
		require.EqualValues(t, 1, p.Report().Unfetched)
		time.Sleep(time.Minute) // timers of the actor system run out
	})
}
