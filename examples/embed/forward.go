package main

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// frontDesk passes tasks on to its pool. The sender stays who it was, so the result goes
// past the desk.
func frontDesk(s *stage) {
	var workers *actor.PID
	desk := s.enter(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			workers = ctx.Spawn(pool.Props())
		case *messages.Task:
			fmt.Println("the desk passes a task on")
			ctx.Forward(workers)
		case *messages.Result:
			fmt.Println("the desk should not have got this")
		case *actor.Stopped:
			s.end()
		}
	})
	s.enter(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Request(desk, square(12))
		case *messages.Result:
			fmt.Println("the guest gets the result:", m.Value)
			ctx.Stop(desk)
			ctx.Stop(ctx.Self())
		}
	})
}
