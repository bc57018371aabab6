// Checksum prints the SHA-256 of every regular file below a directory, as
//
//	find DIR -type f -print0 | xargs -0 sha256sum
//
// does, but hashes several files at once and prints in a fixed order. With -c it
// checks such a list, as sha256sum -c does.
//
// The order is that of the paths by their bytes, as of LC_ALL=C sort: a-b comes
// before a/x, for a dash is less than a slash.
//
// The walk, the hashing and the printing go on at the same time, each at most a
// window ahead of the next, and of a directory the names are held in part, so
// memory does not grow with the number of files.
//
// Exit status: 0 if all went well, 1 if a file could not be read or did not
// match, 2 for wrong usage, 130 after Ctrl-C. A reader that has had enough, as head
// has, ends the program with 0, and with -c, where the rest was not checked, 141.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
)

func main() {
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program. It ends early when ctx does.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	}
	ctx, quit := context.WithCancelCause(ctx)
	defer quit(nil)
	progress := progressOn(stderr)
	defer progress.end()
	p := &program{
		console: console{stdout: stdout, stderr: stderr, progress: progress, apart: apart(stdout), quit: quit, checking: o.list != nil},
		workers: o.workers,
		stdin:   stdin,
		open:    openFile,
	}
	if o.list != nil {
		p.check(ctx, *o.list)
	} else {
		p.sum(ctx, files(ctx, o.root))
	}
	return p.status(ctx)
}

// program is what both modes need.
type program struct {
	console
	workers int
	stdin   io.Reader
	open    func(name string) (io.ReadCloser, error)
}

func openFile(name string) (io.ReadCloser, error) { return os.Open(name) }
