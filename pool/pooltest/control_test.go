package pooltest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// failsWith runs a body that fails, and wants what is reported to have some text.
func failsWith(t *testing.T, body func(k *pooltest.Kit), texts ...string) {
	t.Helper()
	f := pooltest.Search(t, pooltest.Options{Seeds: 10}, body)
	require.NotNil(t, f, "the body does not fail")
	for _, text := range texts {
		require.Contains(t, f.String(), text)
	}
}

func TestControlledTaskEndsAsItIsTold(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name  string
		order func(task *pooltest.Controlled[int])
		check func(k *pooltest.Kit, v int, err error)
	}{
		{"Release is the value", func(task *pooltest.Controlled[int]) { task.Release(7) }, func(k *pooltest.Kit, v int, err error) {
			require.NoError(k, err)
			require.Equal(k, 7, v)
		}},
		{"Fail is the error", func(task *pooltest.Controlled[int]) { task.Fail(boom) }, func(k *pooltest.Kit, _ int, err error) {
			require.ErrorIs(k, err, boom)
		}},
		{"Panic is a panic of the task", func(task *pooltest.Controlled[int]) { task.Panic(boom) }, func(k *pooltest.Kit, _ int, err error) {
			var panicked *pool.PanicError
			require.ErrorAs(k, err, &panicked)
			require.Equal(k, boom, panicked.Value)
		}},
		{"Goexit is one of the task", func(task *pooltest.Controlled[int]) { task.Goexit() }, func(k *pooltest.Kit, _ int, err error) {
			require.ErrorIs(k, err, pool.ErrGoexit)
		}},
		{"Do is done by the worker", func(task *pooltest.Controlled[int]) {
			task.Do(func(ctx context.Context) (int, error) { return len(pool.WorkerName(ctx)), nil })
		}, func(k *pooltest.Kit, v int, err error) {
			require.NoError(k, err)
			require.Equal(k, len("band/worker-1"), v)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(k *pooltest.Kit) {
				p := k.Pool(pool.WithWorkers(1), pool.WithName("band"))
				task := pooltest.NewControlled[int](k, "solo")
				require.False(k, task.Running())
				r := pool.ApplyAsync(k.Context(), p, task.Func)
				task.AwaitHolding()
				require.True(k, task.Running())
				k.Advance(time.Hour)
				require.False(k, r.Ready(), "it holds until it is told")
				c.order(task)
				v, err := r.Get(k.Context())
				c.check(k, v, err)
				task.AwaitOver()
				require.False(k, task.Running())
				require.Equal(k, 1, task.Begun())
				require.Zero(k, task.Holding())
			})
		})
	}
}

func TestControlledTaskKeepsOrdersForCallsToCome(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1))
		task := pooltest.NewControlled[string](k, "again")
		task.Fail(errors.New("the first"))
		task.Fail(errors.New("the second"))
		r := pool.ApplyAsync(k.Context(), p, task.Func, pool.WithRetry(pool.Retry{Attempts: 3, MinBackoff: time.Minute, MaxBackoff: time.Minute}))
		task.AwaitCalls(3)
		require.Equal(k, 2*time.Minute, k.Elapsed())
		task.AwaitHolding()
		task.Release("the third")
		v, err := r.Get(k.Context())
		require.NoError(k, err)
		require.Equal(k, "the third", v)
	})
}

// Of calls that hold at the same time the one that has held longest is told first.
func TestControlledTaskTellsCallsInTheirOrder(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(2))
		task := k.Task("twice")
		first := pool.ApplyAsync(k.Context(), p, task.Func)
		task.AwaitBegun()
		second := pool.ApplyAsync(k.Context(), p, task.Func)
		task.AwaitCalls(2)
		k.Until("both hold", func() bool { return task.Holding() == 2 })
		task.Release(1)
		task.Release(2)
		for i, r := range []*pool.AsyncResult[any]{first, second} {
			v, err := r.Get(k.Context())
			require.NoError(k, err)
			require.Equal(k, i+1, v)
		}
	})
}

