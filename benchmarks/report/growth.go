package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// grows tells whether the case is drawn as lines.
func grows(c *harness.CaseResult) bool {
	return slices.ContainsFunc(c.Entries, func(e *harness.Entry) bool { return e.Contender.Series != "" })
}

// writeGrowth writes a table with a column for each line and a row for each
// point, and below how many times the smallest figure the largest is.
func writeGrowth(b *strings.Builder, c *harness.CaseResult) {
	names, xs, figures := pivot(c)
	fmt.Fprintf(b, "| %s | %s |\n| ---: |%s\n", c.Case.Name, strings.Join(names, " | "), strings.Repeat(" ---: |", len(names)))
	for _, x := range xs {
		cells := []string{whole(x)}
		for _, name := range names {
			cells = append(cells, numberAt(figures[name], x))
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
	cells := []string{"largest / smallest"}
	for _, name := range names {
		lowest, highest := math.Inf(1), math.Inf(-1)
		for _, figure := range figures[name] {
			lowest, highest = min(lowest, figure), max(highest, figure)
		}
		cells = append(cells, number(highest/lowest))
	}
	fmt.Fprintf(b, "| %s |\n\nFigures are %s.\n", strings.Join(cells, " | "), c.Case.Headline().Name)
}

// pivot returns the lines, the points, and the figure of each line at each
// point.
func pivot(c *harness.CaseResult) (names []string, xs []float64, figures map[string]map[float64]float64) {
	figures = map[string]map[float64]float64{}
	for _, e := range c.Entries {
		if len(e.Samples) == 0 {
			continue
		}
		name, x := e.Contender.Series, e.Contender.X
		if figures[name] == nil {
			names = append(names, name)
			figures[name] = map[float64]float64{}
		}
		if !slices.Contains(xs, x) {
			xs = append(xs, x)
		}
		figures[name][x] = e.Median(c.Case.Headline())
	}
	slices.Sort(xs)
	return names, xs, figures
}

func numberAt(figures map[float64]float64, x float64) string {
	if figure, ok := figures[x]; ok {
		return number(figure)
	}
	return "–"
}
