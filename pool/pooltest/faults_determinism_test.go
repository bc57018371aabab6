package pooltest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// faulty has most faults strike, and controlled tasks of most kinds.
func faulty(k *pooltest.Kit) {
	f := k.Faults()
	f.OnWorkers("kitchen").InTask().Every(4).Panic("on fire")
	f.OnWorker("kitchen", 2).InTask().Nth(3).Goexit()
	f.OnWorkers("kitchen").InInitializer().Nth(4).Delay(time.Second)
	f.OnWorkers("kitchen").InCleanup().Every(2).Fail(errors.New("no water"))
	p := k.Pool(
		pool.WithName("kitchen"), pool.WithWorkers(2),
		pool.WithInitializer(func(context.Context) error { return nil }),
		pool.WithCleanup(func(context.Context) error { return nil }),
	)
	f.OnType(&messages.Task{}).Nth(2).Duplicate()
	pooltest.OnMessage[*messages.Result](k).Every(3).Reorder()
	r := k.Remote("far:1")
	h := listener(k, "client")
	f.On(h.pid).Nth(3).Delay(time.Second)
	f.On(h.pid).Nth(2).Drop()
	f.On(h.pid).Nth(5).Panic("boo")
	asks := k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case int:
			c.Request(p.PID(), &messages.Task{Func: func(context.Context) (any, error) { return m, nil }})
		case *messages.Result:
			c.Send(r.PID("client"), fmt.Sprint(m.Value))
		case *actor.Started:
			c.Watch(r.PID("client"))
		case *actor.Terminated:
			c.Send(h.pid, "lost")
		}
	}), "asks")
	task := pooltest.NewControlled[int](k, "held")
	k.Go("releases", func() {
		task.AwaitBegun()
		task.Release(1)
		task.Fail(errors.New("burnt"))
	})
	var results []*pool.AsyncResult[int]
	for i := range 3 {
		results = append(results, pool.ApplyAsync(k.Context(), p, task.Func, pool.WithTimeout(time.Minute)))
		k.Send(asks, i)
	}
	r.Lose()
	for _, r := range results {
		_ = r.Wait(k.Context())
	}
	k.Until("a minute is over", func() bool { return k.Elapsed() > time.Minute })
}

// seenFaulty is what the runs of the test before, with other numbers of processors, had.
var seenFaulty sync.Map

func TestSameSeedGivesTheSameTraceWithFaults(t *testing.T) {
	for _, s := range []pooltest.Strategy{pooltest.PCT, pooltest.RandomWalk} {
		different := map[string]bool{}
		for seed := range uint64(10) {
			trace, failed := pooltest.TraceOf(t, s, seed+1, faulty)
			require.False(t, failed)
			name := fmt.Sprint(s, seed)
			before, _ := seenFaulty.LoadOrStore(name, trace.String())
			require.Equal(t, before, trace.String(), name)
			different[trace.String()] = true
		}
		require.Greater(t, len(different), 7, "nearly each seed has an order of its own")
	}
}
