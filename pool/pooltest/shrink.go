package pooltest

import "maps"

// shrinkRuns bounds how often the body is run to find a simpler run that fails.
const shrinkRuns = 400

// shrink looks for the run that deviates least from the default order and fails in the
// same way: first without halves of the deviations, then without quarters, and so on
// (Zeller and Hildebrandt: Simplifying and Isolating Failure-Inducing Input, IEEE TSE
// 2002), in rounds, until none can be left out.
func (e *explorer) shrink(o *outcome) (script, *outcome) {
	best, s := o, o.trace.script()
	left := shrinkRuns
	for size := max(1, len(s)/2); size >= 1 && left > 0; {
		shorter := false
		for from := 0; from < len(s) && left > 0; {
			attempt := without(s, from, min(from+size, len(s)))
			left--
			if got := e.run(plan{script: attempt}); got.failed() && len(got.left) == 0 && got.is() == best.is() {
				best, s = got, got.trace.script() // some of what was left may have had no effect
				shorter = true
			} else {
				from += size
			}
		}
		switch {
		case size > 1:
			size = (size + 1) / 2
		case !shorter:
			return s, best
		}
	}
	return s, best
}

// without is a script without the steps from one to another, in order.
func without(s script, from, to int) script {
	shorter := maps.Clone(s)
	for _, step := range s.steps()[from:to] {
		delete(shorter, step)
	}
	return shorter
}
