package embedding_test

import (
	"context"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestPoolThatRejectsTellsTheSender(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props(
			pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.Reject)))
		client := k.Probe("client")
		for page := 1; page <= 3; page++ { // one runs, one waits, and the third is one too many
			client.Request(workers, rendering(page))
		}
		expectError(k, client, 3, pool.ErrFull)
		require.Zero(k, k.Elapsed())
		client.Expect(rendered(1))
		client.Expect(rendered(2))
	})
}

func TestPoolThatDropsTheOldestTellsItsSender(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props(
			pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.DropOldest)))
		first, second := k.Probe("first"), k.Probe("second")
		first.Request(workers, rendering(1))
		k.Idle() // it runs
		first.Request(workers, rendering(2))
		second.Request(workers, rendering(3))
		expectError(k, first, 2, pool.ErrDropped)
		require.Zero(k, k.Elapsed())
		first.Expect(rendered(1))
		second.Expect(rendered(3))
	})
}

func TestPoolThatHoldsTasksTellsNobody(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithQueueLimit(1))
		client := k.Probe("client")
		for page := range 10 {
			client.Request(p.PID(), rendering(page))
		}
		client.ExpectNothing(time.Second - 1)
		s := p.Stats()
		require.EqualValues(k, 10, s.Accepted)
		require.Equal(k, 1, s.Waiting, "those that are held in front of the queue are not in it")
		for page := range 10 {
			client.Expect(rendered(page))
		}
		require.Equal(k, 10*time.Second, k.Elapsed())
	})
}

// As many as the pool has workers and places in its queue: it refuses one more. The place
// of a task is free when its result comes.
func TestSenderThatCountsNeverFindsThePoolFull(t *testing.T) {
	underWay := func(most int) func(*pooltest.Kit) {
		return func(k *pooltest.Kit) {
			workers := k.Pool(pool.WithWorkers(2), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.Reject)).PID()
			client := k.Probe("client")
			underWay, waiting := 0, []order{}
			printer := k.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case order:
					waiting = append(waiting, m)
				case *messages.Result:
					underWay--
					ctx.Send(client.PID(), m)
				}
				for underWay < most && len(waiting) > 0 {
					underWay++
					ctx.Request(workers, &messages.Task{Func: constant("done"), Correlation: waiting[0].page})
					waiting = waiting[1:]
				}
			}), "printer")
			var done []any
			for page := range 10 {
				k.Send(printer, order{page})
				done = append(done, &messages.Result{Value: "done", Correlation: page})
			}
			client.ExpectInAnyOrder(done...)
		}
	}
	pooltest.Explore(t, pooltest.Options{Seeds: 100}, underWay(2+1))
	f := pooltest.Search(t, pooltest.Options{Seeds: 100}, underWay(2+1+1))
	require.NotNil(t, f)
	require.Contains(t, f.String(), "queue full")
}

func TestTimeoutOfATaskIsAResult(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props(pool.WithWorkers(1)))
		client := k.Probe("client")
		client.Request(workers, &messages.Task{
			Func: func(context.Context) (any, error) {
				time.Sleep(time.Second) // whatever its context says
				return nil, nil
			},
			Correlation: 1,
			Timeout:     300 * time.Millisecond,
		})
		client.Request(workers, &messages.Task{Func: constant("next"), Correlation: 2})
		expectError(k, client, 1, pool.ErrTimeout)
		require.Equal(k, 300*time.Millisecond, k.Elapsed())
		client.Expect(&messages.Result{Value: "next", Correlation: 2})
		require.Equal(k, time.Second, k.Elapsed(), "the function keeps its worker")
		client.ExpectNothing(time.Hour)
	})
}

func TestRunTimeoutOfATaskCountsFromItsBeginning(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		workers := k.Spawn(pool.Props(pool.WithWorkers(1)))
		client := k.Probe("client")
		client.Request(workers, rendering(1))
		task := rendering(2) // waits for the worker, for a second
		task.RunTimeout = 300 * time.Millisecond
		client.Request(workers, task)
		client.Expect(rendered(1))
		expectError(k, client, 2, pool.ErrTimeout)
		require.Equal(k, 1300*time.Millisecond, k.Elapsed())
	})
}

// What a future gives up goes on, and its result is a dead letter.
func TestFutureThatGivesUpLeavesItsTaskAtWork(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1))
		_, err := k.Root().RequestFuture(p.PID(), rendering(1), 300*time.Millisecond).Result()
		require.ErrorIs(k, err, actor.ErrTimeout)
		require.Equal(k, 1, p.Stats().Running)
		k.Advance(time.Second)
		k.DeadLetters().ExpectCount(1, "result that nobody waits for", func(e *actor.DeadLetterEvent) bool {
			_, ok := e.Message.(*messages.Result)
			return ok
		})
	})
}
