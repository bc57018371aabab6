package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// Retry says when a task that fails is tried again; see [WithRetry].
type Retry struct {
	// Attempts is how often the function is called at the most, the first time
	// included. At least 2.
	Attempts int
	// MinBackoff is how long the second attempt waits after the first; each further
	// one waits twice as long, up to MaxBackoff. 0: no wait. The waits are computed by
	// github.com/cenkalti/backoff.
	MinBackoff, MaxBackoff time.Duration
	// Jitter makes each wait longer or shorter by up to this part of it, at random.
	// From 0 to 1.
	Jitter float64
	// If says whether an error is worth another attempt. It is called on the worker and
	// must not block; if it panics or calls Goexit, there is none. A panic of the task
	// is a [*PanicError], a Goexit ErrGoexit. Nil: every error that the function
	// returns, but no panic and no Goexit.
	If func(error) bool
}

// check says what is wrong with the rules, or returns nil.
func (r Retry) check() error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(r.Attempts < 2, "Attempts is %d; there must be 2 at least", r.Attempts)
	errs = append(errs, actors.CheckBackoff(r.MinBackoff, r.MaxBackoff, r.Jitter))
	return errors.Join(errs...)
}

// WithRetry has a task tried again that fails. Its result ends with the last attempt, and
// keeps its place in the order: a further attempt waits where the task would have waited,
// whatever the limit of the queue, and tasks with the same key wait until all of it is
// over. While an attempt waits for its turn the task occupies no worker. Each attempt has
// a context of its own. The worker of an attempt that panics or calls Goexit fails, as ever.
//
// A deadline ([WithTimeout], [WithRunTimeout], which counts anew for each attempt, or that
// of the submission's context), Cancel and the end of the pool end the task, whatever
// attempts are left. Close waits for all attempts. Attempts are counted in [Stats] and told
// as events ([TaskRetried]). Rules that are wrong are refused with ErrInvalid.
//
// It is for tasks of the pool: a task of a group is refused with it, and a map or stream
// whose items may fail calls a function that tries again by itself.
func WithRetry(rules Retry) TaskOption {
	return taskOption(func(c *taskConfig) {
		c.retry = rules
		err := rules.check()
		c.check(err == nil, "WithRetry", "%v", err)
	})
}

// retried is a task of several attempts: its task is the root, which is never queued;
// attempts are. There is one at a time, or one is waiting for its turn:
//
//	queued  → running, over
//	running → resting, over
//	resting → queued, over
//
// A waiter can run an attempt in its place while it is queued.
type retried[R any] struct {
	AsyncResult[R]

	options actors.TaskOptions // of every attempt; set before submission, not changed after

	mu     sync.Mutex
	fn     func(context.Context) (R, error) // nil when over, like rules.If
	rules  Retry
	at     *attempt[R] // the latest
	filing bool        // it is about to be queued
	tries  int         // attempts made
	waits  *actors.Backoff
	timer  *time.Timer // of the one that rests; nil: none does
	over   bool
	nudges actors.Nudges // of those to wake when an attempt is queued
}

// attempt is one of the attempts.
type attempt[R any] struct {
	task actors.Task
	job  *retried[R]
	told atomic.Bool // the job knows how it went: what ends the attempt now does not end the task
}

// submitRetried submits a task that is tried again when it fails.
func submitRetried[R any](ctx context.Context, p *Pool, fn func(context.Context) (R, error), config *taskConfig, waits bool) *AsyncResult[R] {
	j := &retried[R]{fn: fn, rules: config.retry}
	callback, mismatch := callback(config, &j.AsyncResult)
	parent, release := config.parent(ctx)
	root := config.options(callback, release)
	j.options = actors.TaskOptions{
		Name: root.Name, Key: root.Key, Priority: root.Priority, Limit: root.Limit, Internal: true, Routed: true, WaiterCancels: true,
	}
	root.Limit = 0
	root.WaiterCancels = waits && release == nil
	j.task.Init(p.router, j, parent, root)
	err := errors.Join(config.err(), mismatch)
	if err == nil {
		first := j.options
		first.Root = &j.task
		j.at = j.attempt(first)
		err = p.router.Submit(parent, &j.at.task)
	}
	if err != nil {
		j.forget()
		return j.refuse(err)
	}
	j.task.WatchParent()
	p.router.Yield(submitted)
	return &j.AsyncResult
}

func (j *retried[R]) attempt(o actors.TaskOptions) *attempt[R] {
	a := &attempt[R]{job: j}
	a.task.Init(j.task.Router(), a, j.task.Context(), o)
	return a
}

// Run is never called: attempts are run.
func (j *retried[R]) Run(context.Context) {}

// Run calls the function.
func (a *attempt[R]) Run(ctx context.Context) {
	returned := false
	defer func() {
		if returned {
			return
		}
		failure := actors.NewFailure(recover())
		var none R
		a.ended(none, failure.Err, failure)
		if failure.Kind != actors.TaskExited {
			panic(failure)
		}
	}()
	if fn := a.job.begin(); fn != nil {
		a.task.Inject()
		value, err := fn(ctx)
		a.ended(value, err, nil)
	}
	returned = true
	if a.task.DecideReturned() {
		a.task.Conclude(messages.Succeeded, nil)
	}
}

// ended gives the place back, then the task its end or another attempt.
func (a *attempt[R]) ended(value R, err error, failure *actors.Failure) {
	a.told.Store(true)
	j := a.job
	wait, again := j.mayTryAgain(err, failure)
	if again {
		a.task.KeepKey()
	}
	a.task.Vacate()
	switch {
	case again:
		j.rest(a, wait, err)
	case failure != nil:
		j.task.Settle(failure.Outcome(), failure.Err)
	default:
		j.forget()
		j.finish(value, err)
	}
}

