package planted_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool/pooltest"
	"github.com/greenroom-go/greenroom/pool/pooltest/internal/planted"
)

var writeTable = flag.String("table", "", "measure, and write the table to this file")

// committed is where the table is.
const committed = "../../../../docs/planted-bugs.md"

const (
	starts    = 21   // first seeds, far enough from each other, for each bug and strategy
	plainRuns = 1000 // without a search
)

// TestTable compares the table in docs with what the search finds now. The columns about
// runs without a search depend on the machine and are taken as they are; with -table they
// are measured, too.
func TestTable(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	if _, again := compared.LoadOrStore(runtime.GOMAXPROCS(0), true); again {
		t.Skip("was compared in this process on as many processors, and nothing in it is drawn anew")
	}
	if *writeTable != "" {
		require.NoError(t, os.WriteFile(*writeTable, []byte(table(t, measured(t))), 0o644))
		return
	}
	text, err := os.ReadFile(committed)
	require.NoError(t, err)
	require.Equal(t, table(t, readPlain(t, string(text))), string(text),
		"what is found has changed; to write the table anew: %s", command)
}

// compared are the numbers of processors on which TestTable has run.
var compared sync.Map

const command = "go test -race ./pool/pooltest/internal/planted -run '^TestTable$' -table ../../../../docs/planted-bugs.md"

// plain is what came of runs without a search.
type plain struct {
	where string            // they were measured
	cells map[string]string // the last two of each row, by program
}

// table is the text of the document.
func table(t *testing.T, p plain) string {
	var b strings.Builder
	fmt.Fprintf(&b, preface, starts, plainRuns, command, p.where)
	for _, bug := range bugs {
		pct, walk := runsUntilFound(t, bug, pooltest.PCT), runsUntilFound(t, bug, pooltest.RandomWalk)
		f := pooltest.Search(t, pooltest.Options{Strategy: pooltest.PCT, Seeds: bound}, bug.of(planted.Planted))
		require.NotNil(t, f)
		switches := 0
		for _, step := range f.Trace {
			if step.Switch {
				switches++
			}
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %d, %d | %s |\n", bug.kind, bug.program, pct, walk, len(f.Trace), switches, p.cells[bug.program])
	}
	return b.String()
}

// runsUntilFound is the median and the maximum.
func runsUntilFound(t *testing.T, b bug, s pooltest.Strategy) string {
	var runs []int
	for i := range uint64(starts) {
		f := pooltest.Search(t, pooltest.Options{Strategy: s, First: 1 + i*bound, Seeds: bound, NoShrink: true}, b.of(planted.Planted))
		require.NotNil(t, f, "%v does not find %s with the %d seeds from %d", s, b.kind, bound, 1+i*bound)
		runs = append(runs, f.Runs)
	}
	slices.Sort(runs)
	return fmt.Sprintf("%d, %d", runs[starts/2], runs[starts-1])
}

const preface = `# Planted bugs, and what finds them

Ten small programs of actors, each with a bug of a kind that public issues report, are in
pool/pooltest/internal/planted, with the tests that show the bugs. This table says after how
many runs they do. None shows in the simplest order, in which nobody is interrupted
(` + "`TestThePlantedBugsDoNotShowInTheSimplestOrder`" + `).

The programs were chosen, and changed, until plain runs found their bugs late or not at all. So
the table says that there are such bugs, and what a search does about them. It does not say how
many bugs are like these.

- **PCT, random walk**: runs of pooltest.Search until the bug shows, median and maximum of %d
  searches with different seeds. They are the same on any machine; ` + "`TestTable`" + ` compares them with
  this file.
- **Run that is shown**: what the first of those searches with PCT is shrunk to: steps, and how
  many of them are context switches.
- **Without a search**: the same test with pooltest.Run, as with -race -count=%d: the number of
  the first run that fails, and how many do. Under the race detector Go's scheduler draws who is
  next, too; so the bugs show that need somebody to be held back while others go on, however
  long, and those do not that need a third to come at a certain moment of that. These two
  columns depend on the machine, and on what else it does. They are measured by

      %s

  and were with %s.

| bug | program | PCT | random walk | run that is shown | first failing run without a search | failing runs |
| --- | --- | --- | --- | --- | --- | --- |
`

var whereMeasured = regexp.MustCompile(`(?m)^  and were with (.*)\.$`)

// readPlain reads the columns that are not compared.
func readPlain(t *testing.T, text string) plain {
	where := whereMeasured.FindStringSubmatch(text)
	require.NotNil(t, where, "%s does not say where the runs without a search were measured", committed)
	p := plain{where: where[1], cells: map[string]string{}}
	for row := range strings.Lines(text) {
		if cells := strings.Split(strings.Trim(row, "|\n"), "|"); len(cells) == 7 {
			p.cells[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[5]) + " | " + strings.TrimSpace(cells[6])
		}
	}
	return p
}

// measured runs the tests without a search.
func measured(t *testing.T) plain {
	require.True(t, withRace(), "the table is to be written with -race: %s", command)
	p := plain{
		where: fmt.Sprintf("%s and GOMAXPROCS %d", runtime.Version(), runtime.GOMAXPROCS(0)),
		cells: map[string]string{},
	}
	for _, b := range bugs {
		first, failing := failures(t, b)
		p.cells[b.program] = fmt.Sprintf("%d | %d", first, failing)
		if failing == 0 {
			p.cells[b.program] = fmt.Sprintf("not in %d | 0", plainRuns)
		}
	}
	return p
}

// failures runs the test of a bug in a process of its own, and returns the number of the
// first run that fails, if any does, and how many fail.
func failures(t *testing.T, b bug) (first, failing int) {
	run := exec.Command(os.Args[0], "-planted", "-test.v", "-test.count", fmt.Sprint(plainRuns), "-test.run", "^TestWithoutSearch$/^"+b.program+"$")
	out, _ := run.CombinedOutput() // it fails if a run does
	seen := 0
	for line := range bytes.Lines(out) {
		passed := bytes.HasPrefix(line, []byte("    --- PASS: TestWithoutSearch/"))
		failed := bytes.HasPrefix(line, []byte("    --- FAIL: TestWithoutSearch/"))
		if passed || failed {
			seen++
		}
		if failed {
			failing++
			if first == 0 {
				first = seen
			}
		}
	}
	require.Equal(t, plainRuns, seen, "runs of %s: %s", b.program, out)
	return first, failing
}
