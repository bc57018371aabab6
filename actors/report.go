package actors

import (
	"fmt"
	"strings"
	"time"

	"github.com/greenroom-go/greenroom/messages"
)

// Report says how a pool has ended, or how far it has come.
type Report struct {
	// Pool is its name.
	Pool string
	Stats
	// Ended says that nothing of the pool is left.
	Ended bool
	// Took is how long the end took, or has taken so far, from the first Close or
	// Terminate; 0 before.
	Took time.Duration
	// Unfetched is how many tasks have failed, panicked or exited of which nobody has
	// asked for the error, or was told it by a callback or a message.
	Unfetched int64
	// Running are the functions at work: first those of the workers, by number, then
	// those that run in the place of a task that waits, or of their submitter.
	Running []RunningTask
	// WaitsFor says, of a pool that was closed, what its end waits for if it is no
	// function at work: "" if there is one, or before, or after the end.
	WaitsFor string
}

// RunningTask is a function at work.
type RunningTask struct {
	// Name is that of the task, or of the map or stream of which it is a part; "" for a
	// function given to Go.
	Name string
	// Worker is the name of the worker that runs it; "" for one that its submitter runs.
	Worker string
	// Abandoned says that the result of the task has ended without it: it was
	// cancelled, has timed out, or its pool was terminated.
	Abandoned bool
	// Stack is that of its goroutine, as runtime.Stack prints it: where it is and, if
	// it has waited for minutes, for how long. It is found by what the runtime prints of
	// arguments, and "" if that was of no use.
	Stack string

	frames []stackFrame // of which its stack has one
}

// Report looks at everything with the router's lock held and, if functions are at work,
// stops the world for their stacks.
func (r *Router) Report() Report {
	r.mu.Lock()
	report := Report{Pool: r.config.Name, Stats: r.statsLocked(), Running: r.atWork(), Unfetched: r.unfetched.Load()}
	switch {
	case r.closedAt.IsZero():
	case r.endedAt.IsZero():
		report.Took = time.Since(r.closedAt)
		if len(report.Running) == 0 {
			report.WaitsFor = r.waitsFor(report.Started)
		}
	default:
		report.Ended, report.Took = true, r.endedAt.Sub(r.closedAt)
	}
	r.mu.Unlock()
	addStacks(report.Running)
	return report
}

// waitsFor says what keeps a pool from its end in which no function is at work.
func (r *Router) waitsFor(started int) string {
	switch {
	case r.outstanding > 0:
		return fmt.Sprintf("tasks that have not ended (%d): for a worker, another attempt, a sequence or a callback", r.outstanding)
	case r.attendants > 0:
		return "callbacks, or the sequences of maps and streams"
	case r.initializing > 0 && started == 0:
		return fmt.Sprintf("initializers that were abandoned (%d)", r.initializing)
	case started == 0:
		return "its actors, to stop"
	default:
		return fmt.Sprintf("workers (%d): to be initialized, to clean up, or to be restarted", started)
	}
}

// atWork lists the functions at work.
func (r *Router) atWork() (running []RunningTask) {
	for _, s := range r.all() {
		i := int(s.number)
		switch t := s.running(); {
		case t != nil && t.hasReturned(): // what runs in its place is listed below
		case t != nil && s.lent != nil:
			running = append(running, t.atWork(i))
		case t != nil:
			running = append(running, t.atWork(i, frameOfBatch(s.batch)))
		case s.batch != nil && s.lent == nil:
			if at, ok := s.batch.current(); ok && at.fn != nil {
				running = append(running, RunningTask{Worker: r.WorkerName(i), frames: []stackFrame{frameOfBatch(s.batch)}})
			}
		}
	}
	for _, t := range r.beside.inOrder() {
		if !t.hasReturned() {
			running = append(running, t.atWork(int(t.place)))
		}
	}
	return running
}

// atWork describes a task whose function runs on a worker (0: none).
func (t *Task) atWork(worker int, frames ...stackFrame) RunningTask {
	running := RunningTask{Name: t.Name(), Abandoned: t.Decided(), frames: append(frames, frameOfTask(t))}
	if worker > 0 {
		running.Worker = t.router.WorkerName(worker)
	}
	return running
}

// String is the report in a few lines for a person: what ended how, and then what is
// still at work, without stacks.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "pool %q", r.Pool)
	took := r.Took
	if took > time.Millisecond {
		took = took.Round(time.Millisecond)
	}
	switch {
	case r.Ended:
		fmt.Fprintf(&b, " ended after %v", took)
	case took > 0:
		fmt.Fprintf(&b, " has been ending for %v", took)
	}
	fmt.Fprintf(&b, ": %d tasks accepted", r.Accepted)
	for outcome, n := range r.Outcomes {
		if n > 0 {
			fmt.Fprintf(&b, ", %d %v", n, messages.Outcome(outcome))
		}
	}
	if r.Waiting > 0 {
		fmt.Fprintf(&b, ", %d waiting", r.Waiting)
	}
	if r.Late > 0 {
		fmt.Fprintf(&b, "; %d came late", r.Late)
	}
	if r.Restarts > 0 {
		fmt.Fprintf(&b, "; %d restarts of workers", r.Restarts)
	}
	if r.Unfetched > 0 {
		fmt.Fprintf(&b, "; %d errors that nobody fetched", r.Unfetched)
	}
	if r.WaitsFor != "" {
		fmt.Fprintf(&b, "\n  waits for %s", r.WaitsFor)
	}
	for _, t := range r.Running {
		name, worker, what := t.Name, t.Worker, "running"
		if name == "" {
			name = "a task without a name"
		}
		if worker == "" {
			worker = "its submitter's goroutine"
		}
		if t.Abandoned {
			what = "still running, though its result has ended"
		}
		fmt.Fprintf(&b, "\n  %s on %s: %s", name, worker, what)
	}
	return b.String()
}
