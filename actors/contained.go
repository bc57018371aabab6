package actors

import (
	"context"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
)

// contained calls foreign code that the pool's own work must survive: a logger,
// a subscriber of the event stream. It runs on a goroutine of its own, which is
// waited for, so that neither a panic nor a Goexit reaches the caller. It
// returns what went wrong, or nil.
func contained(f func()) *Failure {
	return containedOn(func(run func()) { go run() }, f)
}

// contained is for foreign code that may use the pool, or wait.
func (r *Router) contained(what string, f func()) *Failure {
	failure := containedOn(func(run func()) { r.Spawn(what, run) }, f)
	r.woken()
	return failure
}

func containedOn(start func(run func()), f func()) (failure *Failure) {
	over := make(chan struct{})
	start(func() {
		defer close(over)
		returned := false
		defer func() {
			if !returned {
				failure = NewFailure(recover())
			}
		}()
		f()
		returned = true
	})
	<-over
	return failure
}

// Contain calls a function of the user, whatever that does, and logs what goes wrong.
func (r *Router) Contain(what string, f func()) {
	if failure := r.contained(what, f); failure != nil {
		r.log(slog.LevelError, what+" failed", "error", failure.Err)
	}
}

// Log writes to a logger, whatever that does.
func Log(logger *slog.Logger, level slog.Level, msg string, args ...any) {
	if logger.Handler() == slog.DiscardHandler {
		return
	}
	_ = contained(func() { logger.Log(context.Background(), level, msg, args...) })
}

// Logger is the pool's.
func (r *Router) Logger() *slog.Logger { return r.config.Logger }

func (r *Router) log(level slog.Level, msg string, args ...any) {
	Log(r.config.Logger, level, msg, append(args, "pool", r.config.Name)...)
}

// publish tells the subscribers of the event stream.
func publish(system *actor.ActorSystem, event any) {
	reportSubscriber(system, contained(func() { system.EventStream.Publish(event) }))
}

// deadLetter makes a dead letter of a message, of which the subscribers of the
// event stream learn; its sender, if there is one, gets a DeadLetterResponse.
func deadLetter(system *actor.ActorSystem, target *actor.PID, message any) {
	reportSubscriber(system, contained(func() { system.DeadLetter.SendUserMessage(target, message) }))
}

// reportSubscriber writes to the actor system's log: a subscriber is not the
// pool's.
func reportSubscriber(system *actor.ActorSystem, failure *Failure) {
	if failure != nil {
		Log(system.Logger(), slog.LevelError, "subscriber of the event stream failed", "error", failure.Err)
	}
}
