package pool_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// stuck waits for a minute, whatever its context says. It is looked for in stacks.
//
//go:noinline
func stuck(context.Context) (int, error) { time.Sleep(time.Minute); return 1, nil }

func TestReportSaysWhatBecameOfTheTasks(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithName("hall"))
		_, err := pool.Map(t.Context(), p, double, []int{1, 2, 3})
		require.NoError(t, err)
		_, err = pool.Apply(t.Context(), p, boom)
		require.Error(t, err)
		require.Zero(t, p.Report().Took, "it has not been closed")
		pool.ApplyAsync(t.Context(), p, stuck, pool.WithTaskName("slow"))
		p.Close()
		time.Sleep(time.Second)
		r := p.Report()
		require.Equal(t, time.Second, r.Took)
		require.False(t, r.Ended)
		require.Len(t, r.Running, 1)
		require.Equal(t, "slow", r.Running[0].Name)
		require.NoError(t, p.Join(hour(t)))
		time.Sleep(time.Hour)
		r = p.Report()
		require.True(t, r.Ended)
		require.Equal(t, time.Minute, r.Took)
		require.Empty(t, r.Running)
		require.EqualValues(t, 3, r.Accepted)
		require.EqualValues(t, 2, r.Outcomes[pool.Succeeded])
		require.Equal(t, `pool "hall" ended after 1m0s: 3 tasks accepted, 2 succeeded, 1 panicked; 1 restarts of workers`, r.String())
	})
}

func TestShutdownSaysWhatWasAtWorkWhenItsContextEnded(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithName("hall"))
		pool.ApplyAsync(t.Context(), p, stuck, pool.WithTaskName("first"))
		pool.ApplyAsync(t.Context(), p, stuck, pool.WithTaskName("second"))
		synctest.Wait()
		queued := pool.ApplyAsync(t.Context(), p, value(1), pool.WithTaskName("third"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := p.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var unfinished *pool.UnfinishedError
		require.ErrorAs(t, err, &unfinished)
		require.ErrorContains(t, err, "2 functions at work")
		require.ErrorContains(t, err, "first on hall/worker-")
		require.ErrorContains(t, err, "3 terminated")
		require.ErrorIs(t, errOf(t, queued), pool.ErrTerminated)
		var names []string
		for _, task := range unfinished.Report.Running {
			names = append(names, task.Name)
			require.Contains(t, task.Worker, "hall/worker-")
			require.Contains(t, task.Stack, "pool_test.stuck(")
			require.False(t, task.Abandoned, "then")
		}
		require.ElementsMatch(t, []string{"first", "second"}, names)
		for _, task := range p.Report().Running {
			require.True(t, task.Abandoned, "now")
		}
		require.Contains(t, p.Report().String(), "still running, though its result has ended")
		require.NoError(t, p.Join(hour(t)))
		require.True(t, p.Report().Ended)
		require.EqualValues(t, 2, p.Report().Late)
	})
}

func TestShutdownSaysWhatItWaitedForIfNoFunctionWasAtWork(t *testing.T) {
	hold := make(chan struct{})
	for name, c := range map[string]struct {
		says string
		opts []pool.Option
		task []pool.TaskOption
		fn   func(context.Context) (int, error)
	}{
		"clean-up": {says: "workers (1)", opts: []pool.Option{pool.WithCleanup(func(context.Context) error { <-hold; return nil })}},
		"callback": {says: "tasks that have not ended (1)", task: []pool.TaskOption{pool.WithCallback(func(int) { <-hold })}},
		"back-off": {
			says: "tasks that have not ended (1)",
			task: []pool.TaskOption{pool.WithRetry(pool.Retry{Attempts: 2, MinBackoff: time.Hour, MaxBackoff: time.Hour})},
			fn:   func(context.Context) (int, error) { return 0, errors.New("again") },
		},
		"initializer": {says: "initializers that were abandoned (1)", opts: []pool.Option{pool.WithInitializerTimeout(time.Minute),
			pool.WithInitializer(func(context.Context) error { <-hold; return nil })}},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				hold = make(chan struct{})
				p := newPool(t, append(c.opts, pool.WithWorkers(1))...)
				if c.fn == nil {
					c.fn = value(1)
				}
				pool.ApplyAsync(context.Background(), p, c.fn, c.task...)
				synctest.Wait()
				require.Empty(t, p.Report().WaitsFor, "it is open")
				ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
				defer cancel()
				err := p.Shutdown(ctx)
				var unfinished *pool.UnfinishedError
				require.ErrorAs(t, err, &unfinished)
				require.Contains(t, unfinished.Report.WaitsFor, c.says)
				require.ErrorContains(t, err, "0 functions at work")
				require.ErrorContains(t, err, "waits for "+c.says)
				close(hold)
				require.NoError(t, p.Join(context.Background()))
				require.Empty(t, p.Report().WaitsFor)
			})
		})
	}
}

