package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
)

// The exit statuses are those of sha256sum, and 128 plus a signal's number where
// the shell would say so of a program that the signal ended.
const (
	exitFailure = 1
	exitUsage   = 2
	exitSignal  = 128
)

// console is how the program speaks. Only the goroutine that runs it does.
type console struct {
	stdout, stderr io.Writer
	progress       *progress
	apart          bool                    // stdout does not end up where the progress is shown
	quit           context.CancelCauseFunc // ends the program early
	failed         bool                    // something was wrong with some file
	checking       bool                    // -c was given
}

// line prints a result at once, like sha256sum: whoever reads need not wait, and
// what is printed when the program is interrupted is whole lines. If it cannot be
// printed, there is no point in hashing more.
func (c *console) line(text string) {
	write := func() {
		if _, err := io.WriteString(c.stdout, text+"\n"); err != nil {
			c.quit(fmt.Errorf("write error: %w", reason(err)))
		}
	}
	if c.apart {
		write()
	} else {
		c.progress.aside(write)
	}
}

func (c *console) warn(format string, args ...any) {
	c.progress.aside(func() { fmt.Fprintf(c.stderr, "checksum: "+format+"\n", args...) })
}

// fail reports what is wrong with a file.
func (c *console) fail(name string, err error) {
	c.failed = true
	c.warn("%s: %v", quote(name), reason(err))
}

// reason is an error without the name of the file, which may need quoting.
func reason(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	return err
}

// status is the exit status, which depends on what has ended ctx, if anything.
func (c *console) status(ctx context.Context) int {
	cause := context.Cause(ctx)
	if s, ok := errors.AsType[signalled](cause); ok {
		return exitSignal + int(s.number)
	}
	unread := errors.Is(cause, syscall.EPIPE)
	switch {
	case unread && c.checking:
		return exitSignal + int(syscall.SIGPIPE) // the rest was not checked
	case cause == nil || unread: // a reader that has had enough, as head has, is no failure
		if c.failed {
			return exitFailure
		}
		return 0
	case errors.Is(cause, context.Canceled):
		return exitSignal + int(syscall.SIGINT)
	default:
		c.warn("%v", cause)
		return exitFailure
	}
}
