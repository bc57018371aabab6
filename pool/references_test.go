package pool_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// argument is something big that a task refers to.
type argument struct{ content [1 << 10]byte }

// collected reports whether the garbage collector can take what is referred to.
func collected(w weak.Pointer[argument]) bool {
	for range 3 {
		runtime.GC()
		if w.Value() == nil {
			return true
		}
	}
	return false
}

// allCollected reports whether the garbage collector can take all that is referred to.
func allCollected(all []weak.Pointer[argument]) bool {
	return !slices.ContainsFunc(all, func(w weak.Pointer[argument]) bool { return w.Value() != nil && !collected(w) })
}

// What a task was given can be collected once it has ended, whichever way,
// though the pool goes on and somebody still holds the result.
func TestNoArgumentIsKeptAfterTheEnd(t *testing.T) {
	uses := func(a *argument) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return int(a.content[0]), nil }
	}
	each := func(a *argument) func(context.Context, int) (int, error) {
		return func(_ context.Context, n int) (int, error) { return n + int(a.content[0]), nil }
	}
	get := func(r pool.Awaitable) any { _ = r.Wait(context.Background()); return r }
	drain := func(s *pool.Stream[int]) any {
		for range s.All() {
		}
		return s
	}
	busy := func(t testing.TB, p *pool.Pool) { t.Cleanup(func() { p.Terminate() }); occupy(t, p); occupy(t, p) }
	for name, run := range map[string]func(testing.TB, *pool.Pool, *argument) any{
		"a task that returned": func(t testing.TB, p *pool.Pool, a *argument) any {
			return get(pool.ApplyAsync(t.Context(), p, uses(a)))
		},
		"a task with callbacks": func(t testing.TB, p *pool.Pool, a *argument) any {
			r := pool.ApplyAsync(t.Context(), p, uses(a), pool.WithCallback(func(int) { _ = a.content }), pool.WithTimeout(time.Hour))
			r.OnDone(func(*pool.AsyncResult[int]) { _ = a.content })
			return get(r)
		},
		"a task that panicked": func(t testing.TB, p *pool.Pool, a *argument) any {
			return get(pool.ApplyAsync(t.Context(), p, func(context.Context) (int, error) { panic(int(a.content[0])) }))
		},
		"a call": func(t testing.TB, p *pool.Pool, a *argument) any {
			return get(pool.CallAsync(t.Context(), p, func(a *argument) int { return int(a.content[0]) }, a))
		},
		"a task cancelled in the queue": func(t testing.TB, p *pool.Pool, a *argument) any {
			busy(t, p)
			r := pool.ApplyAsync(t.Context(), p, uses(a))
			r.Cancel()
			return get(r)
		},
		"a task refused": func(t testing.TB, p *pool.Pool, a *argument) any {
			p.Close()
			return get(pool.ApplyAsync(t.Context(), p, uses(a), pool.WithCallback(func(int) { _ = a.content })))
		},
		"a task terminated in the queue": func(t testing.TB, p *pool.Pool, a *argument) any {
			busy(t, p)
			r := pool.ApplyAsync(t.Context(), p, uses(a))
			p.Terminate()
			return get(r)
		},
		"a map": func(t testing.TB, p *pool.Pool, a *argument) any {
			return get(pool.MapAsync(t.Context(), p, each(a), []int{1, 2, 3}))
		},
		"a map's items": func(t testing.TB, p *pool.Pool, a *argument) any {
			return get(pool.MapAsync(t.Context(), p, func(_ context.Context, a *argument) (int, error) { return int(a.content[0]), nil }, []*argument{a}))
		},
		"a map refused": func(t testing.TB, p *pool.Pool, a *argument) any {
			p.Close()
			return get(pool.MapAsync(t.Context(), p, each(a), []int{1, 2, 3}))
		},
		"a map cancelled in the queue": func(t testing.TB, p *pool.Pool, a *argument) any {
			busy(t, p)
			r := pool.MapAsync(t.Context(), p, each(a), []int{1, 2, 3})
			r.Cancel()
			return get(r)
		},
		"a stream": func(t testing.TB, p *pool.Pool, a *argument) any {
			return drain(pool.IMap(t.Context(), p, each(a), count(10)))
		},
		"a stream's items": func(t testing.TB, p *pool.Pool, a *argument) any {
			items := func(yield func(*argument) bool) { yield(a) }
			return drain(pool.IMapUnordered(t.Context(), p, func(_ context.Context, a *argument) (int, error) { return int(a.content[0]), nil }, items))
		},
		"a stream cancelled": func(t testing.TB, p *pool.Pool, a *argument) any {
			busy(t, p)
			s := pool.IMap(t.Context(), p, each(a), count(10))
			s.Cancel()
			return drain(s)
		},
		"a stream refused": func(t testing.TB, p *pool.Pool, a *argument) any {
			p.Close()
			return drain(pool.IMap(t.Context(), p, each(a), count(10)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(2))
				a := new(argument)
				w := weak.Make(a)
				result := run(t, p, a)
				a = nil
				synctest.Wait()
				require.True(t, collected(w))
				runtime.KeepAlive(result)
				runtime.KeepAlive(p)
			})
		})
	}
}

