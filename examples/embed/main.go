// Embed shows pools among actors that must not block, one scene in each file: a clerk
// that hands work to its pool and goes on; a pool that is full; one that answers on
// behalf of a front desk; middleware on its workers; and what its end, and a restart of
// its parent, mean. docs/embedding.md explains what there is to see.
package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

func main() {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	defer system.Shutdown()
	for _, scene := range []func(*stage){office, fullShop, frontDesk, guardedVault, lastOrders, paperJam} {
		s := &stage{root: system.Root, over: make(chan struct{})}
		scene(s)
		<-s.over
		fmt.Println()
	}
}

// stage is where a scene plays. Its actors say end when they are done, once.
type stage struct {
	root *actor.RootContext
	over chan struct{}
}

// enter spawns the actor that a scene is about.
func (s *stage) enter(receive actor.ReceiveFunc, opts ...actor.PropsOption) *actor.PID {
	return s.root.Spawn(actor.PropsFromFunc(receive, opts...))
}

func (s *stage) end() { close(s.over) }

// square is a task that squares a number, which it has as its correlation.
func square(number int) *messages.Task {
	return &messages.Task{
		Func:        func(context.Context) (any, error) { return number * number, nil },
		Correlation: number,
	}
}

// until is a task that waits until something happens, or its context ends.
func until(happens <-chan struct{}, correlation any) *messages.Task {
	return &messages.Task{
		Func: func(ctx context.Context) (any, error) {
			select {
			case <-happens:
				return "done", nil
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		},
		Correlation: correlation,
	}
}
