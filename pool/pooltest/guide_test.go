package pooltest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// The tests in this file are what docs/testing.md shows.

func TestGuideRun(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(4))
		for range 40 {
			pool.ApplyAsync(k.Context(), p, func(context.Context) (int, error) {
				time.Sleep(time.Second)
				return 1, nil
			})
		}
		p.Close()
		require.NoError(k, p.Join(k.Context()))
		require.Equal(k, 10*time.Second, k.Elapsed())
	})
}

// account is an actor that keeps a balance.
type account struct{ balance int }

type (
	balance struct{}
	deposit struct{ amount int }
)

func (a *account) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case balance:
		c.Respond(a.balance)
	case deposit:
		a.balance += m.amount
	}
}

// teller is an actor that takes money out of an account, if it is there.
type teller struct {
	account *actor.PID
	paid    *int
}

type withdraw struct{ amount int }

func (t *teller) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case withdraw:
		c.Request(t.account, balance{})
	case int:
		if m >= 100 { // another teller may be asking, too
			c.Send(t.account, deposit{-100})
			*t.paid += 100
		}
	}
}

// twoWithdrawals fails if both tellers pay out the same 100.
func twoWithdrawals(k *pooltest.Kit) {
	paid := 0
	account := k.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return &account{balance: 100} }), "account")
	for _, name := range []string{"ann", "bob"} {
		teller := k.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return &teller{account, &paid} }), name)
		k.Send(teller, withdraw{100})
	}
	k.Idle()
	require.LessOrEqual(k, paid, 100)
}

func TestGuideExplore(t *testing.T) {
	found := pooltest.Search(t, pooltest.Options{}, twoWithdrawals)
	require.NotNil(t, found)
	require.Contains(t, found.Failures[0], "is not less than or equal to")
}

// cook is an actor that has dishes cooked by its pool.
type cook struct{ pool *actor.PID }

type (
	order struct{ dish string }
	dish  struct{ name string }
)

func (c *cook) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case order:
		ctx.RequestWithCustomSender(c.pool, &messages.Task{
			Func: func(context.Context) (any, error) { return dish{m.dish}, nil },
		}, ctx.Sender())
	}
}

func spawnCook(k *pooltest.Kit, p *pool.Pool) *actor.PID {
	return k.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return &cook{p.PID()} }), "cook")
}

func TestGuideProbe(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		cook := spawnCook(k, k.Pool())
		guest := k.Probe("guest")
		guest.Request(cook, order{"soup"})
		require.Equal(k, dish{"soup"}, pooltest.ExpectType[*messages.Result](guest).Value)
		guest.ExpectNothing(time.Minute)
		guest.Watch(cook)
		k.Root().Stop(cook)
		guest.ExpectTerminated(cook)
		k.DeadLetters().ExpectNone()
	})
}

func TestGuideControl(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1))
		slow := pooltest.NewControlled[int](k, "slow")
		first := pool.ApplyAsync(k.Context(), p, slow.Func)
		second := pool.ApplyAsync(k.Context(), p, value(2), pool.WithTimeout(time.Minute))
		slow.AwaitHolding()
		k.Advance(time.Minute)
		_, err := second.Get(k.Context())
		require.ErrorIs(k, err, pool.ErrTimeout)
		slow.Release(1)
		v, err := first.Get(k.Context())
		require.NoError(k, err)
		require.Equal(k, 1, v)
	})
}

func TestGuideFaults(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithName("kitchen"), pool.WithWorkers(1))
		lost := k.Faults().On(p.PID()).Nth(2).Drop()
		burnt := k.Faults().OnWorker("kitchen", 1).InTask().Nth(2).Panic("on fire")
		events := k.PoolEvents(p)
		cook, guest := spawnCook(k, p), k.Probe("guest")
		for range 3 {
			guest.Request(cook, order{"soup"})
		}
		require.NoError(k, pooltest.ExpectType[*messages.Result](guest).Err)
		require.Equal(k, pool.Panicked, pooltest.ExpectType[*messages.Result](guest).Outcome)
		guest.ExpectNothing(time.Minute)
		require.Equal(k, []int{1, 1}, []int{lost.Struck(), burnt.Struck()})
		events.ExpectCount(1, "restarts of worker 1", func(e pool.Event) bool {
			return e.Kind == pool.WorkerRestarted && strings.HasSuffix(e.Worker, "worker-1")
		})
	})
}
