package report

import (
	"bytes"
	"fmt"
	"image/color"
	"iter"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

var (
	highlight = color.RGBA{R: 0x1b, G: 0x8a, B: 0x5a, A: 0xff}
	muted     = color.RGBA{R: 0xb4, G: 0xb9, B: 0xbf, A: 0xff}
	text      = color.RGBA{R: 0x24, G: 0x29, B: 0x2f, A: 0xff}
	faint     = color.RGBA{R: 0xe3, G: 0xe6, B: 0xe9, A: 0xff}
)

// chart is a plot with its size.
type chart struct {
	plot          *plot.Plot
	width, height vg.Length
}

const (
	chartWidth = 8 * vg.Inch
	// margin is more than it would have to be, for fonts that are wider than the
	// one that the plot was measured with.
	margin = vg.Length(16)
)

// chartsOf draws each case that has figures, by the name of its file.
func chartsOf(results *harness.Results) iter.Seq2[string, chart] {
	return func(yield func(string, chart) bool) {
		for _, w := range results.Workloads {
			for _, c := range w.Cases {
				if c.Rounds() == 0 {
					continue // nobody could take part
				}
				title := w.Workload.Name + ", " + c.Case.Name
				drawn := bars(title, c)
				if grows(c) {
					drawn = lines(title, c)
				}
				if !yield(chartName(w.Workload, c.Case), drawn) {
					return
				}
			}
		}
	}
}

// newPlot has the looks that all charts share.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.Text = title
	p.Title.Padding = vg.Points(8)
	styles := []*draw.TextStyle{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle,
		&p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	}
	for _, style := range styles {
		style.Font.Variant = "Sans"
		style.Font.Size = vg.Points(10)
		style.Color = text
	}
	p.Title.TextStyle.Font.Size = vg.Points(13)
	return p
}

// fallback follows the font's name in the SVG: most readers have not got the
// first, and the others have the same widths.
const fallback = "Liberation Sans,Arial,Helvetica,sans-serif"

func (c chart) svg() ([]byte, error) {
	canvas := vgsvg.New(c.width, c.height)
	whole := draw.New(canvas)
	whole.FillPolygon(color.White, []vg.Point{{}, {X: c.width}, {X: c.width, Y: c.height}, {Y: c.height}})
	c.plot.Draw(draw.Crop(whole, margin, -margin, margin, -margin))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("write SVG: %w", err)
	}
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:"+fallback+";")), nil
}

// label is the style of text inside of a chart.
func label(size vg.Length) draw.TextStyle {
	return draw.TextStyle{
		Color:   text,
		Font:    font.Font{Typeface: plot.DefaultFont.Typeface, Variant: "Sans", Size: size},
		YAlign:  draw.YCenter,
		Handler: plot.DefaultTextHandler,
	}
}
