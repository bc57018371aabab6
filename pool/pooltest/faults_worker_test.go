package pooltest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// echo has a pool return n.
func echo(k *pooltest.Kit, p *pool.Pool, n int, opts ...pool.TaskOption) *pool.AsyncResult[int] {
	return pool.ApplyAsync(k.Context(), p, func(context.Context) (int, error) { return n, nil }, opts...)
}

func TestWorkerIsKilledAtItsNthTask(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithName("kitchen"))
		panics := k.Faults().OnWorker("kitchen", 1).InTask().Nth(2).Panic("on fire")
		exits := k.Faults().OnWorkers("kitchen").InTask().Nth(3).Goexit()
		never := k.Faults().OnWorker("kitchen", 2).InTask().Panic("there is no such worker")
		elsewhere := k.Faults().OnWorker("cellar", 1).InTask().Panic("there is no such pool")
		var errs []error
		for i := range 5 {
			v, err := echo(k, p, i).Get(k.Context())
			if err == nil {
				require.Equal(k, i, v)
			}
			errs = append(errs, err)
		}
		var panicked *pool.PanicError
		require.ErrorAs(k, errs[1], &panicked)
		require.Equal(k, "on fire", panicked.Value)
		require.ErrorIs(k, errs[3], pool.ErrGoexit, "what the first fault has struck the second does not see")
		require.Equal(k, []error{nil, nil, nil}, []error{errs[0], errs[2], errs[4]})
		require.EqualValues(k, 2, p.Stats().Restarts)
		require.Equal(k, 1, panics.Struck())
		require.Equal(k, 1, exits.Struck())
		require.Zero(k, never.Struck())
		require.Zero(k, elsewhere.Struck())
	})
}

// A fault ends everything that a worker can be given as a failure of its function would.
func TestWorkerIsKilledInWhateverItDoes(t *testing.T) {
	one := func(context.Context) (int, error) { return 1, nil }
	double := func(_ context.Context, i int) (int, error) { return 2 * i, nil }
	forms := []struct {
		name string
		run  func(k *pooltest.Kit, p *pool.Pool) error
	}{
		{"apply", func(k *pooltest.Kit, p *pool.Pool) error { _, err := pool.Apply(k.Context(), p, one); return err }},
		{"apply each", func(k *pooltest.Kit, p *pool.Pool) error {
			var errs []error
			for _, r := range pool.ApplyEach(k.Context(), p, double, []int{1, 2}) {
				_, err := r.Get(k.Context())
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		}},
		{"map", func(k *pooltest.Kit, p *pool.Pool) error {
			_, err := pool.Map(k.Context(), p, double, []int{1, 2, 3, 4})
			return err
		}},
		{"map, lent", func(_ *pooltest.Kit, p *pool.Pool) error {
			_, err := pool.Map(context.Background(), p, double, []int{1, 2, 3, 4})
			return err
		}},
		{"map of one", func(_ *pooltest.Kit, p *pool.Pool) error {
			_, err := pool.Map(context.Background(), p, double, []int{1}, pool.WithChunkSize(1))
			return err
		}},
		{"stream", func(k *pooltest.Kit, p *pool.Pool) error {
			var errs []error
			for _, err := range pool.IMap(k.Context(), p, double, slices.Values([]int{1, 2, 3})).All() {
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		}},
		{"broadcast", func(k *pooltest.Kit, p *pool.Pool) error {
			_, err := pool.Broadcast(k.Context(), p, one)
			return err
		}},
		{"group", func(k *pooltest.Kit, p *pool.Pool) error {
			g := pool.NewGroup(k.Context(), p)
			r := pool.GroupAsync(k.Context(), g, one)
			_ = g.Wait(k.Context())
			_, err := r.Get(k.Context())
			return err
		}},
		{"message", func(k *pooltest.Kit, p *pool.Pool) error {
			r := pool.ApplyAsync(k.Context(), p, one)
			_ = r.Wait(k.Context())
			future := k.Root().RequestFuture(p.PID(), &messages.Task{Func: func(context.Context) (any, error) { return 1, nil }}, time.Minute)
			answer, err := future.Result()
			require.NoError(k, err)
			_, first := r.Get(k.Context())
			return errors.Join(first, answer.(*messages.Result).Err)
		}},
	}
	effects := []struct {
		name  string
		place func(r *pooltest.WorkerRule) *pooltest.Fault
		check func(k *pooltest.Kit, err error)
	}{
		{"panics", func(r *pooltest.WorkerRule) *pooltest.Fault { return r.Panic("on fire") }, func(k *pooltest.Kit, err error) {
			var panicked *pool.PanicError
			require.ErrorAs(k, err, &panicked)
			require.Equal(k, "on fire", panicked.Value)
		}},
		{"exits", func(r *pooltest.WorkerRule) *pooltest.Fault { return r.Goexit() }, func(k *pooltest.Kit, err error) {
			require.ErrorIs(k, err, pool.ErrGoexit)
		}},
	}
	for _, form := range forms {
		for _, e := range effects {
			lent := form.name == "map, lent" || form.name == "map of one"
			if lent && e.name == "exits" {
				continue // it would end the goroutine of the test
			}
			t.Run(form.name+" "+e.name, func(t *testing.T) {
				both(t, func(k *pooltest.Kit) {
					p := k.Pool(pool.WithWorkers(2), pool.WithName("kitchen"))
					if lent {
						require.NoError(k, p.Ready(k.Context()))
						k.Idle()
					}
					fault := e.place(k.Faults().OnWorkers("kitchen").InTask().Once())
					e.check(k, form.run(k, p))
					require.Equal(k, 1, fault.Struck())
					v, err := echo(k, p, 5).Get(k.Context())
					require.NoError(k, err, "the pool works on")
					require.Equal(k, 5, v)
				})
			})
		}
	}
}

func TestWorkerIsKilledInAFunctionWithoutATask(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithName("kitchen"))
		fault := k.Faults().OnWorker("kitchen", 1).InTask().Once().Panic("on fire")
		ran := 0
		for range 3 {
			require.NoError(k, p.Go(k.Context(), func() { ran++ }))
		}
		p.Close()
		require.NoError(k, p.Join(k.Context()))
		require.Equal(k, 2, ran)
		require.EqualValues(k, 1, p.Stats().Outcomes[messages.Panicked])
		require.Equal(k, 1, fault.Struck())
	})
}

