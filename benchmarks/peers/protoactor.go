package peers

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/router"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

var protoactorSend = Peer{
	Name:     "Proto.Actor Send",
	Kind:     harness.Actor,
	NoResult: "no results",
	Nested:   Hangs,
	Open: func(c Config) (Runner, error) {
		r := &sender{router: SpawnRouter(c.Workers, func(_ actor.Context, message any) {
			if fn, ok := message.(func()); ok {
				fn()
			}
		})}
		r.expect(c.Tasks)
		return r, nil
	},
}

// sender sends functions to a round-robin router; nothing comes back.
type sender struct {
	counted
	router *actor.PID
}

func (r *sender) Submit(fn func()) error {
	System().Root.Send(r.router, fn)
	return nil
}

func (r *sender) Wait() error {
	r.wg.Wait()
	return StopRouter(r.router)
}

// System is the actor system that all of Proto.Actor's contenders share: there
// is no way to give one back.
var System = sync.OnceValue(func() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
})

// SpawnRouter spawns a round-robin pool of actors that hand every message to
// receive.
func SpawnRouter(workers int, receive func(actor.Context, any)) *actor.PID {
	props := router.NewRoundRobinPool(workers, actor.WithFunc(func(c actor.Context) {
		receive(c, c.Message())
	}))
	return System().Root.Spawn(props)
}

// StopRouter stops a router with its actors.
func StopRouter(pid *actor.PID) error {
	if err := System().Root.StopFuture(pid).Wait(); err != nil {
		return fmt.Errorf("stop Proto.Actor's router: %w", err)
	}
	return nil
}
