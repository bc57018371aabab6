package pool

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// IMap calls fn for each item and returns a stream of the results in the order
// of the items, which are taken from their sequence while results are read, at
// most a window ahead ([WithWindow]); after Close the window no longer holds
// them back. The sequence runs on a goroutine of its own, so a slow one delays
// nobody else.
//
// An item whose function fails has an [*ItemError] at its place and the stream
// goes on; so it is with a panic and a Goexit. If the sequence itself panics,
// the stream gives what came before, then a [*PanicError] (with [Fallible], the
// error), then it ends.
//
// IMap does not block. ctx is the parent of the context that fn receives, and
// cancels the stream when it ends. If the stream is not accepted, it carries
// the error, as with ApplyAsync. A nil fn or p panics; nil items are ErrInvalid.
//
// A stream that will not be read to its end should be cancelled; one that
// nobody refers to any more is run to its end without its window.
func IMap[T, R any](ctx context.Context, p *Pool, fn func(context.Context, T) (R, error), items iter.Seq[T], opts ...MapOption) *Stream[R] {
	return newStream(ctx, "IMap", p, fn, items, opts, true)
}

// IMapUnordered is IMap with the results in the order of completion. Errors tell
// by their [*ItemError] to which item they belong.
func IMapUnordered[T, R any](ctx context.Context, p *Pool, fn func(context.Context, T) (R, error), items iter.Seq[T], opts ...MapOption) *Stream[R] {
	return newStream(ctx, "IMapUnordered", p, fn, items, opts, false)
}

// Stream gives the results of IMap or IMapUnordered. Its methods may be called
// from several goroutines: each result goes to one of them.
type Stream[R any] struct {
	state *streamState[R]
}

// All returns the rest of the stream. The sequence waits for each result; it
// ends after the last one, or after the error that ended the stream early:
// ErrCancelled, ErrTimeout, ErrTerminated, ErrBroken, or why it was not
// accepted. Breaking out of the loop cancels the stream; to stop and go on
// later, use Next. All waits with the context that the stream was made with.
func (s *Stream[R]) All() iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		defer s.Cancel() // no effect after the end
		ctx := s.state.ctx
		for {
			got, err := s.next(ctx)
			switch {
			case errors.Is(err, ErrNotReady): // the stream's own context has ended
				s.state.root.Settle(actors.ContextOutcome(ctx))
				ctx = context.Background() // what ended the stream is about to arrive
			case err != nil:
				yield(got.value, err)
				return
			case got.end:
				return
			case !yield(got.value, got.err) || got.last:
				return
			}
		}
	}
}

// Next blocks until there is a result and returns it. If ctx ends first, the
// error matches ErrNotReady and ctx's error, nothing is lost, and Next may be
// called again. At the end the error is ErrStreamEnd; a stream that ended early
// returns the error that ended it, each time. The error of a sequence that
// failed, and ErrCancelled after [Pool.CancelQueued], come once, before the end.
func (s *Stream[R]) Next(ctx context.Context) (R, error) {
	var zero R
	switch {
	case ctx == nil:
		return zero, errNilContext("Next")
	case s.state == nil:
		return zero, fmt.Errorf("%w: Next on a zero Stream; only IMap and IMapUnordered make streams", ErrInvalid)
	}
	got, err := s.next(ctx)
	switch {
	case err != nil:
		return zero, err
	case got.end:
		return zero, ErrStreamEnd
	}
	return got.value, got.err
}

// Cancel ends the stream with ErrCancelled: items that run see their context
// cancelled, the others are not started, and the sequence is stopped when it
// next offers an item. It reports whether the stream was still being worked on.
func (s *Stream[R]) Cancel() bool { return s.state.root.Cancel() }

func (s *Stream[R]) next(ctx context.Context) (outcome[R], error) {
	defer runtime.KeepAlive(s)
	for {
		for range moreLooks {
			if got, ok := s.state.take(); ok {
				return got, nil
			}
			runtime.Gosched()
		}
		if err := await(ctx, s.state); err != nil {
			return outcome[R]{}, err
		}
	}
}

// moreLooks is how often a reader that finds nothing, and a feeder that finds no
// room, look before they sleep. What they wait for often comes a moment later,
// and several at once; sleeping for each takes longer than everything else.
const moreLooks = 4

// outcome is what a reader gets at one place of a stream.
type outcome[R any] struct {
	value R
	err   error
	done  bool
	end   bool // there is nothing here: the stream is over
	last  bool // the error that ended the stream
}

// streamState is a stream under way, as its readers see it. Its task is the
// root: never queued, its runners are.
//
// The states of an item: fed → taken by a runner → done → read. fed, done and
// read are counters.
type streamState[R any] struct {
	root    actors.Task
	ctx     context.Context // the submitter's
	ordered bool
	window  int
	source  streamSource

	mu        sync.Mutex
	pool      *Pool            // keeps it from being collected until the end
	outcomes  fifo[outcome[R]] // ordered: of the items from read on; else of those done
	fed       int              // items taken from the sequence
	done      int              // items whose function has ended
	read      int              // items whose result was read
	feedEnded bool             // the sequence has ended
	feedErr   error            // with this error, until it was read
	endErr    error            // the same, for good
	over      error            // what ended the stream early
	unbounded bool             // the window no longer holds the sequence back
	discard   bool             // nobody can read the results
	changed   chan struct{}    // closed when there is something for a reader; made by readers
	room      chan struct{}    // holds a token when the feeder, which waits, shall look again
	waits     bool             // the feeder waits
}

