package peers

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

//go:embed threadpool.py
var threadPoolScript string

// ThreadPoolName is the contender that runs in CPython.
const ThreadPoolName = "CPython ThreadPool"

var pythonVersion atomic.Value

// PythonVersion is the version of the Python that took part, or empty.
func PythonVersion() string {
	v, _ := pythonVersion.Load().(string)
	return v
}

// ThreadPool is Python's own pool, which does n tasks of the workload in a
// process of its own and reports what they cost, without the start of Python.
// It is given fewer tasks than the others, since each takes so long.
func ThreadPool(workload string, workers, n int, more ...int) harness.Contender {
	return harness.Contender{
		Name: ThreadPoolName,
		Kind: harness.Python,
		N:    n,
		Run: func(m *harness.Meter, n int) error {
			cost, err := runPython(workload, append([]int{workers, n}, more...))
			if err != nil {
				return err
			}
			pythonVersion.Store(cost.Version)
			m.Record(cost.Tasks, time.Duration(cost.Wall), time.Duration(cost.CPU))
			return nil
		},
	}
}

type pythonCost struct {
	Tasks     int
	Wall, CPU int64 // in ns
	Version   string
}

func runPython(workload string, arguments []int) (cost pythonCost, err error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return cost, harness.Unable("not installed")
	}
	command := []string{"-c", threadPoolScript, workload}
	for _, a := range arguments {
		command = append(command, strconv.Itoa(a))
	}
	out, err := exec.Command(python, command...).Output()
	if err != nil {
		// A system that cannot start a thousand threads must not end the run.
		return cost, harness.Unable("failed: " + lastLine(err))
	}
	if err := json.Unmarshal(out, &cost); err != nil {
		return cost, fmt.Errorf("read what threadpool.py printed: %w", err)
	}
	return cost, nil
}

// lastLine is what a Python program that failed said last.
func lastLine(err error) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err.Error()
	}
	lines := strings.Split(string(bytes.TrimSpace(exit.Stderr)), "\n")
	return lines[len(lines)-1]
}
