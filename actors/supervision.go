package actors

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// FailureKind says what made a worker fail.
type FailureKind uint8

const (
	// TaskPanicked: the function of a task panicked.
	TaskPanicked FailureKind = iota
	// TaskExited: the function of a task called runtime.Goexit.
	TaskExited
	// InitializerFailed: the initializer returned an error, panicked or called Goexit, or
	// has not returned in the time that it had.
	InitializerFailed
)

// String returns what has failed, in lower case.
func (k FailureKind) String() string {
	return nameOf("failure", uint8(k), []string{"task panicked", "task exited", "initializer failed"})
}

// Directive says what is done about a failure. Its zero value is none of them. In an
// event Stop may also say that the worker is stopped since the pool is on its way out, or
// that its place had been closed before.
type Directive uint8

const (
	// Restart replaces the worker by a new one, which runs the initializer again.
	Restart Directive = 1 + iota
	// Resume has the worker go on with its state as it is. After a failed
	// initializer there is none, and Resume means Restart.
	Resume
	// Escalate leaves the decision about the whole pool to the parent actor, and
	// replaces the worker meanwhile. A pool that has no parent breaks.
	Escalate
	// Break makes the pool refuse tasks for good: those that wait and later ones end
	// with ErrBroken, which wraps the failure. What runs is finished.
	Break
	// Stop stops the worker and closes its place: the pool carries on with one worker
	// fewer, until somebody resizes it. What waits for this worker alone ends with the
	// failure. A pool that has its minimum of workers breaks.
	Stop
)

var directiveNames = [...]string{0: "stop", Restart: "restart", Resume: "resume", Escalate: "escalate", Break: "break", Stop: "stop"}

// String returns the name of the directive, in lower case.
func (d Directive) String() string { return nameOf("directive", uint8(d), directiveNames[:]) }

// nameOf is the name of a constant, by number.
func nameOf(what string, n uint8, names []string) string {
	if int(n) >= len(names) {
		return fmt.Sprintf("%s %d", what, n)
	}
	return names[n]
}

func (d Directive) valid() bool { return d >= Restart && d <= Stop }

// Scope says which workers are restarted because one is.
type Scope uint8

const (
	// OneForOne restarts the worker that failed. The others do not notice.
	OneForOne Scope = iota
	// AllForOne restarts all workers, for those whose state is shared or depends on
	// one another. Each of the others first finishes the task that it runs.
	AllForOne
	// RestForOne restarts, beside the one that failed, those with a higher number, as
	// AllForOne does.
	RestForOne

	scopes
)

// String returns the name of the scope, in lower case.
func (s Scope) String() string {
	return nameOf("scope", uint8(s), []string{"one for one", "all for one", "rest for one"})
}

// Supervision says what becomes of workers that fail, in the terms of Erlang's
// supervisors. The zero value restarts a worker after a panic or Goexit, at once and
// as often as it takes, and breaks the pool when the initializer fails.
type Supervision struct {
	// Decide says what is done about a failure. It is called by the supervisor, one
	// call at a time, and must not wait for the pool. Nil, or if it panics, calls
	// Goexit or returns something that is no directive: Restart, but Break for a
	// failed initializer.
	Decide func(Failure) Directive
	// Scope says which workers are restarted with one that failed. Default OneForOne.
	Scope Scope
	// MaxRestarts is how many times within the time Within a failing worker may be
	// restarted, all workers taken together; the next failure exceeds it. Those that
	// Scope adds do not count. 0: any number of times.
	MaxRestarts int
	Within      time.Duration
	// Exceeded is what is then done instead: Break, the default, Escalate or Stop.
	Exceeded Directive
	// MinBackoff is how long a worker that fails waits for its restart. Each time it
	// fails again it waits twice as long, up to MaxBackoff; if it did not for as long
	// as MaxBackoff, it begins anew. Meanwhile the others do its work; a pool that
	// is closed waits for it, too, if its work cannot be done without. 0: no wait. The
	// waits are computed by github.com/cenkalti/backoff.
	MinBackoff, MaxBackoff time.Duration
	// Jitter makes each wait longer or shorter by up to this part of it, at random,
	// so that workers that failed together do not come back together. From 0 to 1.
	Jitter float64
}

// Check says what is wrong with the rules, or returns nil. Rules that would have no
// effect are wrong.
func (s Supervision) Check() error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(s.Scope >= scopes, "unknown Scope %d", s.Scope)
	wrong(s.MaxRestarts < 0, "MaxRestarts is %d; it must not be negative", s.MaxRestarts)
	wrong(s.Within < 0, "Within is %v; it must not be negative", s.Within)
	wrong(s.MaxRestarts > 0 && s.Within == 0, "MaxRestarts is %d, but Within is not set", s.MaxRestarts)
	wrong(s.MaxRestarts == 0 && s.Within > 0, "Within is %v, but MaxRestarts is not set", s.Within)
	wrong(s.Exceeded != 0 && s.Exceeded != Break && s.Exceeded != Escalate && s.Exceeded != Stop, "Exceeded is %v; it must be Break, Escalate or Stop", s.Exceeded)
	wrong(s.MaxRestarts == 0 && s.Exceeded != 0, "Exceeded is %v, but MaxRestarts is not set", s.Exceeded)
	errs = append(errs, CheckBackoff(s.MinBackoff, s.MaxBackoff, s.Jitter))
	return errors.Join(errs...)
}

// verdict is what the supervisor does about a failure.
type verdict struct {
	directive Directive
	exceeded  bool // it would have been restarted, but that would have been too often
	counts    bool // among the restarts within the time
	leaves    bool // it is going to leave, and so it is stopped
}

// judge is the policy, a pure function: wanted is what Decide said, 0 if nothing
// useful, and restarts is when failing workers were restarted, the latest last. While
// the pool stops a worker is not judged.
func (s Supervision) judge(kind FailureKind, wanted Directive, restarts []time.Time, now time.Time) verdict {
	d := wanted
	switch {
	case !d.valid() && kind == InitializerFailed:
		d = Break
	case !d.valid(), d == Resume && kind == InitializerFailed:
		d = Restart
	}
	if d != Restart {
		return verdict{directive: d}
	}
	if s.MaxRestarts > 0 && len(s.within(restarts, now)) >= s.MaxRestarts {
		d = s.Exceeded
		if d == 0 {
			d = Break
		}
		return verdict{directive: d, exceeded: true}
	}
	return verdict{directive: Restart, counts: s.MaxRestarts > 0}
}

// within are the restarts that count at a time.
func (s Supervision) within(restarts []time.Time, now time.Time) []time.Time {
	i := slices.IndexFunc(restarts, func(at time.Time) bool { return now.Sub(at) < s.Within })
	if i < 0 {
		return nil
	}
	return restarts[i:]
}

// patience is how long a worker waits for its restarts.
type patience struct {
	steps  *Backoff        // nil until it has failed
	intN   func(n int) int // random
	backAt time.Time       // when it was last restarted
}

// next is the wait after a failure.
func (p *patience) next(s Supervision, now time.Time) time.Duration {
	if s.MinBackoff == 0 {
		return 0
	}
	if p.steps == nil {
		p.steps = NewBackoff(s.MinBackoff, s.MaxBackoff, s.Jitter, p.intN)
	}
	if now.Sub(p.backAt) >= s.MaxBackoff {
		p.steps.Reset()
	}
	wait := p.steps.Next()
	p.backAt = now.Add(wait)
	return wait
}
