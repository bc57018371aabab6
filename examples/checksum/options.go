package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strconv"

	"github.com/greenroom-go/greenroom/pool"
)

const usage = `usage: checksum [-workers N] [DIR]
       checksum [-workers N] -c LIST

Print the SHA-256 of every regular file below DIR, by default the current
directory, in the format of sha256sum. DIR may also be a file. Symbolic links
are not followed, except DIR itself.

  -c LIST     check the files in LIST, which is in that format; - is the
              standard input
  -workers N  hash N files at once; default %d, one for each processor
`

type options struct {
	workers int
	list    *string // what to check; nil to print sums
	root    string
}

// parseOptions says on stderr what is wrong with args.
func parseOptions(args []string, stderr io.Writer) (options, error) {
	o := options{workers: runtime.GOMAXPROCS(0), root: "."}
	flags := flag.NewFlagSet("checksum", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprintf(stderr, usage, runtime.GOMAXPROCS(0)) }
	flags.Func("c", "", func(list string) error {
		o.list = &list
		return nil
	})
	flags.Func("workers", "", func(value string) (err error) {
		o.workers, err = parseWorkers(value)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	switch {
	case o.list != nil && flags.NArg() > 0:
		err = fmt.Errorf("-c takes one list, so %s is one argument too many", quote(flags.Arg(0)))
	case flags.NArg() > 1:
		err = fmt.Errorf("one directory at a time, so %s is one argument too many", quote(flags.Arg(1)))
	case flags.NArg() == 1:
		o.root = flags.Arg(0)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		flags.Usage()
	}
	return o, err
}

func parseWorkers(value string) (int, error) {
	n, err := strconv.Atoi(value)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return 0, errors.New("not a number")
	case err != nil || n < 1 || n > pool.MaxWorkers:
		return 0, fmt.Errorf("there must be 1 to %d workers", pool.MaxWorkers)
	}
	return n, nil
}
