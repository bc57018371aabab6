package planted_test

import (
	"flag"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool/pooltest"
	"github.com/greenroom-go/greenroom/pool/pooltest/internal/planted"
)

// bound is within how many seeds each bug must be found.
const bound = 1000

var strategies = []pooltest.Strategy{pooltest.PCT, pooltest.RandomWalk}

func TestEveryPlantedBugIsFound(t *testing.T) {
	for _, b := range bugs {
		t.Run(b.program, func(t *testing.T) {
			buggy := b.of(planted.Planted)
			for _, s := range strategies {
				found := pooltest.Search(t, pooltest.Options{Strategy: s, Seeds: bound}, buggy)
				require.NotNil(t, found, "%v does not find %s within %d seeds", s, b.kind, bound)
				again := pooltest.Search(t, pooltest.Options{Replay: found.Replay}, buggy)
				require.NotNil(t, again, "%s does not repeat the failure", found.Replay)
				require.Equal(t, found.Failures, again.Failures)
				require.Equal(t, found.Trace, again.Trace)
				require.Nil(t, pooltest.Search(t, pooltest.Options{Replay: found.Replay}, b.of(planted.Mended)),
					"the mended program fails in the order that shows the bug")
			}
		})
	}
}

// Else there would be nothing to search for.
func TestThePlantedBugsDoNotShowInTheSimplestOrder(t *testing.T) {
	for _, b := range bugs {
		t.Run(b.program, func(t *testing.T) {
			require.Nil(t, pooltest.Search(t, pooltest.Options{Replay: "steps:"}, b.of(planted.Planted)))
		})
	}
}

// Fewer orders with the race detector: where one goroutine goes on at a time it has little to
// find, and takes its time.
func TestTheMendedProgramsPass(t *testing.T) {
	seeds := 0 // as many as there are if nothing is said
	if withRace() {
		seeds = 100
	}
	for _, b := range bugs {
		t.Run(b.program, func(t *testing.T) {
			pooltest.Explore(t, pooltest.Options{Seeds: seeds}, b.of(planted.Mended))
		})
	}
}

func withRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

var showBugs = flag.Bool("planted", false, "have TestWithoutSearch run the programs with their bugs, which may fail")

// The bodies of the tests need no search: they run in any order in which Go runs them.
func TestWithoutSearch(t *testing.T) {
	v := planted.Mended
	if *showBugs {
		v = planted.Planted
	}
	for _, b := range bugs {
		t.Run(b.program, func(t *testing.T) { pooltest.Run(t, b.of(v)) })
	}
}
