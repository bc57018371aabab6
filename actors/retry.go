package actors

import "context"

// SubmitAgain is Submit for a further attempt at a task. Who waits for that has been
// waiting for a time to come; from the call of filed on it waits for a worker, which may
// be in vain.
func (r *Router) SubmitAgain(attempt *Task, filed func()) error {
	err := r.Submit(context.Background(), attempt)
	filed()
	if err == nil {
		waitGraph.filed(attempt)
	}
	return err
}

// Retried takes down that an attempt at t has failed and another one follows.
func (r *Router) Retried(t *Task, attempt int, err error) {
	r.retried.Add(1)
	r.emit(Event{Kind: TaskRetried, Task: t.Name(), Err: err, Attempt: attempt})
}
