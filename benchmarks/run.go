package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/report"
	"github.com/greenroom-go/greenroom/benchmarks/targets"
	"github.com/greenroom-go/greenroom/benchmarks/workloads"
)

// notes has, for rows of the table of targets that do not hold, why.
//
//go:embed notes
var notes embed.FS

const (
	// deadline is how long one turn of one contender may take.
	deadline = 2 * time.Minute
	// budget keeps a full run below 15 minutes where everything takes twice as
	// long as on a quiet machine with two cores.
	budget = 9 * time.Minute
)

func run(arguments []string) error {
	o, err := parse(arguments, os.Stderr)
	if err != nil {
		return err
	}
	scale := workloads.Full
	if o.short {
		scale = workloads.Short
	}
	chosen := choose(workloads.All(scale), o.only.MatchString)
	if len(chosen) == 0 {
		return usageError{fmt.Errorf("-only %v: nothing is called that; -list shows the names", o.only)}
	}
	if o.list {
		list(chosen)
		return nil
	}
	return measure(o, chosen, arguments)
}

func measure(o options, chosen []harness.Workload, arguments []string) error {
	began := time.Now()
	runner := &harness.Runner{Rounds: o.rounds, Deadline: deadline}
	if !o.short {
		runner.WarmUp = true
		runner.Budget = budget
		runner.Canary = harness.NewCanary()
	}
	show := newProgress(os.Stderr, runner.Steps(chosen))
	runner.Progress, runner.Finished = show.step, show.finished
	results, err := runner.Run(chosen)
	show.close()
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := write(o, results, arguments, time.Since(began)); err != nil {
			return err
		}
	}
	if o.short {
		return concludeShort(results)
	}
	return nil
}

func write(o options, results *harness.Results, arguments []string, took time.Duration) error {
	context := report.Here()
	context.Command = strings.Join(append([]string{"go run -C benchmarks ."}, quoted(arguments)...), " ")
	context.Took = took
	texts, err := fs.Sub(notes, "notes")
	if err != nil {
		return fmt.Errorf("open the notes: %w", err)
	}
	if err := report.Write(o.out, results, context, targets.Rows(), texts); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "wrote %s in %v\n", filepath.Join(o.out, "performance.md"), took.Round(time.Second))
	return nil
}

// quoted makes of the arguments what a shell takes for them.
func quoted(arguments []string) []string {
	words := make([]string, len(arguments))
	for i, a := range arguments {
		words[i] = a
		if strings.ContainsAny(a, " |()*?$'\"\\[]") {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return words
}

// concludeShort says whether everything ran and allocated no more than it may.
func concludeShort(results *harness.Results) error {
	ran := 0
	for _, w := range results.Workloads {
		for _, c := range w.Cases {
			for _, e := range c.Entries {
				if len(e.Samples) > 0 {
					ran++
				}
			}
		}
	}
	if excess := targets.CheckAllocations(results); len(excess) > 0 {
		return errors.New("Greenroom allocates more than it may (the limits are in targets/allocations.go):\n" +
			strings.Join(excess, "\n"))
	}
	fmt.Printf("short run: %d benchmarks ran, allocations hold\n", ran)
	return nil
}
