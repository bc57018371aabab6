package actors

import (
	"context"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// routerActor is the router as other actors see it: the address at which tasks
// arrive as messages. Its state is the Router's, so it may be restarted freely.
type routerActor struct{ router *Router }

// Receive takes tasks, and answers what is none.
func (a routerActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *messages.Task:
		a.task(ctx, m)
	case *messages.Drain:
		a.router.Close()
	case *messages.Pause:
		a.router.Pause()
	case *messages.Resume:
		a.router.Resume()
	case *messages.Resize:
		a.resize(ctx, m)
	case actor.AutoReceiveMessage, actor.SystemMessage, actor.AutoRespond:
	default:
		answerForeign(ctx)
	}
}

func (a routerActor) resize(ctx actor.Context, m *messages.Resize) {
	var workers int // of a typed nil: too few
	if m != nil {
		workers = m.Workers
	}
	err := a.router.Resize(workers)
	if ctx.Sender() != nil {
		ctx.Respond(&messages.Resized{Workers: a.router.Workers(), Err: err})
	}
}

func (a routerActor) task(ctx actor.Context, m *messages.Task) {
	body := &messageTask{system: ctx.ActorSystem(), self: ctx.Self(), sender: ctx.Sender(), replyTo: ctx.Sender()}
	if h := ctx.MessageHeader(); len(a.router.config.Middleware) > 0 && h != nil {
		body.header = h.ToMap()
	}
	if m != nil {
		body.message = *m
	}
	if body.message.ReplyTo != nil {
		body.replyTo = body.message.ReplyTo
	}
	parent, release, err := body.parent()
	body.Init(a.router, body, parent, TaskOptions{
		Name: body.message.Name, Key: body.message.Key, Priority: body.message.Priority,
		Limit: max(0, body.message.RunTimeout), Release: release,
	})
	if err == nil {
		err = body.submit()
	}
	if err != nil && !body.Decided() {
		body.Refuse(err)
		body.Ready()
	}
}

// messageTask is a task that came as a message and whose outcome leaves as one.
type messageTask struct {
	Task
	message messages.Task
	system  *actor.ActorSystem
	self    *actor.PID // the router
	sender  *actor.PID // of the message
	replyTo *actor.PID // nil: nobody
	header  map[string]string
	value   any
}

// parent is the context of the message, with the timeout.
func (b *messageTask) parent() (ctx context.Context, release context.CancelFunc, err error) {
	defer func() {
		if r := recover(); r != nil {
			ctx, err = context.Background(), brokenContext(r)
		}
	}()
	ctx = b.message.Context
	if ctx == nil {
		ctx = context.Background()
	}
	if b.message.Timeout > 0 {
		ctx, release = context.WithTimeoutCause(ctx, b.message.Timeout, messages.ErrTimeout)
	}
	return ctx, release, nil
}

// brokenContext is what is wrong with a context that panicked. It is foreign: a typed
// nil, say.
func brokenContext(recovered any) error {
	return fmt.Errorf("%w: Context of a task: %w", messages.ErrInvalid, NewPanicError(recovered))
}

func (b *messageTask) submit() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = brokenContext(r)
			b.Settle(messages.Failed, err) // if it has been accepted
		}
	}()
	if b.message.Func == nil {
		return messages.ErrNoFunction
	}
	if b.message.Timeout < 0 || b.message.RunTimeout < 0 {
		return fmt.Errorf("%w: Timeout %v, RunTimeout %v of a task: they must not be negative",
			messages.ErrInvalid, b.message.Timeout, b.message.RunTimeout)
	}
	if p := b.message.Priority; p < -MaxPriority || p > MaxPriority {
		return fmt.Errorf("%w: Priority %d of a task; it must be from -%d to %d", messages.ErrInvalid, p, MaxPriority, MaxPriority)
	}
	return b.router.SubmitMessage(&b.Task)
}

// Run calls the function.
func (b *messageTask) Run(ctx context.Context) {
	b.Inject()
	var value any
	var err error
	if m := b.router.config.Middleware; len(m) > 0 {
		value, err = b.through(ctx, m)
	} else {
		value, err = b.message.Func(ctx)
	}
	b.VacateForDecision()
	outcome, err := b.Finished(err)
	if b.DecideReturned() {
		if err == nil || outcome == messages.Failed {
			b.value = value
		}
		b.Conclude(outcome, err)
	}
}

// Abandon has nothing to give back.
func (b *messageTask) Abandon(_ messages.Outcome, err error, _ bool) error { return err }

// Ready sends the outcome to whoever waits for it.
func (b *messageTask) Ready() {
	result := &messages.Result{
		Value: b.value, Err: b.Err(), Outcome: b.Outcome(),
		Name: b.message.Name, Correlation: b.message.Correlation,
	}
	switch {
	case b.replyTo != nil:
		send(b.system, b.replyTo, result)
	case result.Err != nil:
		send(b.system, nil, result)
	}
}

// send delivers a result. Without somebody to receive it, it is a dead letter.
func send(system *actor.ActorSystem, target *actor.PID, result *messages.Result) {
	if target == nil {
		deadLetter(system, nil, result)
		return
	}
	if _, found := system.ProcessRegistry.Get(target); !found {
		deadLetter(system, target, result)
		return
	}
	system.Root.Send(target, result)
}
