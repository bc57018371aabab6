package pool_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// exampleSystem is an actor system that writes no log.
func exampleSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
}

// stopActor stops an actor and waits until it and its children have stopped.
func stopActor(system *actor.ActorSystem, pid *actor.PID) {
	if err := system.Root.StopFuture(pid).Wait(); err != nil {
		log.Fatal(err)
	}
}

func ExampleWithActorSystem() {
	ctx := context.Background()
	system := exampleSystem()
	defer system.Shutdown()
	p, err := pool.New(pool.WithActorSystem(system))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	fmt.Println(pool.Apply(ctx, p, func(context.Context) (int, error) { return 42, nil }))
	// Output: 42 <nil>
}

// An actor asks a pool by message and receives the result as a message, so that
// it never blocks.
func ExamplePool_PID() {
	ctx := context.Background()
	system := exampleSystem()
	defer system.Shutdown()
	p, err := pool.New(pool.WithActorSystem(system))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	received := make(chan *messages.Result)
	client := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case *actor.Started:
			c.Request(p.PID(), &messages.Task{
				Func:        func(context.Context) (any, error) { return 42, nil },
				Correlation: "order 7",
			})
		case *messages.Result:
			received <- m
		}
	}))
	r := <-received
	fmt.Println(r.Correlation, r.Outcome, r.Value, r.Err)
	stopActor(system, client)
	// Output: order 7 succeeded 42 <nil>
}

// A result has an address. Whoever sends an outcome there first decides it.
func ExampleAsyncResult_PID() {
	ctx := context.Background()
	system := exampleSystem()
	defer system.Shutdown()
	p, err := pool.New(pool.WithActorSystem(system))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	oracle := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		if question, ok := c.Message().(string); ok {
			c.Respond(&messages.Result{Value: "the answer to " + question})
		}
	}))
	r := pool.ApplyAsync(ctx, p, func(ctx context.Context) (string, error) {
		<-ctx.Done() // cancelled when the message has won
		return "too late", nil
	})
	system.Root.RequestWithCustomSender(oracle, "everything", r.PID())
	fmt.Println(r.Get(ctx))
	stopActor(system, oracle)
	// Output: the answer to everything <nil>
}

// A pool can be the child of an actor, which it serves and stops with.
func ExampleProps() {
	system := exampleSystem()
	defer system.Shutdown()

	received := make(chan *messages.Result)
	director := system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case *actor.Started:
			workers := c.Spawn(pool.Props(pool.WithWorkers(2), pool.WithName("cast")))
			c.Request(workers, &messages.Task{Func: func(ctx context.Context) (any, error) {
				return pool.WorkerName(ctx), nil
			}})
		case *messages.Result:
			received <- m
		}
	}))
	r := <-received
	fmt.Println(r.Value, r.Err)
	stopActor(system, director) // stops the pool first
	// Output: cast/worker-1 <nil>
}
