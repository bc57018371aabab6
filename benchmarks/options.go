package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
)

// options are what the command line says.
type options struct {
	short  bool
	list   bool
	only   *regexp.Regexp
	rounds int
	out    string
}

// usageError is a command line that means nothing.
type usageError struct{ error }

const (
	defaultRounds = 5
	defaultOut    = "../docs"
)

const usage = `usage: go run -C benchmarks . [flags]

Measures Greenroom beside its peers, writes docs/performance.md and draws the charts
in docs/performance. Takes about ten minutes; nothing else should run meanwhile.

`

func parse(arguments []string, help io.Writer) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	flags.BoolVar(&o.short, "short", false, "do little work, in one round: see that everything runs, that results are\nright, and that Greenroom allocates no more than it may; no time counts")
	flags.BoolVar(&o.list, "list", false, "list workload/case/contender and do nothing")
	flags.StringVar(&only, "only", "", "run what has this `regexp` in workload/case/contender")
	flags.IntVar(&o.rounds, "rounds", defaultRounds, "how many `rounds` count, besides the warm-up")
	flags.StringVar(&o.out, "out", "", "write performance.md and performance/*.svg to this `directory`, seen from benchmarks/\n(default "+defaultOut+"; with -short or -only nothing is written unless this is given)")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, usageError{err}
	}
	if flags.NArg() > 0 {
		return o, usageError{fmt.Errorf("%q is no flag; -h lists them", flags.Arg(0))}
	}
	if o.rounds < 1 {
		return o, usageError{fmt.Errorf("-rounds %d: at least one round must count", o.rounds)}
	}
	if o.short {
		o.rounds = 1
	}
	if o.out == "" && !o.short && only == "" {
		o.out = defaultOut
	}
	var err error
	if o.only, err = regexp.Compile(only); err != nil {
		return o, usageError{fmt.Errorf("-only: %w", err)}
	}
	return o, nil
}
