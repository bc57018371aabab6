package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// This file is what the supervisor does when a child fails; supervision.go says
// what that must be.

// rest is a worker's wait for its restart. Meanwhile its mailbox is suspended, and
// the router counts on others. It ends with the timer, whose message this is; when
// somebody stops the worker; and with the pool.
type rest struct {
	number int
	timer  *time.Timer
}

// HandleFailure makes the supervisor its own strategy in Proto.Actor's sense.
//
// Model: failed.
func (s *supervisor) HandleFailure(system *actor.ActorSystem, by actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, message any,
) {
	failure := asFailure(reason)
	v := verdict{directive: Restart}
	number := s.numberOf(by.(actor.Context), child)
	if number > 0 {
		failure.Worker = s.router.WorkerName(number)
		v = s.judge(failure, number)
	}
	err := failure.Err
	if v.exceeded {
		rules := s.rules()
		err = fmt.Errorf("%w: more than %d within %v, the last one of %s: %w", messages.ErrTooManyRestarts,
			rules.MaxRestarts, rules.Within, failure.Worker, err)
	}
	ours, err := s.whatTo(v, by, number, err)
	directive := ours.inProtoActor()
	s.router.log(slog.LevelWarn, "worker failed", "worker", child.Id, "error", err, "directive", ours.String())
	failure.Err = err
	if number > 0 {
		s.router.emit(Event{Kind: WorkerFailed, Worker: failure.Worker, Err: failure, Directive: ours})
	}
	publish(system, &actor.SupervisorEvent{Child: child, Reason: reason, Directive: directive})
	switch directive {
	case actor.ResumeDirective:
		by.ResumeChildren(child)
	case actor.RestartDirective:
		s.restart(by, child, number)
	case actor.EscalateDirective:
		by.StopChildren(child) // and so replaced, if the parent has the pool go on
		by.EscalateFailure(failure, message)
	case actor.StopDirective:
		if ours == Break {
			s.router.Break(err)
		}
		by.StopChildren(child)
	}
}

func (s *supervisor) rules() *Supervision { return &s.router.config.Supervision }

// judge asks the rules about the failure of a worker. While the pool stops nobody
// is: in Proto.Actor a restart would cancel the stop.
func (s *supervisor) judge(failure *Failure, number int) verdict {
	if s.stopping {
		return verdict{}
	}
	now, wanted := time.Now(), s.decided(*failure)
	leaves := !wanted.valid() || wanted == Restart || wanted == Resume && failure.Kind == InitializerFailed
	if leaves && s.router.isLeaving(number) { // which is no restart, and so not one too many
		return verdict{directive: Stop, leaves: true}
	}
	v := s.rules().judge(failure.Kind, wanted, s.restarts, now)
	if v.counts {
		s.restarts = append(s.rules().within(s.restarts, now), now)
	}
	return v
}

// decided is what the user's function says, or 0.
func (s *supervisor) decided(failure Failure) (d Directive) {
	decide := s.rules().Decide
	if decide == nil {
		return 0
	}
	broken := s.router.contained("Decide", func() { d = decide(failure) })
	switch {
	case broken != nil:
		s.router.log(slog.LevelError, "the pool's Decide failed", "error", broken.Err)
		return 0
	case !d.valid():
		s.router.log(slog.LevelError, "the pool's Decide returned no directive", "directive", int(d))
		return 0
	}
	return d
}

// whatTo says what is done about a failure of a worker (0: of the router), for what can
// be depends on the pool; and why, if the pool breaks.
func (s *supervisor) whatTo(v verdict, by actor.Supervisor, number int, err error) (Directive, error) {
	switch d := v.directive; {
	case s.stopping, v.leaves:
		return Stop, err
	case d == Escalate && by.(actor.Context).Parent() == nil:
		return Break, err
	case d == Stop && !s.router.discharge(number, err):
		return Break, fmt.Errorf("%s would have been stopped, but no fewer than %d may remain: %w",
			s.router.WorkerName(number), s.router.Workers(), err)
	default:
		return d, err
	}
}

// inProtoActor is the directive in Proto.Actor's terms.
func (d Directive) inProtoActor() actor.Directive {
	switch d {
	case Restart:
		return actor.RestartDirective
	case Resume:
		return actor.ResumeDirective
	case Escalate:
		return actor.EscalateDirective
	default:
		return actor.StopDirective
	}
}

// restart restarts a child now, or a worker when it has waited long enough.
func (s *supervisor) restart(by actor.Supervisor, child *actor.PID, number int) {
	if number == 0 {
		by.RestartChildren(child)
		return
	}
	wait := s.patienceOf(number).next(*s.rules(), time.Now())
	if wait == 0 {
		s.restartNow(number)
		return
	}
	if s.resting == nil {
		s.resting = map[int]*rest{}
	}
	r := &rest{number: number}
	s.resting[number] = r
	r.timer = s.router.AfterFunc("back-off", wait, func() { s.voice.tell(r) })
}

func (s *supervisor) patienceOf(number int) *patience {
	if s.patience == nil {
		s.patience = map[int]*patience{}
	}
	if s.patience[number] == nil {
		s.patience[number] = &patience{intN: s.router.IntN}
	}
	return s.patience[number]
}

// rested restarts a worker that has waited, or lets it go.
//
// Model: rested.
func (s *supervisor) rested(ctx actor.Context, r *rest) {
	if s.resting[r.number] == r && !s.dismiss(ctx, r.number) {
		s.wakeUp(r.number)
		s.restartNow(r.number)
	}
}

// shrunk says that places were closed whose workers may wait for their restart.
type shrunk struct{}

// dismissResting lets those go that wait for their restart, though their places are closed.
func (s *supervisor) dismissResting(ctx actor.Context) {
	for number := range s.workers {
		if s.isResting(number) {
			s.dismiss(ctx, number)
		}
	}
}

// dismiss ends the wait of a worker whose place is closed, and the worker, and reports
// whether it is one. What its initializer made is ended, and not made anew.
func (s *supervisor) dismiss(ctx actor.Context, number int) bool {
	if !s.router.isLeaving(number) {
		return false
	}
	s.wakeUp(number)
	ctx.Stop(s.workers[number].self())
	return true
}

func (s *supervisor) isResting(number int) bool { return s.resting[number] != nil }

// wakeUp ends the wait of a worker without a restart, and reports whether it waited.
func (s *supervisor) wakeUp(number int) bool {
	if !s.isResting(number) {
		return false
	}
	s.resting[number].timer.Stop()
	delete(s.resting, number)
	return true
}

// restartNow restarts a worker and has those that the scope adds restart too, except for
// workers that wait for a restart of their own, or are going to leave.
//
// Model: restart.
func (s *supervisor) restartNow(number int) {
	for other, box := range s.workers {
		if box == nil || s.isResting(other) || !s.rules().Scope.covers(number, other) || other != number && s.router.isLeaving(other) {
			continue
		}
		if other != number {
			box.restartWithOthers()
			continue
		}
		s.router.restarts.Add(1)
		box.PostSystemMessage(&actor.Restart{})
	}
}

// covers reports whether a worker is restarted when one has failed.
func (s Scope) covers(failed, worker int) bool {
	return worker == failed || s == AllForOne || s == RestForOne && worker > failed
}

// asFailure makes a copy of why a child failed.
func asFailure(reason any) *Failure {
	var failure *Failure
	if err, ok := reason.(error); ok && errors.As(err, &failure) {
		f := *failure
		f.passing = false
		return &f
	}
	return &Failure{Kind: TaskPanicked, Err: NewPanicError(reason)}
}
