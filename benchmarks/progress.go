package main

import (
	"fmt"
	"io"
	"math"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// progress shows how far a run is: as a bar on a terminal, and otherwise as a
// line for each contender that is done, which suits a log.
type progress struct {
	out io.Writer
	bar *progressbar.ProgressBar // nil if out is no terminal
}

func newProgress(out *os.File, steps int) *progress {
	p := &progress{out: out}
	if term.IsTerminal(int(out.Fd())) {
		p.bar = progressbar.NewOptions(steps,
			progressbar.OptionSetWriter(out),
			progressbar.OptionSetWidth(24),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionFullWidth(),
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// step is told that a contender has had its turn.
func (p *progress) step(w *harness.Workload, c *harness.Case, _ *harness.Contender) {
	if p.bar == nil {
		return
	}
	p.bar.Describe(w.Name + ", " + c.Name)
	_ = p.bar.Add(1) // a bar that cannot be drawn is no reason to stop
}

// finished is told what was measured in a case.
func (p *progress) finished(w *harness.Workload, result *harness.CaseResult) {
	if p.bar != nil {
		return
	}
	q := result.Case.Headline()
	for _, e := range result.Entries {
		path := harness.Path(w, result.Case, e.Contender)
		if median := e.Median(q); !math.IsNaN(median) {
			fmt.Fprintf(p.out, "%-64s %14.2f %s\n", path, median, q.Name)
		} else {
			fmt.Fprintf(p.out, "%-64s %14s %s\n", path, "–", e.Unable)
		}
	}
}

func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
