// Embed shows an actor that must not block: it spawns a pool as its child,
// sends it tasks as messages, and receives the results as messages.
package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// clerk hands work to its pool and goes on. Its fields are touched only inside
// Receive.
type clerk struct {
	pool *actor.PID
	left int // results to come
	done chan struct{}
}

// order asks the clerk to square a number.
type order struct{ number int }

func (c *clerk) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.pool = ctx.Spawn(pool.Props(pool.WithWorkers(2)))
	case order:
		ctx.Request(c.pool, &messages.Task{
			Func:        func(context.Context) (any, error) { return m.number * m.number, nil },
			Correlation: m.number,
		})
		fmt.Println("ordered the square of", m.number, "and went on")
	case *messages.Result:
		fmt.Println("the square of", m.Correlation, "is", m.Value)
		if c.left--; c.left == 0 {
			ctx.Stop(ctx.Self()) // the pool, its child, stops with it
		}
	case *actor.Stopped:
		close(c.done)
	}
}

const orders = 5

func main() {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	done := make(chan struct{})
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &clerk{left: orders, done: done} }))
	for n := 1; n <= orders; n++ {
		system.Root.Send(pid, order{n})
	}
	<-done
	system.Shutdown()
	fmt.Println("the clerk and its pool have stopped")
}
