package pooltest

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/pool"
)

// TraceOf is the trace of one run of a body, and whether it failed.
func TraceOf(t *testing.T, s Strategy, seed uint64, body func(*Kit)) (Trace, bool) {
	o := Options{Strategy: s, First: seed}
	o.defaults()
	e := &explorer{t: t, options: o, body: body, length: defaultLength}
	defer e.leave()
	out := e.run(e.plan(seed))
	for _, f := range out.failures {
		t.Log(f)
	}
	return out.trace, out.failed()
}

// StrategyFindings is TestStrategy for those who expect failures: they are by requirement.
func StrategyFindings(t *testing.T, patience time.Duration, newStrategy func() pool.Strategy) map[string]*Finding {
	return findings(t, strategySuite, patience, newStrategy, func() bool { return repeats(newStrategy) })
}

func findings[T any](t *testing.T, s suite[T], patience time.Duration, newT func() T, repeats func() bool) map[string]*Finding {
	all := map[string]*Finding{}
	s.stages(func(r requirement[T]) bool {
		f := r.try(t, Options{Patience: patience}, newT, repeats)
		if f != nil {
			all[r.holds] = f
		}
		return f == nil
	})
	return all
}

// MailboxFindings is TestMailbox for those who expect failures: they are by requirement.
func MailboxFindings(t *testing.T, patience time.Duration, newMailbox func() actor.Mailbox) map[string]*Finding {
	return findings(t, mailboxSuite, patience, newMailbox, nil)
}

// NewMailbox is a mailbox as actors under a kit have it in Run.
func NewMailbox(t *testing.T) actor.Mailbox {
	k := &Kit{TB: t, began: time.Now(), helpers: map[uintptr]bool{}}
	k.log, k.faults = &logBook{kit: k, logLines: new(logLines)}, &Faults{kit: k}
	return newMailbox(k)
}

// Check reports what is wrong with options.
func (o *Options) Check() error { return o.check() }