func TestReportFindsTheStackOfEveryFunctionAtWork(t *testing.T) {
	item := func(ctx context.Context, _ int) (int, error) { return stuck(ctx) }
	background := context.Background()
	for name, c := range map[string]struct {
		begin   func(p *pool.Pool)
		opts    []pool.Option
		running int
	}{
		"ApplyAsync":           {func(p *pool.Pool) { pool.ApplyAsync(background, p, stuck) }, nil, 1},
		"Apply, borrowed":      {func(p *pool.Pool) { _, _ = pool.Apply(background, p, stuck) }, nil, 1},
		"Map, borrowed":        {func(p *pool.Pool) { _, _ = pool.Map(background, p, item, []int{1}) }, nil, 1},
		"MapAsync":             {func(p *pool.Pool) { pool.MapAsync(background, p, item, []int{1, 2}, pool.WithChunkSize(1)) }, nil, 2},
		"IMap":                 {func(p *pool.Pool) { pool.IMap(background, p, item, seq(1)) }, nil, 1},
		"Broadcast":            {func(p *pool.Pool) { pool.BroadcastAsync(background, p, stuck) }, nil, 2},
		"Go":                   {func(p *pool.Pool) { _ = p.Go(background, func() { _, _ = stuck(background) }) }, nil, 1},
		"with a key, in order": {func(p *pool.Pool) { pool.ApplyAsync(background, p, stuck, pool.WithKey("k")) }, []pool.Option{pool.WithRouting(pool.KeyOrdered)}, 1},
		"item in place": {func(p *pool.Pool) {
			pool.ApplyAsync(background, p, func(ctx context.Context) (int, error) {
				return pool.IMap(ctx, p, item, seq(1)).Next(ctx)
			})
		}, []pool.Option{pool.WithWorkers(1)}, 2},
		"chunk in place": {func(p *pool.Pool) {
			pool.ApplyAsync(background, p, func(ctx context.Context) (int, error) {
				vs, err := pool.Map(ctx, p, item, []int{1, 2}, pool.WithChunkSize(1))
				return len(vs), err
			})
		}, []pool.Option{pool.WithWorkers(1)}, 2},
		"in place": {func(p *pool.Pool) {
			pool.ApplyAsync(background, p, func(ctx context.Context) (int, error) { return pool.Apply(ctx, p, stuck) })
		}, []pool.Option{pool.WithWorkers(1)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append([]pool.Option{pool.WithWorkers(2)}, c.opts...)...)
				go c.begin(p)
				synctest.Wait()
				running := p.Report().Running
				require.Len(t, running, c.running)
				found := false
				for _, task := range running {
					require.NotEmpty(t, task.Stack, task)
					require.NotEmpty(t, task.Worker)
					found = found || strings.Contains(task.Stack, "pool_test.stuck(")
				}
				require.True(t, found)
			})
		})
	}
}

func TestReportFindsWhatASubmitterRuns(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(0), pool.WithQueuePolicy(pool.CallerRuns))
		g := occupy(t, p)
		go pool.ApplyAsync(t.Context(), p, stuck, pool.WithTaskName("mine"))
		synctest.Wait()
		running := p.Report().Running
		require.Len(t, running, 2)
		require.Equal(t, "mine", running[1].Name)
		require.Empty(t, running[1].Worker)
		require.Contains(t, running[1].Stack, "pool_test.stuck(")
		require.Contains(t, p.Report().String(), "mine on its submitter's goroutine: running")
		close(g.open)
	})
}
