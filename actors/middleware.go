package actors

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/ctxext"

	"github.com/greenroom-go/greenroom/messages"
)

// receiver is the worker as the middleware around a task sees it. It is not the worker's
// actor.Context: a task may run on another goroutine than the worker's actor, in the
// place of one that waits.
type receiver struct {
	router     *Router
	system     *actor.ActorSystem
	pool       string // its id
	worker     int
	envelope   *actor.MessageEnvelope
	last       actor.ReceiverFunc
	extensions *ctxext.ContextExtensions // nil until Set
}

var _ actor.ReceiverContext = (*receiver)(nil)

func (c *receiver) Parent() *actor.PID { return c.system.NewLocalPID(c.pool) }
func (c *receiver) Self() *actor.PID {
	return c.system.NewLocalPID(c.pool + "/" + workerID(c.worker))
}
func (c *receiver) Actor() actor.Actor              { return nil }
func (c *receiver) ActorSystem() *actor.ActorSystem { return c.system }
func (c *receiver) Logger() *slog.Logger            { return c.router.config.Logger }
func (c *receiver) Message() any                    { return c.envelope.Message }
func (c *receiver) MessageHeader() actor.ReadonlyMessageHeader {
	return c.envelope.Header
}
func (c *receiver) Receive(envelope *actor.MessageEnvelope) { c.last(c, envelope) }

func (c *receiver) Get(id ctxext.ContextExtensionID) ctxext.ContextExtension {
	if c.extensions == nil {
		return nil
	}
	return c.extensions.Get(id)
}

func (c *receiver) Set(e ctxext.ContextExtension) {
	if c.extensions == nil {
		c.extensions = ctxext.NewContextExtensions()
	}
	c.extensions.Set(e)
}

// through calls the function of a task that came as a message, behind the middleware.
func (b *messageTask) through(ctx context.Context, middleware []actor.ReceiverMiddleware) (value any, err error) {
	called := false
	last := func(_ actor.ReceiverContext, envelope *actor.MessageEnvelope) {
		m, ok := envelope.Message.(*messages.Task)
		switch {
		case called:
			err = fmt.Errorf("%w: the middleware has called the next one twice", messages.ErrInvalid)
		case !ok || m == nil || m.Func == nil:
			err = fmt.Errorf("%w: the middleware has made a %T of a task, without a function to call", messages.ErrInvalid, envelope.Message)
		default:
			called = true
			value, err = m.Func(ctx)
			return
		}
		called = true
	}
	next := last
	for i := len(middleware) - 1; i >= 0; i-- {
		next = middleware[i](next)
	}
	message := b.message // which is not theirs to change
	envelope := &actor.MessageEnvelope{Message: &message, Sender: b.sender}
	for key, v := range b.header {
		envelope.SetHeader(key, v)
	}
	pool := strings.TrimSuffix(b.self.Id, "/"+routerName)
	next(&receiver{router: b.router, system: b.system, pool: pool, worker: int(b.place), envelope: envelope, last: last}, envelope)
	if !called {
		return nil, messages.ErrRefused
	}
	return value, err
}
