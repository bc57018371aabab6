package pool

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"

	"github.com/greenroom-go/greenroom/actors"
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
			value, what, err := s.next(ctx)
			switch {
			case what == anOutcome:
				if !yield(value, err) {
					return
				}
			case what == theEnd:
				return
			case what == nothing && errors.Is(err, ErrNotReady): // the stream's own context has ended
				s.state.root.Settle(actors.ContextOutcome(ctx))
				ctx = context.Background() // what ended the stream is about to arrive
			default:
				yield(value, err)
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
	value, what, err := s.next(ctx)
	if what == theEnd {
		return zero, ErrStreamEnd
	}
	return value, err
}

// Cancel ends the stream with ErrCancelled: items that run see their context
// cancelled, the others are not started, and the sequence is stopped when it
// next offers an item. It reports whether the stream was still being worked on.
func (s *Stream[R]) Cancel() bool { return s.state.root.Cancel() }

// next waits for what is next. It returns nothing only with the error of the wait.
func (s *Stream[R]) next(ctx context.Context) (value R, what found, err error) {
	defer runtime.KeepAlive(s)
	for {
		for range moreLooks {
			if value, what, err = s.state.take(); what != nothing {
				return value, what, err
			}
			runtime.Gosched()
		}
		if err = s.state.await(ctx); err != nil {
			return value, nothing, err
		}
	}
}

// moreLooks is how often a reader that finds nothing, and a feeder that finds no
// room, look before they sleep. What they wait for often comes a moment later,
// and several at once; sleeping for each takes longer than everything else.
const moreLooks = 4