func TestControlledTaskIsSubmittedInAnyForm(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(2))
		for _, form := range []struct {
			name   string
			submit func(task *pooltest.Task)
		}{
			{"apply", func(task *pooltest.Task) { pool.ApplyAsync(k.Context(), p, task.Func) }},
			{"message", func(task *pooltest.Task) { k.Send(p.PID(), &messages.Task{Func: task.Func}) }},
			{"go", func(task *pooltest.Task) { require.NoError(k, p.Go(k.Context(), task.Run)) }},
			{"map", func(task *pooltest.Task) {
				pool.MapAsync(k.Context(), p, func(ctx context.Context, _ int) (any, error) { return task.Func(ctx) }, []int{1})
			}},
		} {
			task := k.Task(form.name)
			form.submit(task)
			task.AwaitHolding()
			task.Release(nil)
			task.AwaitOver()
		}
	})
}

func TestControlledTaskEndsWithItsContext(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1))
		task := k.Task("polite")
		r := pool.ApplyAsync(k.Context(), p, task.Func, pool.WithTimeout(time.Second))
		task.AwaitOver()
		require.Equal(k, time.Second, k.Elapsed())
		_, err := r.Get(k.Context())
		require.ErrorIs(k, err, pool.ErrTimeout)
	})
}

func TestControlledTaskOverruns(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1))
		task := k.Task("stubborn")
		task.Overrun()
		r := pool.ApplyAsync(k.Context(), p, task.Func, pool.WithTimeout(time.Second))
		require.NoError(k, r.Wait(k.Context()))
		require.True(k, task.Running(), "the task has ended, its function has not")
		k.Advance(10 * time.Second)
		require.EqualValues(k, 1, p.Stats().Overrun)
		task.Release(nil)
		task.AwaitOver()
	})
}

// What is never released is let go, and leaves nothing behind.
func TestControlledTaskIsLetGoAtTheEnd(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(2))
		task := k.Task("forgotten")
		task.Overrun()
		for range 3 { // the last one waits for a worker
			pool.ApplyAsync(context.Background(), p, task.Func)
		}
		task.AwaitCalls(2)
	})
}

func TestAwaitSaysWhatIsAtWork(t *testing.T) {
	failsWith(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithName("band"))
		task, second := k.Task("solo"), k.Task("encore")
		pool.ApplyAsync(k.Context(), p, task.Func, pool.WithTaskName("the solo"))
		pool.ApplyAsync(k.Context(), p, second.Func)
		second.AwaitHolding()
	},
		"control_test.go", `waited 1h0m0s for a call to hold of task "encore": has not begun`,
		`task "solo": calls begun 1, holding 1, over 0`,
		"pool band: 1 workers, 1 tasks wait, 1 functions are at work", "band/worker-1 runs the solo")
}

// A body that waits for a task that holds would wait for ever.
func TestTaskThatNobodyTellsIsNamed(t *testing.T) {
	failsWith(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1))
		_, err := pool.Apply(k.Context(), p, k.Task("orphan").Func)
		require.Error(k, err)
	}, `a call of task "orphan" has held for 168h0m0s, and nobody has given it an order`, `task "orphan": calls begun 1`)
}

func TestUntil(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		var n atomic.Int32
		k.Go("counts", func() {
			for range 3 {
				time.Sleep(time.Second)
				n.Add(1)
			}
		})
		k.Until("it has counted to 2", func() bool { return n.Load() == 2 })
		require.InDelta(k, 2*time.Second, k.Elapsed(), float64(20*time.Millisecond))
	})
	failsWith(t, func(k *pooltest.Kit) {
		k.Until("pigs fly", func() bool { return false })
	}, "waited 1h0m0s until pigs fly", "nothing that the kit knows of")
}

func TestControlledTaskRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		body func(k *pooltest.Kit)
		text string
	}{
		"no error":     {func(k *pooltest.Kit) { k.Task("x").Fail(nil) }, `task "x": Fail was given no error`},
		"no function":  {func(k *pooltest.Kit) { k.Task("x").Do(nil) }, `task "x": Do was given no function`},
		"no condition": {func(k *pooltest.Kit) { k.Until("x", nil) }, `Until "x" was given no condition`},
		"no calls":     {func(k *pooltest.Kit) { k.Task("x").AwaitCalls(0) }, `task "x": AwaitCalls(0): there must be 1 at least`},
	} {
		t.Run(name, func(t *testing.T) { failsWith(t, c.body, c.text, "control_test.go") })
	}
}
