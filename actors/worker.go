package actors

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// worker is the actor that runs tasks, one at a time. A new one is made at each
// restart. Its fields are touched only inside Receive.
type worker struct {
	router      *Router
	number      int // known once it has started, like box
	box         *mailbox
	initialized bool
	born        time.Time // if workers are recycled
	tasks       int       // that it has run
}

const workerPrefix = "worker-"

func workerID(number int) string { return workerPrefix + strconv.Itoa(number) }

// workerNumber is the number of a worker by how its address goes on behind that of
// its pool; 0 if it is none.
func workerNumber(name string) int {
	digits, ok := strings.CutPrefix(name, "/"+workerPrefix)
	number, err := strconv.Atoi(digits)
	if !ok || err != nil || number < 1 {
		return 0
	}
	return number
}

// lentFailure is that of a task that its submitter ran in this worker's place. It has
// a type of its own, so that nobody else can say it.
type lentFailure struct{ *Failure }

// Receive handles a task, a moment in the worker's life, or a message that
// somebody sent to the worker instead of the pool.
func (w *worker) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *batch:
		w.run(m)
	case lentFailure:
		panic(m.Failure)
	case *actor.Started:
		w.started(ctx)
	case *actor.Stopping:
		w.box.stop()
		w.cleanUp()
	case *actor.Restarting:
		w.box.running.had = true
		w.cleanUp()
	case *actor.Stopped:
	case *actor.Touch: // Proto.Actor answers it
	default:
		ctx.Forward(ctx.Parent())
	}
}

// run runs the tasks of a batch. If the function of one panics or exits, so does
// run, after the task has been given its end: that is how the supervisor learns
// of it. What the batch has left then waits for another worker.
//
// Model: perform.
func (w *worker) run(b *batch) {
	r := w.router
	s := r.slot(int32(w.number))
	var begun time.Duration
	if b.timed {
		begun = sinceStart()
	}
	at, ok := b.first, true
	b.first = queued{}
	var below *Failure // of what ran in the place of the task that has just ended
	returned := false
	defer func() {
		if !returned {
			w.failed(s, at, below, recover())
		}
	}()
	ran := 0
	for ; ok; ran++ {
		if at.task == nil {
			w.runFunction(s, at)
		} else if below = w.runTask(at); below != nil {
			panic(below) // it did not fail itself
		}
		if r.recycles && w.isDue() && !s.closed.Load() { // else it leaves
			w.recycle()
		}
		interrupted := w.box.status.Load() == notified // by a message
		if !interrupted {
			at, ok = b.begin()
		}
		if ok && r.held.Load() { // after begin, which makes room; at the end next does it
			r.letIn()
		}
		if interrupted {
			break
		}
		if ok {
			w.box.yield("next task")
		}
	}
	if b.timed {
		b.ran, b.ended = int32(ran), sinceStart()
		b.took = b.ended - begun
	}
	returned = true
}

// runTask runs a task, unless somebody else has or it has been given its end. It
// returns the failure of what ran in its place, if any.
func (w *worker) runTask(at queued) (below *Failure) {
	t := at.task
	if !t.claim() {
		w.router.pass(at)
		return nil
	}
	if t.exempt {
		w.router.passExempt(t)
	}
	t.place = int32(w.number)
	w.tasks++
	t.run()
	return t.leavePlace()
}

// runFunction runs a function that nobody waits for.
func (w *worker) runFunction(s *slot, at queued) {
	if at.fn == nil {
		w.router.pass(at)
		return
	}
	w.tasks++
	w.router.injectedFunction(w.number)
	at.fn()
	s.succeeded.Add(1)
	s.ended++
}

// failed is called when a function has not returned, while the panic or Goexit
// is on its way.
func (w *worker) failed(s *slot, at queued, below *Failure, recovered any) {
	failure := NewFailure(recovered)
	switch {
	case below != nil: // the task has been given its end
	case at.task == nil:
		w.router.outcomes[failure.Outcome()].Add(1)
		s.ended++
	default:
		at.task.broke(failure)
		at.task.leavePlace()
	}
	if recovered == nil {
		w.box.running.failure = failure
		return
	}
	panic(failure)
}

// started makes the worker ready for its first task. Its mailbox was put into its
// place before it was spawned.
func (w *worker) started(ctx actor.Context) {
	w.number = workerNumber(ctx.Self().Id[len(ctx.Parent().Id):])
	w.box = w.router.slot(int32(w.number)).box
	if w.router.recycles {
		w.born = time.Now()
	}
	w.initialize()
	if w.initialized {
		w.router.emitOf(w.box.beginning(), w.number)
	}
}

// beginning is how the actor that has just been initialized came to be.
func (m *mailbox) beginning() EventKind {
	recycled := m.running.recycled
	m.running.recycled = false
	switch {
	case recycled:
		return WorkerRecycled
	case m.running.had:
		return WorkerRestarted
	default:
		return WorkerStarted
	}
}

// isDue reports whether the worker has worked enough.
func (w *worker) isDue() bool {
	c := &w.router.config
	return c.MaxTasks > 0 && w.tasks >= c.MaxTasks || c.MaxAge > 0 && time.Since(w.born) >= c.MaxAge
}

// recycle has the worker begin anew when it is through with the present message, which
// this interrupts.
func (w *worker) recycle() {
	w.router.recycled.Add(1)
	w.box.running.recycled = true
	w.box.PostSystemMessage(&actor.Restart{})
}

// sinceStart is the time since the process began, as the clock of batches.
func sinceStart() time.Duration { return time.Since(processStart) }

var processStart = time.Now()

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
