package peers

import (
	"sync"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// The names of what people write without a library.
const (
	GoroutinePerTask = "goroutine per task"
	Channel          = "channel"
)

var goroutinePerTask = Peer{
	Name:      GoroutinePerTask,
	Kind:      harness.Raw,
	KeepsNone: true,
	Open: func(c Config) (Runner, error) {
		r := &goroutines{}
		r.expect(c.Tasks)
		return r, nil
	},
}

// goroutines starts one for each task; nothing bounds their number.
type goroutines struct{ counted }

func (r *goroutines) Submit(fn func()) error {
	go fn()
	return nil
}

func (r *goroutines) Wait() error {
	r.wg.Wait()
	return nil
}

// channelCapacity is that of the buffered channel.
const channelCapacity = 1024

var bufferedChannel = Peer{
	Name:   Channel,
	Kind:   harness.Raw,
	Nested: Hangs,
	Open:   func(c Config) (Runner, error) { return OpenChannel(c.Workers) },
}

// OpenChannel starts so many goroutines behind a channel, for workloads in
// which the channel takes part in more than one way.
func OpenChannel(workers int) (Runner, error) {
	r := &channel{tasks: make(chan func(), channelCapacity)}
	for range workers {
		r.workers.Go(r.work)
	}
	return r, nil
}

// channel is the loop that everybody writes: N goroutines that receive from one
// buffered channel.
type channel struct {
	uncounted
	tasks   chan func()
	workers sync.WaitGroup
}

func (r *channel) work() {
	for fn := range r.tasks {
		fn()
	}
}

func (r *channel) Submit(fn func()) error {
	r.tasks <- fn
	return nil
}

func (r *channel) Wait() error {
	close(r.tasks)
	r.workers.Wait()
	return nil
}
