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

// What follows is a test as a user would write it, of an actor that asks another one and
// gives up after a while.

// lookup asks for a price; price and unknown answer it.
type (
	lookup  struct{ item string }
	price   struct{ cents int }
	unknown struct{}
	tooLate struct{}
)

// shop answers a lookup by what its supplier says, or by unknown after five seconds.
type shop struct {
	supplier *actor.PID
	customer *actor.PID
	timer    *time.Timer
}

func (s *shop) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case lookup:
		s.customer = c.Sender()
		c.Request(s.supplier, m)
		self, system := c.Self(), c.ActorSystem()
		s.timer = time.AfterFunc(5*time.Second, func() { system.Root.Send(self, tooLate{}) })
	case price:
		s.timer.Stop()
		s.answer(c, m)
	case tooLate:
		s.answer(c, unknown{})
	}
}

func (s *shop) answer(c actor.Context, message any) {
	if s.customer != nil {
		c.Send(s.customer, message)
		s.customer = nil
	}
}

func TestShop(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		customer, supplier := k.Probe("customer"), k.Probe("supplier")
		s := k.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return &shop{supplier: supplier.PID()} }), "shop")

		customer.Request(s, lookup{"tea"})
		supplier.Expect(lookup{"tea"})
		supplier.Reply(price{250})
		customer.Expect(price{250})

		customer.Request(s, lookup{"snow"})
		require.Equal(k, "snow", pooltest.ExpectType[lookup](supplier).item)
		customer.ExpectNothing(5*time.Second - 1)
		customer.Within(1).Expect(unknown{})
		supplier.Reply(price{1}) // too late
		customer.ExpectNothing(time.Hour)
		k.DeadLetters().ExpectNone()
	})
}

func TestAPoolAnswersAProbe(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p, client := k.Pool(pool.WithWorkers(2)), k.Probe("client")
		events := k.PoolEvents(p)
		client.Request(p.PID(), &messages.Task{Func: func(context.Context) (any, error) { return 42, nil }})
		require.Equal(k, 42, pooltest.ExpectType[*messages.Result](client).Value)
		client.Watch(p.PID())
		p.Close()
		client.ExpectTerminated(p.PID())
		events.ExpectCount(0, "failures", func(e pool.Event) bool { return e.Kind == pool.WorkerFailed })
		events.ExpectCount(1, "ends", func(e pool.Event) bool { return strings.HasSuffix(e.String(), "pool closed") })
	})
}
