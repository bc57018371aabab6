package main

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// authorised lets nobody else's tasks through. Who is refused gets ErrRefused.
func authorised(user string) actor.ReceiverMiddleware {
	return func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
			if e.GetHeader("user") == user {
				next(c, e)
			}
		}
	}
}

// timed says how long a task takes.
func timed(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
		began := time.Now()
		next(c, e)
		fmt.Println("a task of", e.GetHeader("user"), "took", time.Since(began))
	}
}

// signed writes the user into the header of whatever an actor sends.
func signed(user string) actor.PropsOption {
	return actor.WithSenderMiddleware(func(next actor.SenderFunc) actor.SenderFunc {
		return func(c actor.SenderContext, to *actor.PID, e *actor.MessageEnvelope) {
			e.SetHeader("user", user)
			next(c, to, e)
		}
	})
}

// guardedVault is a pool that looks at who asks, before and after a task.
func guardedVault(s *stage) {
	vault := s.root.Spawn(pool.Props(pool.WithReceiverMiddleware(authorised("ann"), timed)))
	visit := func(user string, then func()) {
		s.enter(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				ctx.Request(vault, square(3))
			case *messages.Result:
				fmt.Println(user, "got", m.Value, m.Err)
				ctx.Stop(ctx.Self())
			case *actor.Stopped:
				then()
			}
		}, signed(user))
	}
	visit("bob", func() {
		visit("ann", func() {
			s.root.Stop(vault)
			s.end()
		})
	})
}
