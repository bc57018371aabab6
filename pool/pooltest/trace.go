package pooltest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Step is one choice in a run: who went on, and with what.
type Step struct {
	// At is the virtual time since the run began.
	At time.Duration
	// Strand is the actor, by its id, or the goroutine: "body", or the name given to
	// [Kit.Go].
	Strand string
	// What it does: the type of the message that it handles, say.
	What string
	// Switch says that another one ran before.
	Switch bool

	number              int  // of the strand
	deviates, preempted bool // from the default order; who ran before could have gone on
}

// String is a line about the step.
func (s Step) String() string {
	mark := ' '
	switch {
	case s.preempted:
		mark = '!'
	case s.Switch:
		mark = '>'
	}
	return fmt.Sprintf("%10v %c %-24s %s", s.At, mark, s.Strand, s.What)
}

// Trace is the choices of a run, in order.
type Trace []Step

// String lists the steps, a line each: the virtual time, ">" where another one goes on
// than before ("!" if the one before could have), who, and with what.
func (t Trace) String() string {
	var b strings.Builder
	for _, s := range t {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// shown is the trace as in a report: of a long one the beginning and the end.
func (t Trace) shown() string {
	const most, ends = 400, 100
	if len(t) <= most {
		return t.String()
	}
	return fmt.Sprintf("%v… %d steps …\n%v", t[:ends], len(t)-2*ends, t[len(t)-ends:])
}

// switches is how often another strand went on.
func (t Trace) switches() (n int) {
	for _, s := range t {
		if s.Switch {
			n++
		}
	}
	return n
}

// script is what repeats the choices.
func (t Trace) script() script {
	s := script{}
	for i, step := range t {
		if step.deviates {
			s[i] = step.number
		}
	}
	return s
}

// same reports whether two traces are of the same choices, and the first step that differs.
func (t Trace) same(other Trace) (at int, ok bool) {
	for i := range min(len(t), len(other)) {
		a, b := t[i], other[i]
		if a.At != b.At || a.Strand != b.Strand || a.What != b.What {
			return i, false
		}
	}
	return min(len(t), len(other)), len(t) == len(other)
}

func (s script) steps() []int {
	steps := make([]int, 0, len(s))
	for step := range s {
		steps = append(steps, step)
	}
	slices.Sort(steps)
	return steps
}
