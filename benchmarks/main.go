// Command benchmarks measures Greenroom beside other pools for Go, beside what
// people write by hand, beside Proto.Actor and beside Python's ThreadPool, and
// writes docs/performance.md with its charts. From the root of the repository:
//
//	go run -C benchmarks .
//
// A run takes about ten minutes. To see only that everything works and that the
// allocation counts hold, which takes seconds and suits a CI:
//
//	go run -C benchmarks . -short
//
// To look at a part, without writing the report:
//
//	go run -C benchmarks . -only 'submit/1 producer/(Greenroom|ants)' -rounds 3
//
// It lives in a module of its own, so that users of Greenroom never download
// the peers.
//
// # How it measures
//
// Contenders of a case take turns in one process (package harness). A new peer
// is one entry in package peers; it then takes part in every workload that it
// can take part in. A new question is one file in package workloads and one line
// in its list. What Greenroom must reach is a table in package targets. Package
// report writes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	err := run(os.Args[1:])
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
	case errors.As(err, new(usageError)):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
