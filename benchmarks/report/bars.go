package report

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// logarithmicFrom is the spread of values from which an axis is logarithmic:
// on a linear one the short bars could no longer be told apart.
const logarithmicFrom = 20

// bars draws a case as horizontal bars, the fastest on top.
func bars(title string, c *harness.CaseResult) chart {
	p := newPlot(title)
	b := newBarPlot(c)
	p.Add(b)
	p.NominalY(b.names...)
	// Names may be wider in the reader's font: unseen ticks keep them off the bars.
	p.Y.Tick.LineStyle = draw.LineStyle{Color: color.White, Width: vg.Points(0.1)}
	p.Y.Tick.Length = vg.Points(14)
	p.Y.LineStyle.Width = 0
	p.X.Label.Text = c.Case.Headline().Name
	p.X.Tick.LineStyle.Color = muted
	p.X.LineStyle.Color = muted
	p.X.Min, p.X.Max = b.axis()
	p.X.Tick.Marker = plot.TickerFunc(func(lowest, highest float64) []plot.Tick {
		return withThousands(plot.DefaultTicks{}.Ticks(lowest, highest))
	})
	if b.logarithmic {
		p.X.Label.Text += " (logarithmic)"
		p.X.Scale = plot.LogScale{}
		p.X.Tick.Marker = plot.TickerFunc(func(lowest, highest float64) []plot.Tick {
			return withThousands(plot.LogTicks{}.Ticks(lowest, highest))
		})
	}
	height := vg.Points(20)*vg.Length(len(b.names)) + vg.Points(110)
	return chart{p, chartWidth, height}
}

// barPlot draws bars that may lie on a logarithmic axis, which has no zero for
// them to start from.
type barPlot struct {
	names       []string
	values      []float64
	highlighted []bool
	logarithmic bool
}

func newBarPlot(c *harness.CaseResult) *barPlot {
	b := &barPlot{}
	entries := sorted(c)
	slices.Reverse(entries) // the axis of names goes up
	for _, e := range entries {
		if value := e.Median(c.Case.Headline()); !math.IsNaN(value) {
			b.names = append(b.names, e.Contender.Name)
			b.values = append(b.values, value)
			b.highlighted = append(b.highlighted, e.Contender.Kind == harness.Greenroom)
		}
	}
	if len(b.values) == 0 {
		return b
	}
	lowest := slices.Min(b.values)
	b.logarithmic = lowest > 0 && slices.Max(b.values)/lowest > logarithmicFrom
	return b
}

// axis leaves room for the number behind the longest bar.
func (b *barPlot) axis() (lowest, highest float64) {
	if len(b.values) == 0 {
		return 0, 1
	}
	highest = slices.Max(b.values)
	if !b.logarithmic {
		return 0, math.Max(highest, math.SmallestNonzeroFloat32) * 1.15
	}
	lowest = math.Pow(10, math.Floor(math.Log10(slices.Min(b.values)*0.7)))
	return lowest, highest * math.Pow(highest/lowest, 0.15)
}

// Plot implements plot.Plotter.
func (b *barPlot) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	half := vg.Points(7)
	for i, value := range b.values {
		fill := muted
		if b.highlighted[i] {
			fill = highlight
		}
		middle, end := y(float64(i)), x(value)
		c.FillPolygon(fill, []vg.Point{
			{X: c.Min.X, Y: middle - half}, {X: end, Y: middle - half},
			{X: end, Y: middle + half}, {X: c.Min.X, Y: middle + half},
		})
		c.FillText(label(vg.Points(9)), vg.Point{X: end + vg.Points(4), Y: middle}, number(value))
	}
}

// DataRange implements plot.DataRanger.
func (b *barPlot) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = b.axis()
	return xmin, xmax, -0.6, float64(len(b.values)) - 0.4
}

// withThousands writes the labels of ticks as the rest of the report does.
func withThousands(ticks []plot.Tick) []plot.Tick {
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = tickLabel(ticks[i].Value)
		}
	}
	return ticks
}
