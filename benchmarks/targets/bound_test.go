package targets_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/targets"
)

func TestJudge(t *testing.T) {
	reached, missed, unknown := targets.NewBound(1, 0.5), targets.NewBound(1, 1.5), targets.NewBound(1, math.NaN())
	list := func(bounds ...targets.Bound) []targets.Bound { return bounds }
	for name, c := range map[string]struct {
		must, aim []targets.Bound
		want      targets.Verdict
	}{
		"all that must be and the aim":            {list(reached, reached), list(reached), targets.ReachesAim},
		"all that must be, but not the aim":       {list(reached), list(reached, missed), targets.Holds},
		"one of two that must be is not":          {list(reached, missed), list(reached), targets.DoesNotHold},
		"the aim is no use without what must be":  {list(missed), list(reached), targets.DoesNotHold},
		"a limit itself is allowed":               {list(targets.NewBound(1, 1)), nil, targets.Holds},
		"a row without an aim":                    {list(reached), nil, targets.Holds},
		"a figure that is missing is not made up": {list(reached, unknown), list(reached), targets.NotMeasured},
		"an aim that was not measured is none":    {list(reached), list(unknown), targets.Holds},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, targets.Row{Must: c.must, Aim: c.aim}.Judge(nil))
		})
	}
}

func TestBoundSaysWhatItAllows(t *testing.T) {
	require.Equal(t, "≤ 0.25 × a peer", targets.NewBound(0.25, 0).String())
	require.Equal(t, "≤ 0.00333 × a peer", targets.NewBound(1.0/300, 0).String())
	require.Equal(t, "≤ 1000 × a peer", targets.NewBound(1000, 0).String())
	require.Equal(t, "no × a peer", targets.NewBound(0, 0).String())
}
