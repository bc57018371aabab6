package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

func writeWorkload(b *strings.Builder, w *harness.WorkloadResult) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n", w.Workload.Title, w.Workload.About)
	for _, c := range w.Cases {
		writeCase(b, w.Workload, c)
	}
}

func writeCase(b *strings.Builder, w *harness.Workload, c *harness.CaseResult) {
	fmt.Fprintf(b, "### %s, %s\n\n", w.Name, c.Case.Name)
	if c.Rounds() > 0 {
		writeChart(b, w, c.Case)
	}
	if grows(c) {
		writeGrowth(b, c)
	} else {
		writeContenders(b, c)
	}
	fmt.Fprintf(b, "\n%s\n\n", rounds(c))
}

func writeContenders(b *strings.Builder, c *harness.CaseResult) {
	reference := c.Reference()
	writeHead(b, c.Case, reference)
	for _, e := range sorted(c) {
		writeEntry(b, c.Case, e, reference)
	}
}

func writeChart(b *strings.Builder, w *harness.Workload, c *harness.Case) {
	fmt.Fprintf(b, "![%s, %s](%s/%s)\n\n", w.Name, c.Name, directoryName, chartName(w, c))
}

// rounds says how much stands behind the figures.
func rounds(c *harness.CaseResult) string {
	n := c.Rounds()
	switch {
	case n == 0:
		return "Nobody took part."
	case n == 1 && c.Noisy == 0:
		return "One round."
	case n == 1:
		return "One round, a noisy one."
	case c.Noisy == 0:
		return fmt.Sprintf("%d rounds.", n)
	default:
		return fmt.Sprintf("%d rounds, %d of them noisy.", n, c.Noisy)
	}
}

func writeHead(b *strings.Builder, c *harness.Case, reference *harness.Entry) {
	heads := []string{"contender", c.Headline().Name, "lowest – highest"}
	if reference != nil {
		heads = append(heads, "× "+reference.Contender.Name)
	}
	for _, q := range c.Columns()[1:] {
		heads = append(heads, q.Name)
	}
	fmt.Fprintf(b, "| %s |\n| --- |%s\n", strings.Join(heads, " | "), strings.Repeat(" ---: |", len(heads)-1))
}

func writeEntry(b *strings.Builder, c *harness.Case, e *harness.Entry, reference *harness.Entry) {
	name := e.Contender.Name
	if e.Contender.Kind == harness.Greenroom {
		name = "**" + name + "**"
	}
	if len(e.Samples) == 0 {
		fmt.Fprintf(b, "| %s | %s |%s\n", name, e.Unable, strings.Repeat(" |", columns(c, reference)-2))
		return
	}
	q := c.Headline()
	lowest, highest := harness.Range(e.Values(q))
	cells := []string{name, number(e.Median(q)), number(lowest) + " – " + number(highest)}
	if reference != nil {
		cells = append(cells, number(e.Ratio(q, reference)))
	}
	for _, q := range c.Columns()[1:] {
		cells = append(cells, count(e.Median(q)))
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func columns(c *harness.Case, reference *harness.Entry) int {
	n := 2 + len(c.Columns())
	if reference != nil {
		n++
	}
	return n
}

// sorted puts the fastest first and those without figures last.
func sorted(c *harness.CaseResult) []*harness.Entry {
	entries := slices.Clone(c.Entries)
	key := func(e *harness.Entry) float64 {
		median := e.Median(c.Case.Headline())
		if math.IsNaN(median) {
			return math.Inf(1)
		}
		return median
	}
	slices.SortStableFunc(entries, func(a, b *harness.Entry) int { return cmp.Compare(key(a), key(b)) })
	return entries
}
