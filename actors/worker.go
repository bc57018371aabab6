package actors

import (
	"context"
	"fmt"
	"strconv"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// worker is the actor that runs tasks, one at a time. A new one is made at each
// restart. Its fields are touched only inside Receive.
type worker struct {
	router *Router
	number int
	box    *mailbox
}

func workerID(number int) string { return "worker-" + strconv.Itoa(number) }

// workerProps describes the worker behind a mailbox, which outlives restarts; a
// worker that was stopped is replaced with a new mailbox.
func workerProps(r *Router, box *mailbox) *actor.Props {
	return actor.PropsFromProducer(
		func() actor.Actor { return &worker{router: r, number: box.number, box: box} },
		actor.WithMailbox(func() actor.Mailbox { return box }),
	)
}

// Receive handles a task, a moment in the worker's life, or a message that
// somebody sent to the worker instead of the pool.
func (w *worker) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *Task:
		w.run(m)
	case *actor.Started:
		w.started()
	case *actor.Stopping:
		w.box.stop()
	case *actor.Stopped, *actor.Restarting:
	case *actor.Touch: // Proto.Actor answers it
	default:
		ctx.Forward(ctx.Parent())
	}
}

// run runs a task. If the function panics or exits, so does run, after the task
// has been given its end: that is how the supervisor learns of it.
func (w *worker) run(t *Task) {
	t.perform(func(failure *Failure, exiting bool) {
		switch {
		case exiting:
			w.box.running.failure = failure
		case failure != nil:
			panic(failure)
		}
	})
}

// started makes the worker ready for its first task.
func (w *worker) started() {
	w.router.installed(w.number, w.box)
	w.initialize()
	w.router.initializedWorker(w.number)
}

// initialize runs the initializer; its failure is the worker's.
func (w *worker) initialize() {
	initializer := w.router.config.Initializer
	if initializer == nil {
		return
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		failure := NewFailure(recover())
		err := fmt.Errorf("initializer of %s: %w", w.router.WorkerName(w.number), failure.Err)
		initFailure := &Failure{Kind: InitializerFailed, Err: err}
		if failure.Kind == TaskExited {
			w.box.running.failure = initFailure
			return
		}
		panic(initFailure)
	}()
	err := initializer(context.WithValue(w.router.life, workerKey{}, w.router.WorkerName(w.number)))
	returned = true
	if err != nil {
		panic(&Failure{Kind: InitializerFailed, Err: fmt.Errorf("initializer of %s: %w", w.router.WorkerName(w.number), err)})
	}
}

type workerKey struct{}

// WorkerName is the name of the worker that runs the task or the initializer
// to which ctx belongs, or "".
func WorkerName(ctx context.Context) string {
	if f := FrameOf(ctx); f != nil && f.worker > 0 {
		return f.Router().WorkerName(f.worker)
	}
	name, _ := ctx.Value(workerKey{}).(string)
	return name
}

// answerForeign replies to a message that the pool cannot take as a task. Without a
// sender it is a dead letter.
func answerForeign(ctx actor.Context) {
	if ctx.Sender() == nil {
		ctx.ActorSystem().DeadLetter.SendUserMessage(ctx.Self(), ctx.Message())
		return
	}
	ctx.Respond(&messages.Result{
		Outcome: messages.Failed,
		Err:     fmt.Errorf("%w: %T", messages.ErrForeignMessage, ctx.Message()),
	})
}