// streamSource is the side of a stream that knows the type of its items.
type streamSource interface {
	// piece gives a waiting task some items to work on.
	piece() *actors.Task
	// blockers are the runners that can bring the next result.
	blockers() actors.Blockers
	// forget lets go of the function and the items. Called with mu held when
	// the stream has ended.
	forget()
}

// take returns what is next, or false if there is nothing yet.
func (s *streamState[R]) take() (outcome[R], bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.ready():
		return outcome[R]{}, false
	case s.outcomes.len() > 0 && s.outcomes.at(0).done:
		got := s.outcomes.pop()
		s.read++
		if s.waits && s.window-(s.fed-s.read) >= max(1, s.window/4) {
			s.wakeFeeder()
		}
		return got, true
	case s.over != nil:
		return outcome[R]{err: s.over, last: true}, true
	case s.feedErr != nil:
		err := s.feedErr
		s.feedErr = nil
		return outcome[R]{err: err}, true
	}
	return outcome[R]{end: true}, true
}

// ready reports whether take would return something. Called with mu held.
func (s *streamState[R]) ready() bool {
	return s.outcomes.len() > 0 && s.outcomes.at(0).done ||
		s.over != nil || s.feedEnded && s.read == s.fed
}

// Ready, Signal, Piece and Blockers make a stream something to wait for.
func (s *streamState[R]) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready()
}

// Signal returns a channel that is closed at the next change.
func (s *streamState[R]) Signal() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	if s.fed-s.read < s.window { // who is about to sleep leaves no room unused
		s.wakeFeeder()
	}
	return s.changed
}

// Piece gives items that nobody works on to a task that waits.
func (s *streamState[R]) Piece(f *actors.Frame, _ *actors.Nudge) *actors.Task {
	if f.Router() != s.root.Router() {
		return nil
	}
	return s.source.piece()
}

// Blockers are the runners that can bring the next result.
func (s *streamState[R]) Blockers() actors.Blockers { return s.source.blockers() }

// deliver files the outcome of an item. If it was the last one, the stream has
// ended with it, and the caller must announce that.
func (s *streamState[R]) deliver(index int, value R, err error) (ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deliverLocked(index, value, err)
}

func (s *streamState[R]) deliverLocked(index int, value R, err error) (ended bool) {
	if s.over != nil {
		return false
	}
	if err != nil {
		err = &ItemError{index, err}
	}
	got := outcome[R]{value: value, err: err, done: true}
	s.done++
	switch {
	case s.discard:
		s.read++
	case s.ordered:
		*s.outcomes.at(index - s.read) = got
	default:
		s.outcomes.push(got)
	}
	if s.changed != nil && s.ready() {
		signal(&s.changed)
	}
	return s.decideIfComplete()
}

// complete reports that there will be no more results. Called with mu held.
func (s *streamState[R]) complete() bool { return s.feedEnded && s.done == s.fed }

// decideIfComplete decides the stream in the moment in which a reader can learn
// that it is complete: who has read the end can no longer cancel it. Called with
// mu held.
func (s *streamState[R]) decideIfComplete() bool {
	if !s.complete() || !s.root.Decide() {
		return false
	}
	s.forget()
	return true
}

func (s *streamState[R]) forget() {
	s.pool = nil
	s.source.forget()
}

// announceEnd is due after deliver or decideIfComplete said so.
func (s *streamState[R]) announceEnd() {
	outcome := messages.Succeeded
	switch {
	case errors.Is(s.endErr, ErrCancelled):
		outcome = messages.Cancelled
	case s.endErr != nil:
		outcome = messages.Failed
	}
	s.root.Announce(outcome, s.endErr)
}

// endFeed records that no more items will come. Called with mu held.
func (s *streamState[R]) endFeed(err error) (ended bool) {
	if s.feedEnded {
		return false
	}
	s.feedEnded, s.feedErr, s.endErr = true, err, err
	signal(&s.changed)
	return s.decideIfComplete()
}

// forsake is called when nobody refers to the stream any more.
func (s *streamState[R]) forsake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.discard, s.unbounded = true, true
	s.outcomes = fifo[outcome[R]]{}
	s.read = s.done
	s.wakeFeeder()
}

// Closing lifts the window: Close and Join must not need a reader.
func (s *streamState[R]) Closing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbounded = true
	s.wakeFeeder()
}

// wakeFeeder has the feeder look again whether it may go on. Called with mu held.
func (s *streamState[R]) wakeFeeder() {
	if s.waits {
		s.waits = false
		s.room <- struct{}{}
	}
}

// end ends the stream early. Results that are complete by then stay so.
func (s *streamState[R]) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.complete() {
		s.over = err
	}
	s.forget()
	signal(&s.changed)
	s.wakeFeeder()
}

// signal wakes those who wait on a channel that is made when first needed.
func signal(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}
