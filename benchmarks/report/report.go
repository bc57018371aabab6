// Package report writes what a run has measured: docs/performance.md and its
// charts.
package report

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/targets"
)

// fileName is the report's, directoryName that of its charts.
const (
	fileName      = "performance.md"
	directoryName = "performance"
)

// Write writes the report and its charts below dir. notes has a file for rows
// that do not hold, if somebody has written one.
func Write(dir string, results *harness.Results, context Context, rows []targets.Row, notes fs.FS) error {
	charts := filepath.Join(dir, directoryName)
	if err := os.MkdirAll(charts, 0o755); err != nil {
		return fmt.Errorf("make the directory for charts: %w", err)
	}
	for name, chart := range chartsOf(results) {
		svg, err := chart.svg()
		if err != nil {
			return fmt.Errorf("draw %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(charts, name), svg, 0o644); err != nil {
			return fmt.Errorf("write a chart: %w", err)
		}
	}
	text, err := markdown(results, context, rows, notes)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// chartName is the file of a case's chart.
func chartName(workload *harness.Workload, c *harness.Case) string {
	return slug(workload.Name+" "+c.Name) + ".svg"
}

func markdown(results *harness.Results, context Context, rows []targets.Row, notes fs.FS) (string, error) {
	var b strings.Builder
	writeIntroduction(&b, results, context)
	if err := writeTargets(&b, results, rows, notes); err != nil {
		return "", err
	}
	for _, w := range results.Workloads {
		writeWorkload(&b, w)
	}
	return b.String(), nil
}
