package pool_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// This file has what users of other pools complain about, as far as no other test shows
// it; docs/guide/complaints.md has the list.

// gh-126743, gh-79659, gh-78178, gh-73945, gh-96995: whoever waits for a pool waits for
// ever when that is terminated.
func TestEveryKindOfWaitReturnsWhenThePoolIsTerminated(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1))
		g := newGate()
		running := pool.ApplyAsync(t.Context(), p, g.task)
		<-g.started
		queued := pool.ApplyAsync(t.Context(), p, value("queued"))
		stream := pool.IMap(t.Context(), p, double, count(3))
		ended := func(t testing.TB, err error) { require.ErrorIs(t, err, pool.ErrTerminated) }
		waits := map[string]func() error{
			"Get":  func() error { _, err := queued.Get(t.Context()); return err },
			"Done": func() error { <-running.Done(); _, err := running.Get(t.Context()); return err },
			"WaitFor": func() error {
				_, _, err := pool.WaitFor(t.Context(), pool.AllCompleted, running, queued)
				return errors.Join(err, errOf(t, running))
			},
			"AsCompleted": func() (err error) {
				for r, wait := range pool.AsCompleted(t.Context(), running, queued) {
					err = errors.Join(err, wait, errOf(t, r))
				}
				return err
			},
			"Next":         func() error { _, err := stream.Next(t.Context()); return err },
			"a submission": func() error { _, err := pool.Apply(t.Context(), p, value(1)); return err },
			"Map":          func() error { _, err := pool.Map(t.Context(), p, double, []int{1}); return err },
		}
		returned := make(chan string, len(waits))
		errs := map[string]error{}
		var mu sync.Mutex
		for name, wait := range waits {
			go func() {
				err := wait()
				mu.Lock()
				errs[name] = err
				mu.Unlock()
				returned <- name
			}()
		}
		synctest.Wait()
		require.Empty(t, returned, "all of them wait")
		p.Terminate()
		require.NoError(t, p.Join(t.Context()))
		for range waits {
			<-returned
		}
		for name, err := range errs {
			if name == "a submission" || name == "Map" { // they waited for room
				require.ErrorIs(t, err, pool.ErrClosed, name)
				continue
			}
			ended(t, err)
		}
	})
}

// pond#108, pond#61, pond#138, ants#146, ants#239, gh-78178, gh-73945, gh-96995: stopping
// hangs if it comes at an unlucky moment.
func TestPoolEndsAtWhateverMomentItIsStopped(t *testing.T) {
	for name, stop := range map[string]func(*pool.Pool){"Close": (*pool.Pool).Close, "Terminate": (*pool.Pool).Terminate} {
		t.Run(name, func(t *testing.T) {
			for moment := range 30 {
				pooltest.Run(t, func(t *pooltest.Kit) {
					p := newPool(t, pool.WithWorkers(2), pool.WithQueueLimit(2))
					second := func(ctx context.Context, n int) (int, error) { time.Sleep(time.Second); return n, ctx.Err() }
					var users sync.WaitGroup
					for range 2 {
						users.Go(func() { _, _ = pool.Map(t.Context(), p, second, make([]int, 5)) })
						users.Go(func() {
							for range pool.IMap(t.Context(), p, second, count(5)).All() {
							}
						})
						users.Go(func() {
							for range 5 {
								pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) { return second(ctx, 1) })
							}
						})
					}
					if moment > 0 { // 0: before anything has begun
						time.Sleep(time.Duration(moment) * time.Second / 2)
					}
					stop(p)
					require.NoError(t, p.Join(hour(t)))
					users.Wait()
				})
			}
		})
	}
}

// gammazero#76, pond#5, conc#103, tunny#33: a submission that meets the end of the pool
// panics.
func TestSubmissionThatMeetsTheEndOfThePoolHasAResult(t *testing.T) {
	for name, stop := range map[string]func(*pool.Pool){"Close": (*pool.Pool).Close, "Terminate": (*pool.Pool).Terminate} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				for range 30 {
					p := newPool(t, pool.WithWorkers(2), pool.WithQueueLimit(2))
					var called, succeeded atomic.Int64
					var users sync.WaitGroup
					for range 4 {
						users.Go(func() {
							for {
								v, err := pool.ApplyAsync(context.Background(), p, func(context.Context) (int, error) { called.Add(1); return 7, nil }).Get(t.Context())
								if err == nil {
									succeeded.Add(1)
									if v != 7 {
										t.Errorf("%d instead of 7", v)
									}
									continue
								}
								if !errors.Is(err, pool.ErrClosed) && !errors.Is(err, pool.ErrTerminated) {
									t.Error(err)
								}
								return
							}
						})
					}
					for called.Load() < 10 {
						runtime.Gosched()
					}
					stop(p)
					users.Wait()
					require.NoError(t, p.Join(t.Context()))
					require.EqualValues(t, p.Stats().Outcomes[pool.Succeeded], succeeded.Load())
					if name == "Close" {
						require.Equal(t, called.Load(), succeeded.Load(), "what was begun is finished")
					}
				}
			})
		})
	}
}

