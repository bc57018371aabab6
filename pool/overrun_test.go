package pool_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// overrunsOf collects the overruns of a pool until it has ended.
func overrunsOf(p *pool.Pool) func() []pool.Event {
	events := p.Events(context.Background())
	return func() (found []pool.Event) {
		for e := range events {
			if e.Kind == pool.TaskOverrun {
				found = append(found, e)
			}
		}
		return found
	}
}

func TestFunctionThatIgnoresTheEndOfItsTaskIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		opts []pool.TaskOption
		end  func(*pool.Pool, *pool.AsyncResult[string])
		err  error
	}{
		"deadline":     {[]pool.TaskOption{pool.WithTimeout(time.Second)}, func(*pool.Pool, *pool.AsyncResult[string]) { time.Sleep(time.Second) }, pool.ErrTimeout},
		"run timeout":  {[]pool.TaskOption{pool.WithRunTimeout(time.Second)}, func(*pool.Pool, *pool.AsyncResult[string]) { time.Sleep(time.Second) }, pool.ErrTimeout},
		"Cancel":       {nil, func(_ *pool.Pool, r *pool.AsyncResult[string]) { r.Cancel() }, pool.ErrCancelled},
		"Terminate":    {nil, func(p *pool.Pool, _ *pool.AsyncResult[string]) { p.Terminate() }, pool.ErrTerminated},
		"with a retry": {[]pool.TaskOption{twice()}, func(_ *pool.Pool, r *pool.AsyncResult[string]) { r.Cancel() }, pool.ErrCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				var log bytes.Buffer
				p := newPool(t, pool.WithWorkers(1), pool.WithName("stage"), pool.WithOverrunAfter(3*time.Second),
					pool.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
				overruns := overrunsOf(p)
				g := newGate()
				r := pool.ApplyAsync(context.Background(), p, g.deaf, append(c.opts, pool.WithTaskName("monologue"))...)
				<-g.started
				c.end(p, r)
				synctest.Wait()
				require.True(t, r.Ready(), "its result ends at once")
				ended := time.Now()
				time.Sleep(3*time.Second - time.Nanosecond)
				synctest.Wait()
				require.Zero(t, p.Stats().Overrun)
				time.Sleep(time.Nanosecond)
				synctest.Wait()
				require.EqualValues(t, 1, p.Stats().Overrun)
				require.Zero(t, p.Stats().Replaced)
				close(g.open)
				p.Close()
				found := overruns()
				require.Len(t, found, 1)
				e := found[0]
				require.Equal(t, "monologue", e.Task)
				require.Equal(t, "stage/worker-1", e.Worker)
				require.ErrorIs(t, e.Err, c.err)
				require.True(t, e.Since.Equal(ended))
				require.False(t, e.Replaced)
				require.Contains(t, e.Stack, "pool_test.(*gate).deaf")
				require.Contains(t, e.String(), "stage: task overrun stage/worker-1 monologue: ")
				require.Contains(t, log.String(), "task overrun")
			})
		})
	}
}

func TestFunctionThatHeedsTheEndOfItsTaskIsNotOverrun(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		heeds := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			time.Sleep(pool.DefaultOverrun - 1) // to tidy up
			return 0, ctx.Err()
		}
		for range 3 {
			require.ErrorIs(t, errOf(t, pool.ApplyAsync(context.Background(), p, heeds, pool.WithTimeout(time.Second))), pool.ErrTimeout)
			time.Sleep(time.Minute)
		}
		require.Zero(t, p.Stats().Overrun)
	})
}

func TestItemsAndTasksInPlaceMayBeOverrunToo(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		overruns := overrunsOf(p)
		g := newGate()
		m := pool.MapAsync(context.Background(), p, func(ctx context.Context, _ int) (string, error) { return g.deaf(ctx) }, []int{1},
			pool.WithTaskName("scene"))
		<-g.started
		m.Cancel()
		time.Sleep(time.Minute)
		close(g.open)

		inner := newGate()
		outer := pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (string, error) {
			return pool.ApplyAsync(ctx, p, inner.deaf, pool.WithTaskName("aside"), pool.WithTimeout(time.Second)).Get(ctx)
		})
		<-inner.started
		require.ErrorIs(t, errOf(t, outer), pool.ErrTimeout)
		time.Sleep(time.Minute)
		close(inner.open)
		p.Close()
		found := overruns()
		require.Len(t, found, 2)
		require.Equal(t, "scene", found[0].Task)
		require.Equal(t, "aside", found[1].Task)
	})
}

