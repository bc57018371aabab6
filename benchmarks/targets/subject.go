package targets

import (
	"math"
	"strings"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/workloads"
)

// subject is a contender of a case whose figures are bounded.
type subject struct {
	workload, name, contender string
	label                     string
}

// of names a subject; its figures have no label.
func of(workload, name, contender string) subject {
	return subject{workload: workload, name: name, contender: contender}
}

// as labels the subject's figures, for rows that have several.
func (s subject) as(label string) subject {
	s.label = label
	return s
}

func (s subject) find(results *harness.Results) (*harness.CaseResult, *harness.Entry) {
	c := results.Case(s.workload, s.name)
	return c, c.Entry(s.contender)
}

// opponent finds whom a subject is compared with.
type opponent struct {
	text string
	find func(*harness.CaseResult) *harness.Entry
}

// named is the opponent of that name.
func named(name string) opponent {
	return opponent{name, func(c *harness.CaseResult) *harness.Entry { return c.Entry(name) }}
}

// bestPool is the fastest pool that is not Greenroom.
var bestPool = opponent{"the best pool", func(c *harness.CaseResult) *harness.Entry {
	return c.Best(func(contender *harness.Contender) bool { return contender.Kind == harness.Pool })
}}

// ants is the fastest of its forms.
var ants = opponent{"ants", func(c *harness.CaseResult) *harness.Entry {
	return c.Best(func(contender *harness.Contender) bool { return strings.HasPrefix(contender.Name, "ants.") })
}}

// handMadeWindow is the fastest window made by hand, of whatever.
var handMadeWindow = opponent{"the best hand-made window", func(c *harness.CaseResult) *harness.Entry {
	return c.Best(func(contender *harness.Contender) bool {
		return strings.HasSuffix(contender.Name, workloads.HandMadeWindow)
	})
}}

// times bounds how many times the opponent's figure the subject's is.
func (s subject) times(limit float64, than opponent) Bound {
	return Bound{
		Limit: limit, Unit: "× " + than.text, Label: s.label,
		Of: func(results *harness.Results) Measured {
			c, entry := s.find(results)
			if entry == nil {
				return unknown
			}
			other := than.find(c)
			if other == nil {
				return unknown
			}
			return Measured{entry.Ratio(c.Case.Headline(), other), other.Contender.Name}
		},
	}
}

// setUp is how many allocations of a task may come from opening a pool, which
// are spread over all tasks.
const setUp = 0.02

// allocs bounds the allocations of a task.
func (s subject) allocs(limit float64) Bound {
	b := s.figure(limit, "allocations", harness.Quantity{Of: harness.AllocsPerTask}, 1)
	b.slack = setUp
	return b
}

// figure bounds a quantity, divided by scale, in the unit.
func (s subject) figure(limit float64, unit string, q harness.Quantity, scale float64) Bound {
	return Bound{
		Limit: limit, Unit: unit, Label: s.label,
		Of: func(results *harness.Results) Measured {
			_, entry := s.find(results)
			if entry == nil {
				return unknown
			}
			return Measured{Value: entry.Median(q) / scale}
		},
	}
}

// spread bounds how many times the smallest cost along a line of a growth
// chart the largest is. The subject's contender is the line.
func (s subject) spread(limit float64) Bound {
	return Bound{
		Limit: limit, Unit: "× from end to end of the range", Label: s.label,
		Of: func(results *harness.Results) Measured {
			c := results.Case(s.workload, s.name)
			if c == nil {
				return unknown
			}
			lowest, highest := math.Inf(1), math.Inf(-1)
			for _, e := range c.Entries {
				if e.Contender.Series != s.contender || len(e.Samples) == 0 {
					continue
				}
				median := e.Median(c.Case.Headline())
				lowest, highest = min(lowest, median), max(highest, median)
			}
			if math.IsInf(lowest, 1) {
				return unknown
			}
			return Measured{Value: highest / lowest}
		},
	}
}
