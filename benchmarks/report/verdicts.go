package report

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/targets"
)

const aboutTargets = `What must be reached, what is aimed for, and what this run says. Where a row names *the
best pool* or the like, the column *measured* says who that was: the one with the
lowest median. *ants* is the fastest of its three forms.
`

func writeTargets(b *strings.Builder, results *harness.Results, rows []targets.Row, notes fs.FS) error {
	b.WriteString("## How fast it has to be\n\n")
	b.WriteString(aboutTargets)
	b.WriteString("\n| work | must reach | aim | measured | verdict |\n| --- | --- | --- | --- | --- |\n")
	var failing []string
	for _, row := range rows {
		verdict := row.Judge(results)
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n",
			row.Name, limits(row.Must), limits(row.Aim), measured(row, results), verdict)
		if verdict == targets.DoesNotHold {
			failing = append(failing, row.Name)
		}
	}
	b.WriteString("\n")
	return writeNotes(b, failing, notes)
}

// limits lists each condition once, however many figures it is for. Where the
// figures of a row have limits of their own, it says which is whose.
func limits(bounds []targets.Bound) string {
	var texts []string
	for _, bound := range bounds {
		text := bound.String()
		if slices.ContainsFunc(bounds, func(other targets.Bound) bool {
			return other.Unit == bound.Unit && other.Limit != bound.Limit
		}) {
			text = bound.Label + ": " + text
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "; ")
}

// measured lists the figure of each bound, and once only if what must be
// reached and what is aimed for look at the same.
func measured(row targets.Row, results *harness.Results) string {
	var texts []string
	for _, bound := range slices.Concat(row.Must, row.Aim) {
		text := figure(bound, bound.Of(results))
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "; ")
}

func figure(bound targets.Bound, m targets.Measured) string {
	label := ""
	if bound.Label != "" {
		label = bound.Label + ": "
	}
	switch {
	case !m.Known():
		return label + "–"
	case m.Against != "":
		return label + number(m.Value) + " × " + m.Against
	default:
		return label + number(m.Value) + " " + bound.Unit
	}
}

// writeNotes gives the reasons that somebody has written down for rows that do
// not hold.
func writeNotes(b *strings.Builder, failing []string, notes fs.FS) error {
	for _, name := range failing {
		text, err := fs.ReadFile(notes, name+".md")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the note on %s: %w", name, err)
		}
		fmt.Fprintf(b, "### Why %s does not hold\n\n%s\n\n", name, strings.TrimSpace(string(text)))
	}
	return nil
}
