package pooltest

import (
	"fmt"
	"testing"
	"time"
)

// requirement is what a suite demands of a T that somebody else has written.
type requirement[T any] struct {
	// holds is a sentence about a T that does what it must.
	holds string
	// orders is how many orders of the steps of check are tried, and a quarter of them with
	// -short. 0: it has one step.
	orders int
	// check notes what is wrong by Kit.violate. What newT returns is of no use after it.
	check func(k *Kit, newT func() T)
}

// suite is requirements, in stages. What does not meet a stage is not given the next,
// which would only hang, or report the same again.
type suite[T any] [][]requirement[T]

// test runs each requirement as a subtest.
func (s suite[T]) test(t *testing.T, o Options, newT func() T, repeats func() bool) {
	t.Helper()
	s.stages(func(r requirement[T]) bool {
		return t.Run(r.holds, func(t *testing.T) {
			if f := r.try(t, o, newT, repeats); f != nil {
				fmt.Fprint(t.Output(), f)
				t.FailNow()
			}
		})
	})
}

// stages calls f for each requirement up to the end of the first stage in which it
// reports false.
func (s suite[T]) stages(f func(requirement[T]) (met bool)) {
	for _, stage := range s {
		all := true
		for _, r := range stage {
			all = f(r) && all
		}
		if !all {
			return
		}
	}
}

// try checks a requirement. repeats reports whether a T does the same in two runs that are
// the same, and is asked only where orders are tried. If it does not a run that fails can be shown, but neither be simplified nor repeated.
func (r requirement[T]) try(t *testing.T, o Options, newT func() T, repeats func() bool) *Finding {
	o.Seeds = max(1, r.orders)
	if testing.Short() {
		o.Seeds = max(1, r.orders/4)
	}
	body := func(k *Kit) { r.check(k, newT) }
	if r.orders > 0 && repeats() {
		return Search(t, o, body)
	}
	o.defaults()
	e := &explorer{t: t, options: o, body: body, length: defaultLength}
	defer e.leave()
	for i := range o.Seeds {
		p := e.plan(o.First + uint64(i))
		if out := e.run(p); out.failed() {
			f := e.finding(p, out, i+1)
			f.Replay = ""
			if r.orders == 0 {
				f.Trace = nil
			}
			return f
		}
	}
	return nil
}

// violations bounds how many are shown of a run. The first ones tell most.
const violations = 10

// violate notes, from any goroutine, that something does not do what it must.
func (k *Kit) violate(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.failures) < violations {
		k.failures = append(k.failures, failure{where: "does not conform", message: fmt.Sprintf(format, args...)})
	}
}

// suitePatience is the Options.Patience of a suite. No requirement computes for long.
const suitePatience = 10 * time.Second
