package pool_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// callSheet notes in which order tasks start.
type callSheet struct {
	mu    sync.Mutex
	names []string
}

func (c *callSheet) task(name string) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.names = append(c.names, name)
		return 0, nil
	}
}

func TestTasksOfAHigherPriorityAreTakenFirst(t *testing.T) {
	for name, routing := range routings {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithPriorities(pool.DefaultAgeing), pool.WithRouting(routing))
				g := occupy(t, p)
				var sheet callSheet
				for _, priority := range []int{0, -1, 1, 0, pool.MaxPriority, 1, -pool.MaxPriority} {
					pool.ApplyAsync(context.Background(), p, sheet.task(fmt.Sprint(priority)), pool.WithPriority(priority))
				}
				close(g.open)
				p.Close()
				require.NoError(t, p.Join(context.Background()))
				require.Equal(t, []string{"100", "1", "1", "0", "0", "-1", "-100"}, sheet.names)
			})
		})
	}
}

// A task is overtaken by those that come later only while fewer than the ageing have come
// since.
func TestNoTaskStarvesBehindThoseOfAHigherPriority(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		const ageing = 10
		p := newPool(t, pool.WithWorkers(1), pool.WithPriorities(ageing))
		g := occupy(t, p)
		var sheet callSheet
		pool.ApplyAsync(context.Background(), p, sheet.task("low"))
		for range 50 {
			pool.ApplyAsync(context.Background(), p, sheet.task("high"), pool.WithPriority(2))
		}
		close(g.open)
		p.Close()
		require.NoError(t, p.Join(context.Background()))
		for i, name := range sheet.names {
			if name == "low" {
				require.Equal(t, 2*ageing-1, i)
			}
		}
	})
}

func TestTasksWithTheSameKeyKeepTheirOrderWhateverTheirPriority(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithPriorities(100), pool.WithRouting(pool.KeyOrdered))
		g := occupy(t, p)
		var sheet callSheet
		submit := func(name, key string, priority int) {
			pool.ApplyAsync(context.Background(), p, sheet.task(name), pool.WithKey(key), pool.WithPriority(priority))
		}
		submit("a1", "a", 0)
		submit("a2", "a", 9)
		submit("b1", "b", 1)
		submit("a3", "a", 0)
		close(g.open)
		p.Close()
		require.NoError(t, p.Join(context.Background()))
		require.Equal(t, []string{"b1", "a1", "a2", "a3"}, sheet.names, "a2 may only overtake once a1 has run")
	})
}

func TestPriorityInAPoolWithoutIsRefused(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		require.ErrorIs(t, errOf(t, pool.ApplyAsync(context.Background(), p, value(1), pool.WithPriority(1))), pool.ErrPrioritiesUnused)
		_, err := pool.Apply(context.Background(), p, value(1), pool.WithPriority(0))
		require.NoError(t, err)
		for _, wrong := range []int{101, -101} {
			err := errOf(t, pool.ApplyAsync(context.Background(), p, value(1), pool.WithPriority(wrong)))
			require.ErrorIs(t, err, pool.ErrInvalid)
			require.ErrorContains(t, err, fmt.Sprintf("WithPriority: %d; it must be from -100 to 100", wrong))
		}
		for _, wrong := range []int{0, 1_000_001} {
			_, err := pool.New(pool.WithPriorities(wrong))
			require.ErrorIs(t, err, pool.ErrInvalid)
		}
	})
}

func TestMapsStreamsAndNestedWaitsWorkInAPoolWithPriorities(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithPriorities(100))
		square := func(ctx context.Context, n int) (int, error) {
			r := pool.ApplyAsync(ctx, p, value(n*n), pool.WithPriority(-3))
			return r.Get(ctx)
		}
		squares, err := pool.Map(context.Background(), p, square, []int{1, 2, 3})
		require.NoError(t, err)
		require.Equal(t, []int{1, 4, 9}, squares)
		require.NoError(t, p.Go(context.Background(), func() {}))
	})
}

func TestPriorityAndRunTimeoutComeByMessage(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		p := newPool(t, pool.WithActorSystem(system), pool.WithWorkers(1), pool.WithPriorities(100))
		g := occupy(t, p)
		var sheet callSheet
		do := func(name string) func(context.Context) (any, error) {
			return func(ctx context.Context) (any, error) { return sheet.task(name)(ctx) }
		}
		system.Root.Send(p.PID(), &messages.Task{Func: do("low")})
		system.Root.Send(p.PID(), &messages.Task{Func: do("high"), Priority: 1})
		synctest.Wait()
		close(g.open)
		synctest.Wait()
		require.Equal(t, []string{"high", "low"}, sheet.names)

		ask := func(m *messages.Task) *messages.Result {
			m.Func = func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, nil }
			answer, err := system.Root.RequestFuture(p.PID(), m, time.Hour).Result()
			require.NoError(t, err)
			return answer.(*messages.Result)
		}
		require.ErrorIs(t, ask(&messages.Task{RunTimeout: time.Second}).Err, pool.ErrTimeout)
		require.ErrorIs(t, ask(&messages.Task{RunTimeout: -time.Second}).Err, pool.ErrInvalid)
		require.ErrorIs(t, ask(&messages.Task{Priority: 101}).Err, pool.ErrInvalid)
	})
}
