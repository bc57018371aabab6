package pool

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// streamState is a stream under way, as its readers see it. Its task is the
// root: never queued, its runners are.
//
// The states of an item, and who moves it on:
//
//	fed     by the feeder, without a lock (input)
//	claimed by a runner, which takes a range of items, with mu held (span)
//	begun   by the runner, chunk by chunk; until then others can take it (actors.Claims)
//	done    by the runner, without a lock (output)
//	read    by a reader, with the readers' mutex held
//
// Who finds nothing to do sleeps. Whoever may have to wake it sees that by a flag,
// so as not to take mu for each item. For each flag one side publishes what it did
// and then looks at the flag; the other raises the flag and then looks again whether
// something was published. Go's atomic operations have one order for all, so at
// least one of the two sees the other.
//
//	publishes           flag       raised by
//	the feeder, an item alert      a runner that leaves none on its way; a task that waits
//	a runner, a result  watched    a reader that is about to sleep
//	a reader, its place feederWaits the feeder, about to sleep
type streamState[R any] struct {
	root    actors.Task
	ctx     context.Context // the submitter's
	ordered bool
	window  int
	source  streamSource
	_       [64]byte // what stands before never changes; what follows does all the time

	// readers is held by the one reader that looks. Locked before mu.
	readers sync.Mutex
	at      *outputSegment[R] // of the place to read next; nil: to be looked up
	ended   error             // the error that ended the stream, once it was given; nothing comes after it. Written with mu held, too
	read    atomic.Int64      // places read. Written by readers, read by all
	_       [64]byte

	// flags are looked at by runners and readers for each item, and seldom change.
	flags       atomic.Uint32
	alert       atomic.Bool // the feeder shall take mu after an item. Changed with mu held
	feederWaits atomic.Bool // the feeder sleeps, or is about to. Changed with mu held
	_           [64]byte

	// completed gives out the places of an unordered stream.
	completed atomic.Int64
	_         [64]byte

	mu        sync.Mutex
	output    output[R]
	done      int           // items whose function has ended, and whose runner has said so
	feedEnded bool          // the sequence has ended
	feedErr   error         // with this error, until it was read
	endErr    error         // the same, for good
	over      error         // what ended the stream early
	unbounded bool          // the window no longer holds the sequence back
	changed   chan struct{} // closed when there is something for a reader; made by readers
	taskWaits bool          // a reader sleeps that is a task, which could work on an item itself
	room      chan struct{} // holds a token when the feeder, which waits, shall look again
}

// What flags says.
const (
	watched    uint32 = 1 << iota // a reader sleeps, or is about to
	isOver                        // nothing more comes: the stream has ended early
	discarded                     // nobody can read the results
	isComplete                    // all items are done, and no more will come
)

// streamSource is the side of a stream that knows the type of its items.
type streamSource interface {
	// fed is how many items were taken from the sequence, and not dropped.
	fed() int
	// piece gives a waiting task some items to work on.
	piece(worker int) *actors.Task
	// grown has another runner come if there is work for it.
	grown()
	// blockers are the runners that can bring the next result.
	blockers() actors.Blockers
	// forget lets go of the function and the items, and takes no more of them.
	// Called with mu held when the stream has ended.
	forget()
}

// found is what a reader finds in a stream.
type found uint8

const (
	nothing   found = iota // yet
	anOutcome              // of an item, or the error of the sequence
	theError               // that ended the stream
	theEnd
)

// take returns what is next.
func (s *streamState[R]) take() (value R, what found, err error) {
	s.readers.Lock()
	read := int(s.read.Load())
	if s.at == nil {
		return s.takeAtBoundary(read)
	}
	number, at := segmentOf(read)
	if !s.at.isDone(number, at) {
		return s.takeEnd(read)
	}
	value, err = s.at.read(at)
	s.read.Store(int64(read) + 1)
	if at == segmentSize-1 {
		s.leaveSegment(number)
	}
	s.readers.Unlock()
	if s.feederWaits.Load() {
		s.madeRoom()
	}
	if s.flags.Load()&watched != 0 { // by another reader, for which the next place may be done
		s.wakeReaders()
	}
	return value, anOutcome, err
}

