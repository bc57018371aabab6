package report

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

// Context is what a reader needs to know about a run besides its results.
type Context struct {
	// Command made the report.
	Command string
	Date    time.Time
	Took    time.Duration
	CPU     string
	Cores   int
	Procs   int
	OS      string
	Go      string
	// Modules are those that take part, with their versions.
	Modules []Module
}

// Module is a library that takes part.
type Module struct{ Path, Version string }

// Here describes this machine and this program.
func Here() Context {
	return Context{
		Date:    time.Now().UTC(),
		CPU:     cpuModel(),
		Cores:   runtime.NumCPU(),
		Procs:   runtime.GOMAXPROCS(0),
		OS:      operatingSystem(),
		Go:      runtime.Version(),
		Modules: modules(),
	}
}

func cpuModel() string {
	if model := field("/proc/cpuinfo", "model name", ":"); model != "" {
		return model
	}
	return "not known (" + runtime.GOARCH + ")"
}

func operatingSystem() string {
	name := runtime.GOOS + "/" + runtime.GOARCH
	if pretty := strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`); pretty != "" {
		name = pretty + ", " + name
	}
	return name
}

// field is the value of the first line of a file that has the key, or empty.
func field(file, key, separator string) string {
	f, err := os.Open(file)
	if err != nil {
		return "" // another system; the report says less about it
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if k, v, ok := strings.Cut(lines.Text(), separator); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// contenders are the modules whose versions matter.
var contenders = []string{
	"github.com/panjf2000/ants/v2",
	"github.com/alitto/pond/v2",
	"github.com/sourcegraph/conc",
	"github.com/gammazero/workerpool",
	"golang.org/x/sync",
	"github.com/asynkron/protoactor-go",
}

// modules are the versions that this program was built with.
func modules() []Module {
	var found []Module
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, dep := range info.Deps {
		if slices.Contains(contenders, dep.Path) {
			found = append(found, Module{dep.Path, dep.Version})
		}
	}
	if version := peers.PythonVersion(); version != "" {
		found = append(found, Module{"Python", version})
	}
	return found
}
