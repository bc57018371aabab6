package pool

import (
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// sharedSystem is the actor system of all pools that are not given one, made
// when the first is created: a system costs 3 MB and 4 ms, and Proto.Actor has
// no way to give it back. It writes no log.
var sharedSystem = sync.OnceValue(func() *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		// A dead letter starts a goroutine that lives this long. A second, the
		// default, would look like a leak to those who check for leaks.
		actor.WithDeadLetterThrottleInterval(time.Millisecond),
	)
})

var quiet = slog.New(slog.DiscardHandler)
