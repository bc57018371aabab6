package main

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// clerk hands work to its pool and goes on. Its fields are touched only inside
// Receive.
type clerk struct {
	stage *stage
	pool  *actor.PID
	left  int // results to come
}

// order asks the clerk to square a number.
type order struct{ number int }

func (c *clerk) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.pool = ctx.Spawn(pool.Props(pool.WithWorkers(2)))
	case order:
		ctx.Request(c.pool, square(m.number))
		fmt.Println("ordered the square of", m.number, "and went on")
	case *messages.Result:
		fmt.Println("the square of", m.Correlation, "is", m.Value)
		if c.left--; c.left == 0 {
			ctx.Stop(ctx.Self()) // the pool, its child, stops with it
		}
	case *actor.Stopped:
		fmt.Println("the clerk and its pool have stopped")
		c.stage.end()
	}
}

// office gives a clerk five orders.
func office(s *stage) {
	c := &clerk{stage: s, left: 5}
	pid := s.enter(c.Receive)
	for n := range c.left {
		s.root.Send(pid, order{n + 1})
	}
}
