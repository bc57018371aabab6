package main

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// lastOrders has a pool finish what it has, by a poison pill, and somebody who watches it
// learns of its end; what comes later is a dead letter.
func lastOrders(s *stage) {
	bar := s.root.Spawn(pool.Props(pool.WithWorkers(1)))
	s.enter(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(bar)
			ctx.Request(bar, square(7))
		case *messages.Result:
			fmt.Println("the last order:", m.Value)
			ctx.Poison(bar)
		case *actor.Terminated:
			fmt.Println("the bar has closed")
			ctx.Request(bar, square(8))
		case *actor.DeadLetterResponse:
			fmt.Println("nobody is there any more")
			ctx.Stop(ctx.Self())
		case *actor.Stopped:
			s.end()
		}
	})
}
