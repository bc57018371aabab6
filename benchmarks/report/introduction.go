package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

const howToRead = `All contenders ran in one process, compiled into one program. For each case they
took turns, round by round, in an order drawn anew for each round, after a warm-up
that does not count. The garbage was collected before each turn. Figures are medians
over the rounds; *lowest* and *highest* are over the rounds too. A ratio is computed
in each round, between two contenders of that round, and then the median is taken:
what disturbs a round disturbs both. CPU is user and system time of the whole process,
for CPython of its own. Allocations and bytes are those on the heap. Pools have
8 workers unless the text says otherwise.
`

func writeIntroduction(b *strings.Builder, results *harness.Results, c Context) {
	b.WriteString("# Performance\n\n")
	b.WriteString("Greenroom beside other pools, beside what people write by hand, and beside Python's\nThreadPool. ")
	fmt.Fprintf(b, "This file was written by\n\n```sh\n%s\n```\n\n", c.Command)
	b.WriteString("| | |\n| --- | --- |\n")
	fmt.Fprintf(b, "| date | %s, a run of %s |\n", c.Date.Format(time.DateOnly), c.Took.Round(time.Second))
	fmt.Fprintf(b, "| machine | %s, %d cores, GOMAXPROCS %d |\n", c.CPU, c.Cores, c.Procs)
	fmt.Fprintf(b, "| system | %s |\n", c.OS)
	fmt.Fprintf(b, "| Go | %s |\n", c.Go)
	for _, m := range c.Modules {
		fmt.Fprintf(b, "| %s | %s |\n", m.Path, m.Version)
	}
	fmt.Fprintf(b, "| rounds | %d, fewer where a case says so |\n\n", results.Rounds)
	b.WriteString(howToRead)
	b.WriteString("\n")
	writeCanary(b, results)
}

func writeCanary(b *strings.Builder, results *harness.Results) {
	if len(results.Readings) == 0 {
		b.WriteString("This was a short run: it had no warm-up, it asked no canary, and its times mean\nnothing.\n\n")
		return
	}
	noisy, tries := 0, 0
	var one, ratios []float64
	for _, r := range results.Readings {
		if !r.Quiet {
			noisy++
		}
		tries += r.Tries
		one = append(one, float64(r.One)/float64(time.Millisecond))
		ratios = append(ratios, r.Ratio())
	}
	noisyRounds, rounds := 0, 0
	for _, w := range results.Workloads {
		for _, c := range w.Cases {
			noisyRounds += c.Noisy
			rounds += c.Rounds()
		}
	}
	lowest, highest := harness.Range(ratios)
	fmt.Fprintf(b, "Before turns a canary runs the same computation on one thread (%s ms) and on two.\n"+
		"The machine counts as quiet if that takes less than %s times as long; otherwise the\n"+
		"turn waits a little, and goes on at last as part of a noisy round. The ratio was %s\n"+
		"in the median (%s to %s); %d of %d turns that were looked at were noisy, and so %d of\n"+
		"%d rounds; the canary was asked %d times.\n\n",
		number(harness.Median(one)), number(harness.QuietBelow), number(harness.Median(ratios)), number(lowest), number(highest),
		noisy, len(results.Readings), noisyRounds, rounds, tries)
}