// Abandon of an attempt ends the task: it was dropped, or took too long, or the pool has
// ended.
func (a *attempt[R]) Abandon(outcome messages.Outcome, err error, started bool) error {
	if !started || !a.told.Load() {
		a.job.task.Settle(outcome, err)
	}
	return err
}

// begin counts an attempt and returns what it calls, or nil if the task has ended.
func (j *retried[R]) begin() func(context.Context) (R, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.over {
		j.tries++
	}
	return j.fn
}

// forget lets go of what the task was given: there is no further attempt.
func (j *retried[R]) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forgetLocked()
}

func (j *retried[R]) forgetLocked() {
	j.over = true
	j.fn, j.rules.If, j.nudges = nil, nil, actors.Nudges{}
}

// mayTryAgain says whether there is another attempt, and after which wait.
func (j *retried[R]) mayTryAgain(err error, failure *actors.Failure) (wait time.Duration, again bool) {
	if err == nil || j.task.Decided() || j.task.ParentEnded() {
		return 0, false
	}
	j.mu.Lock()
	rules, left := j.rules, !j.over && j.tries < j.rules.Attempts
	j.mu.Unlock()
	if !left || !j.isWorthIt(rules, err, failure) {
		return 0, false
	}
	if rules.MinBackoff == 0 {
		return 0, true
	}
	if j.waits == nil {
		j.waits = actors.NewBackoff(rules.MinBackoff, rules.MaxBackoff, rules.Jitter, j.task.Router().IntN)
	}
	return j.waits.Next(), true
}

func (j *retried[R]) isWorthIt(rules Retry, err error, failure *actors.Failure) (worthIt bool) {
	if rules.If == nil {
		return failure == nil
	}
	j.task.Router().Contain("the If of a Retry", func() { worthIt = rules.If(err) })
	return worthIt
}

// rest has the next attempt queued after a while.
func (j *retried[R]) rest(failed *attempt[R], wait time.Duration, err error) {
	r := j.task.Router()
	j.mu.Lock()
	if j.over {
		j.mu.Unlock()
		failed.task.DropKey()
		return
	}
	r.Retried(&j.task, j.tries, err)
	j.timer = r.AfterFunc("retry", wait, func() { j.tryAgain(failed) })
	j.mu.Unlock()
}

// tryAgain queues the next attempt in the place of the one that failed.
func (j *retried[R]) tryAgain(failed *attempt[R]) {
	if j.task.ParentEnded() { // and that is about to end the task
		j.task.EndWithParent()
		return
	}
	options := j.options
	options.Exempt, options.Resumes = true, &failed.task
	next := j.attempt(options)
	j.mu.Lock()
	if j.over {
		j.mu.Unlock()
		return
	}
	j.timer, j.at, j.filing = nil, next, true
	j.mu.Unlock()
	if err := j.task.Router().SubmitAgain(&next.task, j.filed); err != nil {
		failed.task.DropKey()
		switch {
		case errors.Is(err, ErrBroken):
			j.task.Settle(messages.Broken, err)
		case errors.Is(err, ErrClosed): // it is being terminated, and the task with it
			j.task.Settle(messages.Terminated, ErrTerminated)
		default: // the pool's strategy refuses it
			j.task.Settle(messages.Failed, err)
		}
	}
	if j.task.Decided() { // which has not seen the attempt in the queue
		next.task.Settle(messages.Cancelled, ErrCancelled)
	}
}

// filed wakes those who wait for an attempt to be queued. It does so in the moment in
// which they come to depend on that.
func (j *retried[R]) filed() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.filing = false
	j.nudges.Give()
}

// Abandon takes back what has not begun, and ends what runs.
func (j *retried[R]) Abandon(outcome messages.Outcome, err error, _ bool) error {
	j.mu.Lock()
	j.forgetLocked()
	at, resting := j.at, j.timer != nil
	if resting {
		j.timer.Stop()
		j.timer = nil
	}
	j.mu.Unlock()
	switch {
	case resting:
		at.task.DropKey()
	case at != nil: // it leaves the queue, or its context ends
		at.task.Settle(outcome, err)
	}
	return err
}

// Started reports whether the first attempt has begun.
func (j *retried[R]) Started() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.tries > 0
}

// AtWork reports whether an attempt runs.
func (j *retried[R]) AtWork() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.timer == nil && j.at.task.Running()
}

// CancelUnstarted ends the task unless an attempt runs.
func (j *retried[R]) CancelUnstarted() bool {
	return !j.AtWork() && j.task.Cancel()
}

// Accept takes a value that came as a message.
func (j *retried[R]) Accept(value any) (func(), error) { return j.accept(value) }

// Assist gives a task that waits for this one an attempt to run in place.
func (j *retried[R]) Assist(worker int, nudge *actors.Nudge) *actors.Task {
	j.mu.Lock()
	at := j.at
	j.nudges.Add(nudge)
	j.mu.Unlock()
	return j.task.Router().ClaimFor(&at.task, worker, nudge)
}

// Blockers are the attempt that is queued or runs. None while one rests: its time comes,
// and whoever waits is told.
func (j *retried[R]) Blockers() (b actors.Blockers) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.timer == nil && !j.filing && !j.at.task.Decided() {
		b.All = []*actors.Task{&j.at.task}
	}
	return b
}