func TestWorkerIsKilledInATaskWithAName(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithName("kitchen"))
		fault := k.Faults().OnWorkers("kitchen").InTaskNamed("soup").Panic("too salty")
		salad, soup := echo(k, p, 1, pool.WithTaskName("salad")), echo(k, p, 2, pool.WithTaskName("soup"))
		_, err := salad.Get(k.Context())
		require.NoError(k, err)
		_, err = soup.Get(k.Context())
		require.ErrorContains(k, err, "too salty")
		require.Equal(k, 1, fault.Seen())
	})
}

func TestWorkerIsSlow(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithName("kitchen"))
		k.Faults().OnWorker("kitchen", 1).InTask().Every(2).Delay(time.Second)
		for i := range 4 {
			v, err := echo(k, p, i).Get(k.Context())
			require.NoError(k, err)
			require.Equal(k, i, v)
		}
		require.Equal(k, 2*time.Second, k.Elapsed())
	})
}

func TestInitializerFails(t *testing.T) {
	failed := errors.New("no gas")
	for _, c := range []struct {
		name  string
		place func(r *pooltest.WorkerRule)
		want  error
	}{
		{"with an error", func(r *pooltest.WorkerRule) { r.Fail(failed) }, failed},
		{"with a panic", func(r *pooltest.WorkerRule) { r.Panic(failed) }, failed},
		{"with Goexit", func(r *pooltest.WorkerRule) { r.Goexit() }, pool.ErrGoexit},
		{"with a delay beyond its limit", func(r *pooltest.WorkerRule) { r.Delay(time.Hour) }, pool.ErrTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(k *pooltest.Kit) {
				c.place(k.Faults().OnWorker("kitchen", 2).InInitializer())
				p := k.Pool(pool.WithWorkers(2), pool.WithName("kitchen"), pool.WithInitializerTimeout(time.Minute),
					pool.WithInitializer(func(context.Context) error { return nil }))
				err := p.Ready(k.Context())
				require.ErrorIs(k, err, pool.ErrBroken)
				require.ErrorIs(k, err, c.want)
			})
		})
	}
}

// A worker whose initializer fails after a restart only.
func TestInitializerFailsAfterARestart(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		inits := 0
		fault := k.Faults().OnWorker("kitchen", 1).InInitializer().Nth(2).Fail(errors.New("no gas"))
		k.Faults().OnWorker("kitchen", 1).InTask().Once().Panic("on fire")
		p := k.Pool(pool.WithWorkers(1), pool.WithName("kitchen"),
			pool.WithInitializer(func(context.Context) error { inits++; return nil }))
		_, err := echo(k, p, 1).Get(k.Context())
		require.ErrorContains(k, err, "on fire")
		_, err = echo(k, p, 2).Get(k.Context())
		require.ErrorIs(k, err, pool.ErrBroken)
		require.Equal(k, 1, inits)
		require.Equal(k, 1, fault.Struck())
	})
}

func TestCleanupFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		place   func(r *pooltest.WorkerRule) *pooltest.Fault
		cleaned int
	}{
		{"with an error", func(r *pooltest.WorkerRule) *pooltest.Fault { return r.Fail(errors.New("no water")) }, 1},
		{"with a panic", func(r *pooltest.WorkerRule) *pooltest.Fault { return r.Panic("no water") }, 1},
		{"with Goexit", func(r *pooltest.WorkerRule) *pooltest.Fault { return r.Goexit() }, 1},
		{"not, and takes its time", func(r *pooltest.WorkerRule) *pooltest.Fault { return r.Delay(time.Minute) }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(k *pooltest.Kit) {
				cleaned := make(chan string, 2)
				fault := c.place(k.Faults().OnWorker("kitchen", 1).InCleanup())
				p := k.Pool(pool.WithWorkers(2), pool.WithName("kitchen"),
					pool.WithInitializer(func(context.Context) error { return nil }),
					pool.WithCleanup(func(ctx context.Context) error { cleaned <- pool.WorkerName(ctx); return nil }))
				require.NoError(k, p.Ready(k.Context()))
				p.Close()
				require.NoError(k, p.Join(k.Context()))
				require.Equal(k, 1, fault.Struck())
				require.Len(k, cleaned, c.cleaned)
				require.Equal(k, "kitchen/worker-2", <-cleaned)
			})
		})
	}
}

// Faults of a pool without hooks have nothing to strike there, and show it.
func TestFaultsInHooksThatAreNotThereNeverStrike(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		begin := k.Faults().OnWorkers("kitchen").InInitializer().Panic("boo")
		end := k.Faults().OnWorkers("kitchen").InCleanup().Panic("boo")
		p := k.Pool(pool.WithWorkers(1), pool.WithName("kitchen"))
		_, err := echo(k, p, 1).Get(k.Context())
		require.NoError(k, err)
		p.Close()
		require.NoError(k, p.Join(k.Context()))
		require.Zero(k, begin.Struck())
		require.Zero(k, end.Struck())
	})
}

// Pools that are children of actors meet the faults, too, and so do messages to them.
func TestFaultsOnAChild(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		killed := k.Faults().OnWorker("kitchen", 1).InTask().Once().Panic("on fire")
		pids := make(chan *actor.PID, 1)
		k.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if _, ok := c.Message().(*actor.Started); ok {
				pid, err := c.SpawnNamed(pool.Props(pool.WithName("kitchen"), pool.WithWorkers(1)), "kitchen")
				require.NoError(k, err)
				pids <- pid
			}
		}))
		pid := <-pids
		lost := k.Faults().On(pid).Nth(2).Drop()
		ask := func() (any, error) {
			task := &messages.Task{Func: func(context.Context) (any, error) { return 1, nil }}
			return k.Root().RequestFuture(pid, task, time.Minute).Result()
		}
		answer, err := ask()
		require.NoError(k, err)
		require.ErrorContains(k, answer.(*messages.Result).Err, "on fire")
		_, err = ask()
		require.ErrorIs(k, err, actor.ErrTimeout)
		answer, err = ask()
		require.NoError(k, err)
		require.Equal(k, 1, answer.(*messages.Result).Value)
		require.Equal(k, []int{1, 1}, []int{killed.Struck(), lost.Struck()})
	})
}

// A task that is tried again meets the fault at each attempt.
func TestWorkerIsKilledAtTwoAttempts(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithName("kitchen"))
		panics := k.Faults().OnWorkers("kitchen").InTask().Nth(1).Panic("on fire")
		exits := k.Faults().OnWorkers("kitchen").InTask().Nth(1).Goexit()
		again := pool.Retry{Attempts: 3, MinBackoff: time.Second, MaxBackoff: time.Second, If: func(error) bool { return true }}
		v, err := echo(k, p, 7, pool.WithRetry(again)).Get(k.Context())
		require.NoError(k, err)
		require.Equal(k, 7, v)
		require.Equal(k, []int{1, 1}, []int{panics.Struck(), exits.Struck()})
		require.Equal(k, 2*time.Second, k.Elapsed())
	})
}
