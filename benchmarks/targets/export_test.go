package targets

import "github.com/greenroom-go/greenroom/benchmarks/harness"

// NewBound is a bound on a figure that a test knows.
func NewBound(limit float64, value float64) Bound {
	return Bound{Limit: limit, Unit: "× a peer", Of: func(*harness.Results) Measured { return Measured{Value: value} }}
}
