// Package targets says how fast Greenroom has to be, as ratios within one run,
// and judges a run by it.
package targets

import (
	"fmt"
	"math"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// Bound is one condition: what is measured does not exceed Limit.
type Bound struct {
	Limit float64
	// Unit follows the limit: "× the best pool", "allocations".
	Unit string
	// Label tells bounds of one row apart that have the same unit: "64 producers".
	Label string
	Of    func(*harness.Results) Measured
	// slack is how much more than the limit is still taken for it.
	slack float64
}

// Measured is what a run says about a bound.
type Measured struct {
	// Value is NaN if the run has not got what it takes.
	Value float64
	// Against names who was found, where the unit only describes it.
	Against string
}

// Known is false if the run has not measured it.
func (m Measured) Known() bool { return !math.IsNaN(m.Value) }

var unknown = Measured{Value: math.NaN()}

func (b Bound) String() string {
	if b.Limit == 0 {
		return "no " + b.Unit
	}
	if b.Limit >= 1000 {
		return fmt.Sprintf("≤ %.0f %s", b.Limit, b.Unit)
	}
	return fmt.Sprintf("≤ %.3g %s", b.Limit, b.Unit)
}

func (b Bound) holds(m Measured) bool { return m.Value <= b.Limit+b.slack }

// Verdict says what a run means for a row.
type Verdict uint8

const (
	// NotMeasured: the run lacks something that the row needs.
	NotMeasured Verdict = iota
	// DoesNotHold: a limit that must be kept is not.
	DoesNotHold
	// Holds: what must be kept is kept.
	Holds
	// ReachesAim: and so is what is aimed for.
	ReachesAim
)

func (v Verdict) String() string {
	return [...]string{"not measured", "**does not hold**", "holds", "reaches the aim"}[v]
}

// Row is one line of the table of targets.
type Row struct {
	// Name is also that of the file with notes on why the row does not hold.
	Name string
	Must []Bound
	Aim  []Bound
}

// Judge says what a run means for the row.
func (r Row) Judge(results *harness.Results) Verdict {
	must := judge(r.Must, results)
	if must != Holds {
		return must
	}
	if len(r.Aim) > 0 && judge(r.Aim, results) == Holds {
		return ReachesAim
	}
	return Holds
}

func judge(bounds []Bound, results *harness.Results) Verdict {
	verdict := Holds
	for _, b := range bounds {
		m := b.Of(results)
		switch {
		case !m.Known():
			return NotMeasured
		case !b.holds(m):
			verdict = DoesNotHold
		}
	}
	return verdict
}
