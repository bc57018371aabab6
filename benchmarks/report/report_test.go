package report_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/report"
	"github.com/greenroom-go/greenroom/benchmarks/targets"
)

var update = flag.Bool("update", false, "write testdata/performance.golden anew")

// entry is a contender that took so many nanoseconds a task, round by round.
func entry(contender harness.Contender, nanoseconds ...int) *harness.Entry {
	e := &harness.Entry{Contender: &contender, Unable: contender.Unable}
	for _, ns := range nanoseconds {
		e.Samples = append(e.Samples, harness.Sample{
			Tasks: 1000, Wall: time.Duration(1000 * ns), CPU: time.Duration(2000 * ns), Allocs: 2003, Bytes: 48_000,
		})
	}
	return e
}

// smallRun has one case of bars and one of lines.
func smallRun() *harness.Results {
	python := entry(harness.Contender{Name: "Python", Kind: harness.Python}, 7000, 7100, 7200)
	for i := range python.Samples {
		python.Samples[i].Allocs, python.Samples[i].Bytes = math.NaN(), math.NaN()
	}
	bars := &harness.CaseResult{Case: &harness.Case{Name: "1 producer"}, Noisy: 1, Entries: []*harness.Entry{
		entry(harness.Contender{Name: "pool", Kind: harness.Pool}, 480, 470, 900),
		entry(harness.Contender{Name: "ours", Kind: harness.Greenroom}, 36, 35, 70),
		entry(harness.Contender{Name: "weak", Kind: harness.Pool, Unable: "no results"}),
		python,
	}}
	point := func(series string, kind harness.Kind, x float64, ns int) *harness.Entry {
		return entry(harness.Contender{Name: series + ", " + report.TickLabel(x), Kind: kind, Series: series, X: x}, ns)
	}
	lines := &harness.CaseResult{Case: &harness.Case{Name: "depth"}, Entries: []*harness.Entry{
		point("ours", harness.Greenroom, 0, 30), point("ours", harness.Greenroom, 1000, 40),
		point("pool", harness.Pool, 0, 300), point("pool", harness.Pool, 1000, 500),
	}}
	return &harness.Results{
		Rounds:   3,
		Readings: []harness.Reading{{One: 5e6, Two: 5.1e6, Tries: 1, Quiet: true}, {One: 5e6, Two: 9e6, Tries: 4}},
		Workloads: []*harness.WorkloadResult{
			{Workload: &harness.Workload{Name: "submit", Title: "submit: a title", About: "What is done."}, Cases: []*harness.CaseResult{bars}},
			{Workload: &harness.Workload{Name: "growth", Title: "growth: a title", About: "What grows."}, Cases: []*harness.CaseResult{lines}},
		},
	}
}

func bound(limit float64, label, against string, value float64) targets.Bound {
	return targets.Bound{
		Limit: limit, Unit: "× a pool", Label: label,
		Of: func(*harness.Results) targets.Measured { return targets.Measured{Value: value, Against: against} },
	}
}

var rows = []targets.Row{
	{Name: "fast", Must: []targets.Bound{bound(0.5, "one", "pool", 0.25), bound(0.5, "two", "pool", 0.3)}, Aim: []targets.Bound{bound(0.4, "", "channel", 0.39)}},
	{Name: "slow", Must: []targets.Bound{bound(0.5, "a", "pool", 0.75), bound(0.1, "b", "pool", 0.05)}},
	{Name: "slow-without-a-note", Must: []targets.Bound{bound(0.5, "", "pool", 0.75)}},
	{Name: "missing", Must: []targets.Bound{bound(0.5, "", "", math.NaN())}},
}

var notes = fstest.MapFS{
	"fast.md": {Data: []byte("Not to be shown: the row holds.\n")},
	"slow.md": {Data: []byte("It waits for a lock.\n")},
}

var context = report.Context{
	Command: "go run -C benchmarks .",
	Date:    time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC),
	Took:    95 * time.Second,
	CPU:     "A CPU", Cores: 2, Procs: 2, OS: "an OS", Go: "go1.26",
	Modules: []report.Module{{Path: "example.com/pool", Version: "v1.2.3"}},
}

func TestReportOfASmallRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, report.Write(dir, smallRun(), context, rows, notes))
	got, err := os.ReadFile(filepath.Join(dir, "performance.md"))
	require.NoError(t, err)
	golden := filepath.Join("testdata", "performance.golden")
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "go test ./report -update writes it anew")
}

func TestEveryCaseHasAChartThatTheReportShows(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, report.Write(dir, smallRun(), context, rows, notes))
	text, err := os.ReadFile(filepath.Join(dir, "performance.md"))
	require.NoError(t, err)
	for _, name := range []string{"submit-1-producer.svg", "growth-depth.svg"} {
		require.Contains(t, string(text), "(performance/"+name+")")
		words, fills := readSVG(t, filepath.Join(dir, "performance", name))
		require.Contains(t, words, "ours")
		require.Contains(t, words, "pool")
		require.True(t, strings.Contains(fills, "#1B8A5A"), "Greenroom stands out")
	}
}

func TestBarsShowTheirNumbersAndLeaveOutWhoCannotTakePart(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, report.Write(dir, smallRun(), context, rows, notes))
	words, _ := readSVG(t, filepath.Join(dir, "performance", "submit-1-producer.svg"))
	require.Contains(t, words, "36.0")
	require.Contains(t, words, "7,100")
	require.Contains(t, words, "ns/task (logarithmic)", "7,100 is more than 20 times 36")
	require.NotContains(t, words, "weak")
}

func TestRunInWhichNobodyCouldTakePartIsStillAReport(t *testing.T) {
	results := smallRun()
	only := results.Workloads[0].Cases[0]
	only.Entries = []*harness.Entry{entry(harness.Contender{Name: "weak", Kind: harness.Pool, Unable: "no results"})}
	results.Workloads = results.Workloads[:1]
	results.Readings = nil
	require.NoError(t, report.Write(t.TempDir(), results, context, rows, notes))
}

func TestDirectoryThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	require.Error(t, report.Write(file, smallRun(), context, rows, notes))
}

// readSVG returns the texts of a well-formed SVG, and its styles in one string.
func readSVG(t *testing.T, file string) (words []string, styles string) {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	decoder := xml.NewDecoder(f)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return words, styles
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.CharData:
			words = append(words, string(token))
		case xml.StartElement:
			for _, a := range token.Attr {
				if a.Name.Local == "style" {
					styles += a.Value + "\n"
				}
			}
		}
	}
}