func TestOverrunTaskIsReplacedSoThatThePoolKeepsItsSize(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithReplacements(2))
		overruns := overrunsOf(p)
		for range 3 { // the places are used again
			var deaf []*gate
			for range 2 {
				g := newGate()
				deaf = append(deaf, g)
				pool.ApplyAsync(context.Background(), p, g.deaf, pool.WithTimeout(time.Second))
			}
			var c crew
			for range 4 {
				pool.ApplyAsync(context.Background(), p, c.work)
			}
			time.Sleep(2*time.Second + 500*time.Millisecond)
			synctest.Wait()
			require.EqualValues(t, 2, c.running.Load())
			require.Equal(t, 2, p.Stats().Replaced)
			require.Equal(t, 2, p.Workers())
			for _, g := range deaf {
				close(g.open)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			require.Zero(t, p.Stats().Replaced)
			require.Equal(t, 2, p.Stats().Started, "the others have left")
			require.EqualValues(t, 2, c.most.Load())
		}
		p.Close()
		for _, e := range overruns() {
			require.True(t, e.Replaced)
			require.Contains(t, []byte("1234"), e.Worker[len(e.Worker)-1])
		}
	})
}

func TestNoMoreOverrunTasksAreReplacedThanMayBe(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithReplacements(1))
		one, two := newGate(), newGate()
		for _, g := range []*gate{one, two} {
			pool.ApplyAsync(context.Background(), p, g.deaf, pool.WithRunTimeout(time.Second))
		}
		time.Sleep(time.Minute)
		require.EqualValues(t, 2, p.Stats().Overrun)
		require.Equal(t, 1, p.Stats().Replaced)
		waits := pool.ApplyAsync(context.Background(), p, value(1))
		synctest.Wait()
		require.False(t, waits.Ready())
		close(two.open)
		_, err := waits.Get(context.Background())
		require.NoError(t, err)
		p.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		require.ErrorIs(t, p.Join(ctx), context.DeadlineExceeded, "it waits for what was abandoned")
		close(one.open)
		require.NoError(t, p.Join(context.Background()))
	})
}

// hang keeps a worker with a function that is overrun, and waits until it is.
func hang(p *pool.Pool) *gate {
	g := newGate()
	pool.ApplyAsync(context.Background(), p, g.deaf, pool.WithTimeout(time.Second))
	time.Sleep(3 * time.Second)
	synctest.Wait()
	return g
}

// works requires that the pool has all its workers for tasks that heed their contexts.
func works(t testing.TB, p *pool.Pool) {
	t.Helper()
	var c crew
	for range p.Workers() {
		pool.ApplyAsync(context.Background(), p, c.work)
	}
	synctest.Wait()
	require.EqualValues(t, p.Workers(), c.running.Load())
	time.Sleep(time.Minute)
}

func TestPoolThatGrowsDoesNotCountOnOneThatWasReplaced(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithReplacements(1))
		g := hang(p)
		require.NoError(t, p.Resize(3))
		works(t, p)
		require.Equal(t, 1, p.Stats().Replaced)
		close(g.open)
		synctest.Wait()
		require.Zero(t, p.Stats().Replaced)
		require.NoError(t, p.Resize(1))
		g = hang(p)
		works(t, p)
		close(g.open)
	})
}

func TestOverrunTaskAtAClosedPlaceIsReplacedWhenThatIsOpenedAgain(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithReplacements(1))
		inPlay := newGate()
		pool.ApplyAsync(context.Background(), p, inPlay.task)
		<-inPlay.started
		g := newGate()
		pool.ApplyAsync(context.Background(), p, g.deaf, pool.WithTimeout(time.Second))
		<-g.started
		require.NoError(t, p.Resize(1))
		time.Sleep(time.Minute)
		require.EqualValues(t, 1, p.Stats().Overrun)
		require.Zero(t, p.Stats().Replaced)
		close(inPlay.open)
		require.NoError(t, p.Resize(2))
		require.Equal(t, 1, p.Stats().Replaced)
		works(t, p)
		close(g.open)
	})
}

func TestReplacementThatIsFreeGoesToTheNextOverrunTask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithReplacements(1))
		first := hang(p)
		second := hang(p)
		require.Equal(t, 1, p.Stats().Replaced)
		close(first.open)
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Replaced)
		works(t, p)
		close(second.open)
		synctest.Wait()
		require.Zero(t, p.Stats().Replaced)
		works(t, p)
	})
}