// leaveSegment is called with the readers' mutex held when a segment has been read.
func (s *streamState[R]) leaveSegment(number int) {
	s.mu.Lock()
	s.output.retire()
	s.at = s.output.find(number + 1)
	s.mu.Unlock()
}

// takeAtBoundary is take when the next segment must be looked up. The readers' mutex
// is held, and released.
func (s *streamState[R]) takeAtBoundary(read int) (value R, what found, err error) {
	number, _ := segmentOf(read)
	s.mu.Lock()
	if s.ended == nil {
		s.at = s.output.find(number)
	}
	s.mu.Unlock()
	if s.at == nil {
		return s.takeEnd(read)
	}
	s.readers.Unlock()
	return s.take()
}

// takeEnd is take when there is no outcome. The readers' mutex is held, and released.
func (s *streamState[R]) takeEnd(read int) (value R, what found, err error) {
	defer s.readers.Unlock()
	if s.flags.Load()&(isOver|isComplete) == 0 {
		return value, nothing, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended != nil:
		return value, theError, s.ended
	case s.output.isDone(read): // now
		return value, nothing, nil
	case s.endsEarly(read):
		s.at, s.ended, s.output = nil, s.over, output[R]{} // nobody can read what is behind
		s.flags.Or(discarded)
		return value, theError, s.over
	case !s.complete() || read < s.source.fed():
		return value, nothing, nil
	case s.feedErr != nil:
		err, s.feedErr = s.feedErr, nil
		return value, anOutcome, err
	}
	return value, theEnd, nil
}

// endsEarly reports whether the stream has ended early and no result comes at the
// place to be read. One that has its place in an unordered stream comes. Called with
// mu held.
func (s *streamState[R]) endsEarly(read int) bool {
	return s.over != nil && (s.ordered || int64(read) >= s.completed.Load())
}

// await sleeps until take may find something.
func (s *streamState[R]) await(ctx context.Context) error {
	if actors.IsInside(ctx) {
		return await(ctx, taskRead[R]{s})
	}
	return await(ctx, s)
}

// Ready, Signal, Piece and Blockers make a stream something to wait for.
func (s *streamState[R]) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	read := int(s.read.Load()) // after the lock: what was read until then is not looked for
	return s.ended != nil || s.output.isDone(read) || s.endsEarly(read) || s.complete() && read == s.source.fed()
}

// Router is that of the stream's pool.
func (s *streamState[R]) Router() *actors.Router { return s.root.Router() }

// Signal returns a channel that is closed at the next change.
func (s *streamState[R]) Signal() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signal()
}

// signal is Signal with mu held.
func (s *streamState[R]) signal() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
		s.flags.Or(watched)
	}
	if s.hasRoom() { // who is about to sleep leaves no room unused
		s.wakeFeeder()
	}
	return s.changed
}

// Piece gives items that nobody works on to a task that waits.
func (s *streamState[R]) Piece(f *actors.Frame, _ *actors.Nudge) *actors.Task {
	if f.Router() != s.root.Router() {
		return nil
	}
	return s.source.piece(f.Worker())
}

// Blockers are the runners that can bring the next result.
func (s *streamState[R]) Blockers() actors.Blockers { return s.source.blockers() }

// taskRead is a stream that a task waits for. Beside results it is told of items,
// which it could work on itself, and of what can make its wait a deadlock: a window
// that is full, and a runner that leaves.
type taskRead[R any] struct{ *streamState[R] }

// Signal returns a channel that is closed at the next change.
func (r taskRead[R]) Signal() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taskWaits = true
	r.alert.Store(true)
	return r.signal()
}

// wakeReaders has all readers that sleep look again.
func (s *streamState[R]) wakeReaders() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeReadersLocked()
}

