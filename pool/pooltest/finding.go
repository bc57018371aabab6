package pooltest

import (
	"fmt"
	"regexp"
	"runtime/debug"
	"strings"
)

// Finding is a run that failed. As a string it is what [Explore] reports.
type Finding struct {
	// Failures are what the body reported, what was left at the end, and what waited for
	// ever.
	Failures []string
	// Seed is that of the run, and Runs the number of seeds that had been tried then, with
	// this one.
	Seed uint64
	Runs int
	// Trace is the simplest run that fails like that one, or that one, if it could not be
	// made simpler.
	Trace Trace
	// Replay is what repeats the run of Trace as the value of -pooltest.replay. "" if
	// nothing does, for the body is not deterministic.
	Replay string

	test, log string
}

// finding describes a run.
func (e *explorer) finding(p plan, o *outcome, runs int) *Finding {
	f := &Finding{Seed: p.seed, Runs: runs, Trace: o.trace, Replay: p.String(), test: e.t.Name(), log: o.log}
	for _, failure := range o.failures {
		f.Failures = append(f.Failures, failure.String())
	}
	if o.is() == hung { // which has shown the stacks
		return f
	}
	for _, stack := range o.left {
		f.Failures = append(f.Failures, "waits for ever:\n"+stack)
	}
	if o.stuck != "" {
		f.Failures = append(f.Failures, o.stuck)
	}
	return f
}

// String is a report: the failures, the steps of the run, what was logged, and how to
// repeat it.
func (f *Finding) String() string {
	var b strings.Builder
	for _, failure := range f.Failures {
		fmt.Fprintln(&b, failure)
	}
	if len(f.Trace) > 0 {
		if f.Runs > 0 {
			fmt.Fprintf(&b, "found with seed %d, after %d runs. ", f.Seed, f.Runs)
		}
		fmt.Fprintf(&b, "The steps, of which %d are context switches:\n%v", f.Trace.switches(), f.Trace.shown())
	}
	if f.log != "" {
		fmt.Fprintf(&b, "what was logged, by virtual time:\n%s\n", f.log)
	}
	if f.Replay != "" {
		fmt.Fprintf(&b, "to repeat it: go test%s -run '%s' -pooltest.replay=%s\n", testedPackage(), runPattern(f.test), f.Replay)
	}
	return b.String()
}

// testedPackage is the import path of the package whose tests run, behind a blank: go test
// must have it before the flags that it does not know. "" if the binary does not say.
func testedPackage() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	path, ok := strings.CutSuffix(info.Path, ".test")
	if !ok {
		return ""
	}
	return " " + path
}

// runPattern is what -run needs to run one test.
func runPattern(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

// differ compares two runs of one plan, and describes what differs.
func (e *explorer) differ(p plan, first, second *outcome) *Finding {
	at, same := first.trace.same(second.trace)
	if same && first.is() == second.is() || first.stuck != "" || second.stuck != "" {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the body is not deterministic by itself: two runs of %v differ", p)
	for i, o := range []*outcome{first, second} {
		fmt.Fprintf(&b, "\nrun %d: ", i+1)
		switch {
		case same && o.failed():
			fmt.Fprintf(&b, "fails: %s", o.is())
		case same:
			b.WriteString("passes")
		case at < len(o.trace):
			fmt.Fprintf(&b, "step %d is %v", at, o.trace[at])
		default:
			fmt.Fprintf(&b, "ends before step %d", at)
		}
	}
	b.WriteString("\nLook for the order of a map, real time, random numbers, a global that the run before has changed, and goroutines that Kit.Go has not started.")
	return &Finding{Failures: []string{b.String()}, Seed: p.seed, test: e.t.Name()}
}