// An overrun function in the place of another one keeps the worker when that one returns.
func TestOverrunTaskIsReplacedThatRunsInThePlaceOfOneThatHasReturned(t *testing.T) {
	for name, later := range map[string]time.Duration{"before it is overrun": 0, "after": time.Minute} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithReplacements(1))
				g := newGate()
				outer := pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (int, error) {
					_, err := pool.Apply(ctx, p, g.deaf, pool.WithTimeout(time.Second), pool.WithTaskName("aside"))
					time.Sleep(later)
					return 1, err
				}, pool.WithTaskName("play"))
				time.Sleep(4 * time.Second)
				synctest.Wait()
				if later > 0 {
					require.Zero(t, p.Stats().Replaced, "the outer function is at work")
					time.Sleep(later)
					synctest.Wait()
				}
				require.Equal(t, 1, p.Stats().Replaced)
				works(t, p)
				report := p.Report()
				require.Len(t, report.Running, 1)
				require.Equal(t, "aside", report.Running[0].Name)
				require.ErrorIs(t, errOf(t, outer), pool.ErrTimeout)
				close(g.open)
				synctest.Wait()
				require.Zero(t, p.Stats().Replaced)
				require.Empty(t, p.Report().Running)
				works(t, p)
			})
		})
	}
}

func TestTwoOverrunTasksInOnePlaceAreReplacedWhenTheyMayBe(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithReplacements(1))
		first := hang(p)
		outer, inner := newGate(), newGate()
		pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (string, error) {
			_, _ = pool.Apply(ctx, p, inner.deaf, pool.WithTimeout(time.Second))
			return outer.deaf(ctx)
		}, pool.WithTimeout(10*time.Second))
		time.Sleep(time.Minute)
		require.EqualValues(t, 3, p.Stats().Overrun)
		close(first.open)
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Replaced)
		works(t, p)
		close(outer.open)
		close(inner.open)
		synctest.Wait()
		require.Zero(t, p.Stats().Replaced)
	})
}

func TestNoneIsReplacedAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(*pool.Pool){"Close": (*pool.Pool).Close, "Terminate": (*pool.Pool).Terminate} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithReplacements(1))
				g := hang(p)
				end(p)
				synctest.Wait()
				require.Equal(t, 1, p.Report().Replaced)
				close(g.open)
				require.NoError(t, p.Join(hour(t)))
				require.Zero(t, p.Report().Replaced)
			})
		})
	}
}

func TestReplacementTakesOverWhatWaitsForTheWorker(t *testing.T) {
	for name, routing := range routings {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithReplacements(1), pool.WithRouting(routing))
				g := newGate()
				pool.ApplyAsync(context.Background(), p, g.deaf, pool.WithTimeout(time.Second))
				<-g.started
				everywhere := pool.BroadcastAsync(context.Background(), p, value(1))
				routed := pool.ApplyAsync(context.Background(), p, value(2))
				n, err := everywhere.Get(context.Background())
				require.NoError(t, err)
				require.Equal(t, []int{1}, n)
				_, err = routed.Get(context.Background())
				require.NoError(t, err)
				close(g.open)
			})
		})
	}
}

func TestOverrunFunctionThatFailsAtLastLeavesNoWorkerBehind(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithReplacements(1))
		open := make(chan struct{})
		pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { <-open; panic("too late") }, pool.WithTimeout(time.Second))
		time.Sleep(time.Minute)
		_, err := pool.Apply(context.Background(), p, value(1))
		require.NoError(t, err)
		require.Equal(t, 2, p.Stats().Started)
		close(open)
		synctest.Wait()
		require.Equal(t, 1, p.Stats().Started)
		require.Zero(t, p.Stats().Restarts)
		require.Zero(t, p.Stats().Replaced)
	})
}

func TestWrongOverrunOptionsAreRefused(t *testing.T) {
	for says, opt := range map[string]pool.Option{
		"WithOverrunAfter: 0s; it must be positive":      pool.WithOverrunAfter(0),
		"WithReplacements: 0; there must be 1 at least":  pool.WithReplacements(0),
		"WithReplacements: -1; there must be 1 at least": pool.WithReplacements(-1),
	} {
		_, err := pool.New(opt)
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, says)
	}
}
