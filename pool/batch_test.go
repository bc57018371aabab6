package pool_test

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// warm makes the batches of a pool as long as they get.
func warm(t testing.TB, p *pool.Pool) {
	t.Helper()
	var gates []*gate
	for range p.Workers() {
		gates = append(gates, occupy(t, p))
	}
	for range 100 {
		_ = p.Go(context.Background(), func() {})
	}
	for _, g := range gates {
		close(g.open)
	}
	synctest.Wait()
}

func TestRoomBetweenTwoFunctionsOfABatchLetsASubmitterIn(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(200))
		warm(t, p)
		ctx := t.Context()
		first := make(chan struct{})
		second := make(chan struct{})
		t.Cleanup(func() {
			select {
			case <-second:
			default:
				close(second)
			}
		})
		require.NoError(t, p.Go(ctx, func() { <-first })) // alone in its batch
		synctest.Wait()
		block := make(chan struct{})
		require.NoError(t, p.Go(ctx, func() { <-block }))
		require.NoError(t, p.Go(ctx, func() { <-second }))
		for p.Stats().Waiting < 200 {
			require.NoError(t, p.Go(ctx, func() {}))
		}
		let := make(chan int, 5)
		for i := range 3 {
			go func() {
				if p.Go(ctx, func() {}) == nil {
					let <- i
				}
			}()
		}
		synctest.Wait()
		require.Len(t, let, 0)
		close(first) // block begins: one is let in
		synctest.Wait()
		require.Len(t, let, 1)
		close(block) // the second begins: another is let in
		synctest.Wait()
		require.Len(t, let, 2, "there is room for one, and nobody lets it in")
		close(second)
		synctest.Wait()
	})
}

func TestWaitForRoomBehindAFunctionIsNoDeadlock(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p, q := newPool(t, pool.WithWorkers(1)), newPool(t, pool.WithWorkers(2), pool.WithQueueLimit(0))
		open := make(chan struct{})
		require.NoError(t, q.Go(t.Context(), func() { <-open }))
		synctest.Wait()
		inQ := make(chan struct{})
		var inner *pool.AsyncResult[int]
		r := pool.ApplyAsync(t.Context(), p, func(ctx context.Context) (int, error) {
			<-inQ
			time.Sleep(time.Second) // a waits for us
			return pool.Apply(ctx, q, value(7))
		})
		inner = pool.ApplyAsync(t.Context(), q, func(ctx context.Context) (int, error) {
			close(inQ)
			return r.Get(ctx)
		})
		go func() { time.Sleep(time.Minute); close(open) }()
		v, err := inner.Get(hour(t))
		require.NoError(t, err, "the function ends by itself and makes room")
		require.Equal(t, 7, v)
	})
}

func TestTaskBehindALongOneStartsBeforeLaterOnes(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		warm(t, p)
		g1, g2 := occupy(t, p), occupy(t, p)
		two, five := make(chan struct{}), make(chan struct{})
		// In the order of submission, with two workers, all of these end.
		ctx := hour(t)
		var results []*pool.AsyncResult[int]
		sub := func(n int, f func(ctx context.Context)) {
			results = append(results, pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) { f(ctx); return n, ctx.Err() }))
		}
		wait := func(c chan struct{}) func(ctx context.Context) {
			return func(ctx context.Context) {
				select {
				case <-c:
				case <-ctx.Done():
				}
			}
		}
		nothing := func(context.Context) {}
		sub(1, wait(five))
		sub(2, func(context.Context) { close(two) })
		sub(3, nothing)
		sub(4, nothing)
		sub(5, func(ctx context.Context) { wait(two)(ctx); close(five) })
		sub(6, nothing)
		sub(7, nothing)
		sub(8, nothing)
		close(g1.open)
		synctest.Wait()
		close(g2.open)
		for i, r := range results {
			_, err := r.Get(context.Background())
			require.NoError(t, err, "task %d", i+1)
		}
	})
}

func TestSubmitterThatWaitsKeepsItsPool(t *testing.T) {
	ctx := context.Background()
	for name, submit := range map[string]func(*pool.Pool) error{
		"Go": func(p *pool.Pool) error { return p.Go(ctx, func() {}) },
		"ApplyAsync": func(p *pool.Pool) error {
			return pool.ApplyAsync(ctx, p, value(1)).Wait(ctx)
		},
		"with options": func(p *pool.Pool) error {
			_, err := pool.ApplyAsync(ctx, p, value(1), pool.WithTaskName("task")).Get(ctx)
			return err
		},
		"ApplyEach": func(p *pool.Pool) error {
			_, err := pool.ApplyEach(ctx, p, double, []int{1})[0].Get(ctx)
			return err
		},
		"MapAsync": func(p *pool.Pool) error {
			_, err := pool.MapAsync(ctx, p, double, []int{1}).Get(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			open := make(chan struct{})
			let := make(chan error, 1)
			func() {
				p, err := pool.New(pool.WithWorkers(1), pool.WithQueueLimit(0))
				require.NoError(t, err)
				started := make(chan struct{})
				require.NoError(t, p.Go(ctx, func() { close(started); <-open }))
				<-started
				go func() { let <- submit(p) }()
			}()
			collectGarbage()
			close(open)
			require.NoError(t, <-let)
		})
	}
}

// collectGarbage gives those that are called when something was collected the
// time to be.
func collectGarbage() {
	for range 4 {
		runtime.GC()
		runtime.Gosched()
	}
}

func TestFunctionInABorrowedPlaceKeepsItsPool(t *testing.T) {
	logged := make(chan string, 1)
	logger := slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) { logged <- string(b); return len(b), nil }), nil))
	func() {
		p, err := pool.New(pool.WithWorkers(1), pool.WithLogger(logger))
		require.NoError(t, err)
		require.NoError(t, p.Ready(context.Background()))
		_, err = pool.Apply(context.Background(), p, func(context.Context) (int, error) {
			collectGarbage()
			require.Empty(t, logged)
			return 0, nil
		})
		require.NoError(t, err)
	}()
	require.Contains(t, collect(t, logged), "pool was never closed")
}

// goexitErr exits when it is asked what it is.
type goexitErr struct{}

func (goexitErr) Error() string { return "x" }
func (goexitErr) Is(error) bool { runtime.Goexit(); return false }

// weird is a context that has ended, as far as Err knows, but has no Done.
type weird struct{ context.Context }

func (weird) Done() <-chan struct{} { return nil }
func (weird) Err() error            { return context.Canceled }

func TestGoexitInAnErrorsMethodEndsTheTask(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		r := pool.ApplyAsync(weird{t.Context()}, p, func(context.Context) (int, error) { return 0, goexitErr{} }, pool.WithTaskName("x"))
		_, err := r.Get(hour(t))
		require.NotErrorIs(t, err, pool.ErrNotReady)
		require.Error(t, err)
	})
}

func TestContextOfAnItemThatPanickedEnds(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(2))
		g := newGate()
		ended := make(chan struct{})
		r := pool.MapAsync(t.Context(), p, func(ctx context.Context, n int) (int, error) {
			if n == 0 {
				go func() { <-ctx.Done(); close(ended) }()
				panic("boom")
			}
			_, err := g.deaf(ctx)
			return 0, err
		}, []int{0, 1}, pool.WithChunkSize(1))
		<-g.started
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("the context of a runner that panicked has not ended")
		}
		close(g.open)
		_ = r.Wait(t.Context())
	})
}
