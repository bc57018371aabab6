package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// lines draws how the cost of a task grows, on two logarithmic axes, a line for
// each series.
func lines(title string, c *harness.CaseResult) chart {
	p := newPlot(title)
	p.X.Label.Text = c.Case.Name
	p.Y.Label.Text = c.Case.Headline().Name
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	series := seriesOf(c)
	p.X.Tick.Marker = plot.ConstantTicks(scaleX(series))
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = faint, faint
	p.Add(grid)
	lowest, highest := math.Inf(1), math.Inf(-1)
	for i, s := range series {
		line, points, err := plotter.NewLinePoints(s.points)
		if err != nil {
			panic(fmt.Sprintf("report: the points of %s: %v", s.name, err)) // no NaN is among them
		}
		line.Color, points.Color = s.colour(), s.colour()
		line.Width = vg.Points(2)
		if s.kind != harness.Greenroom || i%2 == 1 {
			line.Dashes = dashes(i)
		}
		p.Add(line, points)
		p.Legend.Add(s.name, line, points)
		for _, point := range s.points {
			lowest, highest = min(lowest, point.Y), max(highest, point.Y)
		}
	}
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Points(3)
	p.Y.Min, p.Y.Max = lowest/2, highest*4 // room for the legend
	p.Y.Tick.Marker = plot.TickerFunc(func(lowest, highest float64) []plot.Tick {
		return withThousands(plot.LogTicks{}.Ticks(lowest, highest))
	})
	return chart{p, chartWidth, 4.5 * vg.Inch}
}

// series is one line.
type series struct {
	name   string
	kind   harness.Kind
	points plotter.XYs
}

func seriesOf(c *harness.CaseResult) []*series {
	var all []*series
	for _, e := range c.Entries {
		if len(e.Samples) == 0 {
			continue
		}
		i := slices.IndexFunc(all, func(s *series) bool { return s.name == e.Contender.Series })
		if i < 0 {
			i = len(all)
			all = append(all, &series{name: e.Contender.Series, kind: e.Contender.Kind})
		}
		all[i].points = append(all[i].points, plotter.XY{X: e.Contender.X, Y: e.Median(c.Case.Headline())})
	}
	return all
}

// scaleX finds the places of the ticks, one for each value of the contenders.
// A logarithmic axis has no zero: it stands a decade left of the others.
func scaleX(all []*series) []plot.Tick {
	smallest := math.Inf(1)
	for _, s := range all {
		for _, point := range s.points {
			if point.X > 0 {
				smallest = min(smallest, point.X)
			}
		}
	}
	var ticks []plot.Tick
	for _, s := range all {
		for i := range s.points {
			tick := plot.Tick{Value: s.points[i].X, Label: whole(s.points[i].X)}
			if tick.Value == 0 {
				tick.Value = smallest / 10
				s.points[i].X = tick.Value
			}
			if !slices.Contains(ticks, tick) {
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}

func (s *series) colour() color.Color {
	if s.kind == harness.Greenroom {
		return highlight
	}
	return muted
}

func dashes(i int) []vg.Length {
	length := vg.Points(float64(2 + 3*(i%3)))
	return []vg.Length{length, vg.Points(3)}
}