// A value can be collected with the last reference to its result.
func TestNoResultIsKeptByThePool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		var made []weak.Pointer[argument]
		func() {
			fn := func(context.Context) (*argument, error) {
				a := new(argument)
				made = append(made, weak.Make(a))
				return a, nil
			}
			one := func(ctx context.Context, _ int) (*argument, error) { return fn(ctx) }
			r := pool.ApplyAsync(t.Context(), p, fn, pool.WithCallback(func(*argument) {}))
			require.NotNil(t, r.PID())
			require.NoError(t, r.Wait(t.Context()))
			_, err := pool.Map(t.Context(), p, one, []int{1})
			require.NoError(t, err)
			for _, err := range pool.IMap(t.Context(), p, one, count(1)).All() {
				require.NoError(t, err)
			}
		}()
		synctest.Wait()
		for i, w := range made {
			require.True(t, collected(w), "result %d", i)
		}
		runtime.KeepAlive(p)
	})
}

// A stream keeps nothing of an item whose result was read, though an item runs on
// that a worker took together with it.
func TestStreamKeepsNothingThatWasRead(t *testing.T) {
	for _, blocked := range []int{190, 191, 192, 193} { // it may be the first that the worker took
		pooltest.Run(t, func(t *pooltest.Kit) {
			p := newPool(t, pool.WithWorkers(2))
			g := newGate()
			var read []weak.Pointer[argument]
			s := pool.IMapUnordered(t.Context(), p, func(ctx context.Context, a *argument) (*argument, error) {
				switch a.content[0] {
				case 0:
					return nil, argumentError{a}
				case 2:
					_, _ = g.deaf(ctx)
				}
				return a, nil
			}, func(yield func(*argument) bool) {
				for i := range 250 {
					a := &argument{}
					a.content[0] = byte(i % 2)
					if i == blocked {
						a.content[0] = 2
					} else {
						read = append(read, weak.Make(a))
					}
					if !yield(a) {
						return
					}
				}
			})
			for range 249 {
				_, _ = s.Next(t.Context())
			}
			synctest.Wait()
			require.True(t, allCollected(read))
			close(g.open)
			_, err := s.Next(t.Context())
			require.NoError(t, err)
			_, err = s.Next(t.Context())
			require.ErrorIs(t, err, pool.ErrStreamEnd)
		})
	}
}

// argumentError refers to the argument of the task that failed.
type argumentError struct{ of *argument }

func (argumentError) Error() string { return "of an argument" }

// What stands behind the item that a runner is at, in the same range, is let go of
// when the stream ends, though the function goes on.
func TestCancelledStreamKeepsNothingBehindTheItemThatRuns(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		const short = 200 // so many that the runner takes several items at once
		p := newPool(t, pool.WithWorkers(1))
		g := newGate()
		var behind []weak.Pointer[argument]
		s := pool.IMap(t.Context(), p, func(ctx context.Context, a *argument) (int, error) {
			if a.content[0] == 1 {
				_, _ = g.deaf(ctx)
			}
			return 0, nil
		}, func(yield func(*argument) bool) {
			for i := 0; ; i++ {
				a := &argument{}
				if i == short {
					a.content[0] = 1
				} else if i > short {
					behind = append(behind, weak.Make(a))
				}
				if !yield(a) {
					return
				}
			}
		})
		for range short {
			_, err := s.Next(t.Context())
			require.NoError(t, err)
		}
		synctest.Wait()
		require.True(t, s.Cancel())
		synctest.Wait()
		require.NotEmpty(t, behind)
		require.True(t, allCollected(behind))
		close(g.open)
		runtime.KeepAlive(s)
	})
}