func (s *streamState[R]) wakeReadersLocked() {
	if s.changed != nil {
		close(s.changed)
		s.changed, s.taskWaits = nil, false
		s.flags.And(^watched)
	}
}

// wakeTasks is wakeReaders if one of them is a task. Called with mu held.
func (s *streamState[R]) wakeTasks() {
	if s.taskWaits {
		s.wakeReadersLocked()
	}
}

// filed is due when a runner has filed an outcome.
func (s *streamState[R]) filed(place int) {
	if s.flags.Load()&watched != 0 && int64(place) == s.read.Load() {
		s.wakeReaders()
	}
}

// segment looks up where a runner writes to, or returns nil if the outcome is
// dropped.
func (s *streamState[R]) segment(number int) *outputSegment[R] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flags.Load()&discarded != 0 {
		return nil
	}
	return s.output.segment(number)
}

// file writes the outcome of an item to its place, unless the stream has ended
// early or cannot be read any more.
func (s *streamState[R]) file(l *outlet[R], index int, value R, err error) {
	if s.flags.Load()&(isOver|discarded) != 0 {
		return
	}
	if err != nil {
		err = &ItemError{index, err}
	}
	place := index
	if !s.ordered {
		place = int(s.completed.Add(1)) - 1
	}
	number, at := segmentOf(place)
	if !l.has(number) {
		l.number, l.segment = number, s.segment(number)
		if l.segment == nil {
			return
		}
	}
	l.segment.write(number, at, value, err)
	s.filed(place)
}

// complete reports that there will be no more results. Called with mu held.
func (s *streamState[R]) complete() bool { return s.feedEnded && s.done == s.source.fed() }

// decideIfComplete decides the stream in the moment in which a reader can learn
// that it is complete: who has read the end can no longer cancel it. Called with
// mu held; if it reports true, the caller must announce the end.
func (s *streamState[R]) decideIfComplete() bool {
	if !s.complete() {
		return false
	}
	s.flags.Or(isComplete)
	s.wakeReadersLocked()
	if !s.root.Decide() {
		return false
	}
	s.source.forget()
	return true
}

// announceEnd is due after decideIfComplete said so.
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
	s.wakeReadersLocked()
	return s.decideIfComplete()
}

// end ends the stream early. Results that are complete by then stay so.
func (s *streamState[R]) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.complete() {
		s.over = err
		s.flags.Or(isOver)
	}
	s.source.forget()
	s.wakeReadersLocked()
	s.wakeFeeder()
}

// forsake is called when nobody refers to the stream any more.
func (s *streamState[R]) forsake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbounded = true
	s.flags.Or(discarded)
	s.output = output[R]{}
	s.wakeFeeder()
}

// Closing lifts the window: Close and Join must not need a reader.
func (s *streamState[R]) Closing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unbounded = true
	s.wakeFeeder()
}

// Grown has another runner come for the workers that the pool has got.
func (s *streamState[R]) Grown() { s.source.grown() }

// hasRoom reports whether the window allows another item. Called with mu held.
func (s *streamState[R]) hasRoom() bool {
	return s.unbounded || s.source.fed()-int(s.read.Load()) < s.window
}

// roomFrom is the number of items up to which the window allows more, if so many
// have been read.
func (s *streamState[R]) roomFrom(read int) int {
	if s.window > math.MaxInt-read {
		return math.MaxInt
	}
	return read + s.window
}

// madeRoom wakes a feeder that has had to sleep when a quarter of the window is free.
func (s *streamState[R]) madeRoom() {
	if s.window-(s.source.fed()-int(s.read.Load())) < max(1, s.window/4) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeFeeder()
}

// wakeFeeder has the feeder look again whether it may go on. Called with mu held.
func (s *streamState[R]) wakeFeeder() {
	if s.feederWaits.Load() {
		s.feederWaits.Store(false)
		s.room <- struct{}{}
	}
}
