package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// Twice as many tasks come as the pool can do. Without shedding the last would wait for as
// long as all have come.
func TestPoolThatCannotKeepUpShedsWhatWouldOnlyBeLate(t *testing.T) {
	for name, opts := range map[string][]pool.Option{
		"shared queue": nil,
		"round robin":  {pool.WithRouting(pool.RoundRobin)},
		"key ordered":  {pool.WithRouting(pool.KeyOrdered)},
		"priorities":   {pool.WithPriorities(10)},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, append(opts, pool.WithWorkers(1), pool.WithShedding(50*time.Millisecond, 100*time.Millisecond))...)
				events := p.Events(context.Background())
				waited := func(submitted time.Time) func(context.Context) (time.Duration, error) {
					return func(context.Context) (time.Duration, error) {
						defer time.Sleep(10 * time.Millisecond)
						return time.Since(submitted), nil
					}
				}
				var results []*pool.AsyncResult[time.Duration]
				for range 1000 { // five seconds
					results = append(results, pool.ApplyAsync(context.Background(), p, waited(time.Now())))
					time.Sleep(5 * time.Millisecond)
				}
				p.Close()
				require.NoError(t, p.Join(context.Background()))
				var done, shed int
				for _, r := range results[500:] { // when it has found its rate
					wait, err := r.Get(context.Background())
					if err == nil {
						done++
						require.Less(t, wait, time.Second)
						continue
					}
					shed++
					require.ErrorIs(t, err, pool.ErrDropped)
					require.ErrorContains(t, err, "the delay has been above 50ms for 100ms")
				}
				require.InDelta(t, 250, done, 25)
				require.InDelta(t, 250, shed, 25)
				dropped := 0
				for e := range events {
					switch e.Kind {
					case pool.TaskDropped:
						dropped++
					case pool.EventsLost:
						dropped += e.Lost
					}
				}
				require.EqualValues(t, p.Stats().Outcomes[pool.Dropped], p.Stats().Accepted-p.Stats().Outcomes[pool.Succeeded])
				require.GreaterOrEqual(t, int64(dropped), p.Stats().Outcomes[pool.Dropped])
			})
		})
	}
}

func TestBurstsMapsAndStreamsAreNotShed(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithShedding(time.Second, 20*time.Second))
		var c crew
		for range 3 {
			for range 15 { // the last one waits for 14 seconds
				pool.ApplyAsync(context.Background(), p, c.work)
			}
			time.Sleep(time.Minute)
		}
		_, err := pool.Map(context.Background(), p, c.each, make([]int, 60), pool.WithChunkSize(1))
		require.NoError(t, err)
		synctest.Wait()
		require.Zero(t, p.Stats().Outcomes[pool.Dropped])
	})
}

func TestSheddingThatCannotBeIsRefused(t *testing.T) {
	for _, opt := range []pool.Option{
		pool.WithShedding(0, time.Second), pool.WithShedding(-1, time.Second), pool.WithShedding(time.Second, time.Second), pool.WithShedding(time.Second, 0),
	} {
		_, err := pool.New(opt)
		require.ErrorIs(t, err, pool.ErrInvalid)
		require.ErrorContains(t, err, "both must be positive, and the interval longer")
	}
}
