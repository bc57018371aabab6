// Package peers makes everything that can run functions look alike: Greenroom,
// the pools it is compared with, and what people write without a pool. Each is
// set up as its own documentation recommends; who adds one adds one entry to
// [All].
package peers

import (
	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// Peer is one way to run functions concurrently.
type Peer struct {
	Name string
	Kind harness.Kind
	// NoResult says why a task cannot hand its result to its submitter,
	// in a few words; empty if it can.
	NoResult string
	// Nested says what happens to tasks that wait for tasks of their own pool;
	// empty if that works.
	Nested string
	// KeepsNone is true if no worker outlives its task.
	KeepsNone bool
	// Open makes a runner.
	Open func(Config) (Runner, error)
}

// Config is what a runner is made for.
type Config struct {
	// Workers is how many functions may run at once.
	Workers int
	// Tasks is how many bound functions will be submitted.
	Tasks int
	// Unbounded asks for a queue without a limit, of those that have the choice.
	Unbounded bool
}

// Runner runs functions. Submit may be called from several goroutines.
type Runner interface {
	// Bind adds to fn what Wait needs to see that it was run. What Bind returns
	// may be submitted any number of times. A runner that knows by itself what
	// has been run returns fn.
	Bind(fn func()) func()
	// Submit has fn run. Functions that are not bound may be run after Wait.
	Submit(fn func()) error
	// Wait returns when everything that was bound and submitted has been run,
	// and closes the runner.
	Wait() error
}

// All lists the peers.
func All() []Peer {
	return []Peer{
		greenroomGo,
		greenroomApplyAsync,
		antsPool,
		antsPoolWithFunc,
		antsMultiPool,
		pondGo,
		pondSubmit,
		pondGroup,
		concPool,
		gammazeroWorkerpool,
		errgroupLimit,
		goroutinePerTask,
		bufferedChannel,
		protoactorSend,
	}
}

// Others are all but Greenroom.
func Others() []Peer {
	var others []Peer
	for _, p := range All() {
		if p.Kind != harness.Greenroom {
			others = append(others, p)
		}
	}
	return others
}

// Hangs is what tasks do that wait for tasks of their own bounded pool.
const Hangs = "hangs"
