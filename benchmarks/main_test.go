package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/workloads"
)

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		arguments []string
		out       string
		rounds    int
	}{
		"a full run writes to the docs":              {nil, defaultOut, defaultRounds},
		"a short run has one round and writes none":  {[]string{"-short", "-rounds", "9"}, "", 1},
		"a part of a run writes none":                {[]string{"-only", "submit"}, "", defaultRounds},
		"a part is written if there is a place":      {[]string{"-only", "submit", "-out", "x"}, "x", defaultRounds},
		"so is a short run":                          {[]string{"-short", "-out", "x"}, "x", 1},
		"a full run with other rounds to elsewhere":  {[]string{"-rounds", "3", "-out", "x"}, "x", 3},
		"a full run with other rounds is still full": {[]string{"-rounds", "3"}, defaultOut, 3},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := parse(c.arguments, io.Discard)
			require.NoError(t, err)
			require.Equal(t, c.out, o.out)
			require.Equal(t, c.rounds, o.rounds)
		})
	}
}

func TestCommandLinesThatMeanNothing(t *testing.T) {
	for _, arguments := range [][]string{
		{"-rounds", "0"}, {"-rounds", "many"}, {"-only", "("}, {"-fast"}, {"submit"},
	} {
		_, err := parse(arguments, io.Discard)
		require.ErrorAs(t, err, new(usageError), "%v", arguments)
	}
}

func TestHelpExplains(t *testing.T) {
	var out bytes.Buffer
	_, err := parse([]string{"-h"}, &out)
	require.ErrorIs(t, err, flag.ErrHelp)
	for _, word := range []string{"docs/performance.md", "-short", "-only regexp", "-rounds rounds", "-out directory", "-list"} {
		require.Contains(t, out.String(), word)
	}
}

func TestChooseKeepsWhatMatches(t *testing.T) {
	all := workloads.All(workloads.Short)
	o, err := parse([]string{"-only", "submit/64 producers/(Greenroom Go|channel)$"}, io.Discard)
	require.NoError(t, err)
	chosen := choose(all, o.only.MatchString)
	require.Len(t, chosen, 1)
	require.Len(t, chosen[0].Cases, 1)
	require.Len(t, chosen[0].Cases[0].Contenders, 2)
	require.Len(t, all[0].Cases, 2, "what it was chosen from is as before")
	require.Empty(t, choose(all, func(string) bool { return false }))
	require.Equal(t, len(all), len(choose(all, func(string) bool { return true })))
}

func TestNothingChosenIsAnError(t *testing.T) {
	err := run([]string{"-only", "no such thing"})
	require.ErrorAs(t, err, new(usageError))
	require.ErrorContains(t, err, "-list")
}

func TestShortRunOfOnePeerWritesAReportWhereItIsTold(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, run([]string{"-short", "-only", "apply/background/(ants.Pool|channel)$", "-out", dir}))
	text, err := os.ReadFile(filepath.Join(dir, "performance.md"))
	require.NoError(t, err)
	require.Contains(t, string(text), "go run -C benchmarks . -short -only 'apply/background/(ants.Pool|channel)$' -out")
	require.Contains(t, string(text), "This was a short run")
	require.FileExists(t, filepath.Join(dir, "performance", "apply-background.svg"))
}

func TestProgressInALogIsALineForEachContender(t *testing.T) {
	var out bytes.Buffer
	p := &progress{out: &out}
	w := &harness.Workload{Name: "w"}
	c := &harness.CaseResult{Case: &harness.Case{Name: "c"}, Entries: []*harness.Entry{
		{Contender: &harness.Contender{Name: "a"}, Samples: []harness.Sample{{Tasks: 2, Wall: 100}}},
		{Contender: &harness.Contender{Name: "b"}, Unable: "no order"},
	}}
	p.step(w, c.Case, c.Entries[0].Contender)
	p.finished(w, c)
	p.close()
	require.Regexp(t, `^w/c/a +50.00 ns/task\nw/c/b +– no order\n$`, out.String())
}

func TestArgumentsAreQuotedForAShell(t *testing.T) {
	require.Equal(t, []string{"-only", "'a b|c'", `'it'\''s'`}, quoted([]string{"-only", "a b|c", "it's"}))
}
