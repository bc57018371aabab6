package main

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// fullShop is a pool with room for two tasks, one that runs and one that waits. The
// sender of a third is told at once, by a message, and the others are none the worse.
func fullShop(s *stage) {
	done, served := make(chan struct{}), 0
	s.enter(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			shop := ctx.Spawn(pool.Props(
				pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.Reject)))
			for customer := range 3 {
				ctx.Request(shop, until(done, customer+1))
			}
		case *messages.Result:
			if errors.Is(m.Err, pool.ErrFull) {
				fmt.Println("customer", m.Correlation, "was told:", m.Err)
				close(done)
				return
			}
			fmt.Println("customer", m.Correlation, "was served")
			if served++; served == 2 {
				ctx.Stop(ctx.Self())
			}
		case *actor.Stopped:
			s.end()
		}
	})
}
