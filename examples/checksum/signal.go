package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// signalled is why a context ended: the process was asked to.
type signalled struct{ number syscall.Signal }

func (s signalled) Error() string { return s.number.String() }

// grace is how long the program has to end after a signal. It needs it only when
// it is stuck in a system call, such as a write to a pager that is not reading.
const grace = 200 * time.Millisecond

// untilSignal returns a context that ends with Ctrl-C or SIGTERM. It also makes
// a write to a closed pipe an error rather than the end of the process, so that
// the progress bar is taken off the screen.
func untilSignal() context.Context {
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		s := signalled{(<-signals).(syscall.Signal)}
		signal.Stop(signals) // a second one ends the process on the spot
		cancel(s)
		time.Sleep(grace)
		os.Exit(exitSignal + int(s.number))
	}()
	return ctx
}
