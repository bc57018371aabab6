package pooltest_test

import (
	"context"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

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