// ants#73, ants#212, ants#244, ants#263, ants#276, ants#323, pond#68: a pool has
// goroutines of its own, which leak, or look as if they did.
func TestPoolThatHasNothingToDoHasNoGoroutine(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(8), pool.WithInitializer(func(context.Context) error { return nil }))
		require.NoError(t, p.Ready(t.Context()))
		_, err := pool.Map(t.Context(), p, double, make([]int, 100))
		require.NoError(t, err)
		for range pool.IMap(t.Context(), p, double, count(100)).All() {
		}
		synctest.Wait()
		require.NotContains(t, stacks(), "greenroom/actors.", "an open pool")
	})
}

// stacks are those of all goroutines of the bubble but this one. Others may see to the pool
// of an earlier test, which nobody refers to any more.
func stacks() string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var others []string
	for _, stack := range strings.Split(string(all), "\n\n")[1:] {
		if header, _, _ := strings.Cut(stack, "\n"); strings.Contains(header, "synctest bubble") {
			others = append(others, stack)
		}
	}
	return strings.Join(others, "\n\n")
}

// poolboy#70, poolex#210, wpool#37: a worker that is handed to somebody who gives up at
// that moment is lost.
func TestSubmitterThatGivesUpAsItIsLetInTakesNoRoomAway(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2), pool.WithQueueLimit(1))
		second := func(ctx context.Context) (int, error) { time.Sleep(time.Second); return 1, nil }
		var users sync.WaitGroup
		for i := range 8 {
			users.Go(func() {
				for range 50 {
					// Room comes at whole seconds, as the end of most contexts does.
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i%3)*time.Second)
					r := pool.ApplyAsync(ctx, p, second)
					if i%2 == 0 {
						_ = r.Wait(ctx)
					}
					cancel()
				}
			})
		}
		users.Wait()
		time.Sleep(time.Minute)
		s := p.Stats()
		require.Zero(t, s.Running)
		require.Zero(t, s.Waiting)
		g, h := occupy(t, p), occupy(t, p)
		require.NoError(t, func() error { _, err := pool.Apply(ended(t), p, value(1)); return notCancelled(err) }())
		r := pool.ApplyAsync(t.Context(), p, value("queued")) // there is room for one
		close(g.open)
		close(h.open)
		require.NoError(t, errOf(t, r))
	})
}

func notCancelled(err error) error {
	if errors.Is(err, pool.ErrCancelled) {
		return nil
	}
	return err
}

// ants#293, ants#92, asynq#547: the number of workers at work includes idle ones.
func TestStatsTellWorkersAtWorkFromThoseThatAreIdle(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(3))
		_, err := pool.Broadcast(t.Context(), p, value(1)) // all of them have been needed
		require.NoError(t, err)
		synctest.Wait()
		require.Zero(t, p.Stats().Running)
		g, h, i := occupy(t, p), occupy(t, p), occupy(t, p)
		pool.ApplyAsync(t.Context(), p, value(1))
		s := p.Stats()
		require.Equal(t, []int{3, 3, 3, 1}, []int{s.Workers, s.Started, s.Running, s.Waiting})
		for n, gate := range []*gate{g, h, i} {
			close(gate.open)
			synctest.Wait()
			require.Equal(t, 2-n, p.Stats().Running)
		}
		require.Zero(t, p.Stats().Waiting)
	})
}

// gh-83371, gh-87129, ray#24784, ray#65543: a value or an error that the pool cannot
// handle, or a worker that dies with its task, stops it for everybody.
func TestTaskThatEndsBadlyConcernsNobodyElse(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		worker := systemOf(t).NewLocalPID(p.PID().Id + "/worker-1")
		for name, bad := range map[string]func(context.Context) (any, error){
			"panics":                          func(context.Context) (any, error) { panic("boom") },
			"panics with nil":                 func(context.Context) (any, error) { panic(nil) },
			"panics with an error":            func(context.Context) (any, error) { panic(brokenError{}) },
			"exits":                           func(context.Context) (any, error) { runtime.Goexit(); return nil, nil },
			"returns a broken error":          func(context.Context) (any, error) { return nil, brokenError{} },
			"has its worker stopped":          func(context.Context) (any, error) { systemOf(t).Root.Stop(worker); return nil, nil },
			"returns what cannot be compared": func(context.Context) (any, error) { return []any{func() {}}, nil },
		} {
			r := pool.ApplyAsync(t.Context(), p, bad)
			next := pool.ApplyAsync(t.Context(), p, value(1))
			require.NoError(t, r.Wait(hour(t)), name)
			require.NoError(t, errOf(t, next), name)
		}
	})
}

// brokenError panics when somebody asks it.
type brokenError struct{}

func (brokenError) Error() string   { panic("asked") }
func (brokenError) Is(error) bool   { panic("asked") }
func (brokenError) Unwrap() []error { panic("asked") }
