package pool_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// A further attempt stands in front of what was submitted later.
// inOrder are the ways in which tasks wait that begin in the order of submission.
var inOrder = map[string][]pool.Option{
	"shared queue": nil,
	"round robin":  {pool.WithRouting(pool.RoundRobin)},
	"priorities":   {pool.WithPriorities(10)},
}

func TestAttemptKeepsThePlaceOfItsTaskInTheOrder(t *testing.T) {
	for name, opts := range inOrder {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append(opts, pool.WithWorkers(1))...)
				var sheet callSheet
				first := true
				pool.ApplyAsync(context.Background(), p, func(ctx context.Context) (int, error) {
					_, _ = sheet.task("flaky")(ctx)
					if first {
						first = false
						return 0, errFlaky
					}
					return 0, nil
				}, backingOff(2))
				time.Sleep(time.Millisecond)
				g := occupy(t, p)
				for range 3 {
					pool.ApplyAsync(context.Background(), p, sheet.task("later"))
				}
				time.Sleep(2 * time.Second) // its turn has come
				close(g.open)
				p.Close()
				require.NoError(t, p.Join(context.Background()))
				require.Equal(t, []string{"flaky", "flaky", "later", "later", "later"}, sheet.names)
			})
		})
	}
}

func TestAttemptsBeginInTheOrderOfTheirTasks(t *testing.T) {
	for name, opts := range inOrder {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append(opts, pool.WithWorkers(1))...)
				var sheet callSheet
				for i, seconds := range []int{3, 1, 2} {
					f := flaky{failures: 1}
					wait := time.Duration(seconds) * time.Second
					pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
						_, _ = sheet.task(fmt.Sprint(i))(ctx)
						return f.task(ctx)
					}, pool.WithRetry(pool.Retry{Attempts: 2, MinBackoff: wait, MaxBackoff: wait}))
				}
				t.Idle()
				g := occupy(t, p)
				pool.ApplyAsync(t.Context(), p, sheet.task("later"))
				time.Sleep(time.Minute)
				close(g.open)
				p.Close()
				require.NoError(t, p.Join(t.Context()))
				require.Equal(t, []string{"0", "1", "2", "0", "1", "2", "later"}, sheet.names)
			})
		})
	}
}

// While it was not in the queue, places before its own were taken out there.
func TestAttemptRunInPlaceOfAWaitingTaskKeepsItsPlace(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		var sheet callSheet
		retried := make(chan *pool.AsyncResult[int], 1)
		g := newGate()
		pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (string, error) {
			r := <-retried
			soon, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_ = r.Wait(soon) // runs the first attempt
			return g.task(ctx)
		})
		var early []*pool.AsyncResult[int]
		for range 100 {
			early = append(early, pool.ApplyAsync(t.Context(), p, sheet.task("early")))
		}
		f := flaky{failures: 1}
		retried <- pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			_, _ = sheet.task("attempt")(ctx)
			return f.task(ctx)
		}, pool.WithRetry(pool.Retry{Attempts: 2, MinBackoff: time.Minute, MaxBackoff: time.Minute}))
		pool.BroadcastAsync(t.Context(), p, sheet.task("broadcast"))
		<-g.started
		for _, r := range early {
			require.True(t, r.Cancel())
		}
		for range 100 {
			pool.ApplyAsync(t.Context(), p, sheet.task("later"))
		}
		time.Sleep(time.Hour)
		close(g.open)
		p.Close()
		require.NoError(t, p.Join(t.Context()))
		require.Equal(t, []string{"attempt", "attempt", "broadcast", "later"}, sheet.names[:4])
	})
}

func TestTaskThatItsSubmitterRanKeepsItsPlaceInTheOrder(t *testing.T) {
	for name, routing := range routings {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(2), pool.WithQueuePolicy(pool.CallerRuns), pool.WithRouting(routing))
				g := occupy(t, p)
				var sheet callSheet
				pool.ApplyAsync(t.Context(), p, sheet.task("early"))
				early := pool.ApplyAsync(t.Context(), p, sheet.task("early"))
				f := flaky{failures: 1}
				pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
					_, _ = sheet.task("attempt")(ctx)
					return f.task(ctx)
				}, backingOff(2))
				require.True(t, early.Cancel())
				pool.ApplyAsync(t.Context(), p, sheet.task("later"))
				time.Sleep(time.Minute)
				close(g.open)
				p.Close()
				require.NoError(t, p.Join(t.Context()))
				require.Equal(t, []string{"attempt", "early", "attempt", "later"}, sheet.names)
			})
		})
	}
}

// A further attempt has the place that its task had before: it adds nothing to the order of
// submission, and takes nothing from it if it is cancelled.
func TestAttemptThatIsCancelledInTheQueueLeavesTheOrderAsItWas(t *testing.T) {
	for name, routing := range routings {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(2), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.CallerRuns), pool.WithRouting(routing))
				g := newGate()
				pool.BroadcastAsync(context.Background(), p, g.task)
				<-g.started
				<-g.started
				full := pool.BroadcastAsync(context.Background(), p, value(1))
				require.Equal(t, 1, p.Stats().Waiting)

				f := flaky{failures: 1}
				r := pool.ApplyAsync(context.Background(), p, f.task, twice())
				require.EqualValues(t, 1, f.calls.Load())
				synctest.Wait()
				require.True(t, r.Cancel())
				close(g.open)
				full.Wait(context.Background())
				_, err := pool.Broadcast(context.Background(), p, value(2))
				require.NoError(t, err)
				synctest.Wait()
				require.Zero(t, p.Stats().Waiting)
			})
		})
	}
}
