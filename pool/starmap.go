package pool

import (
	"context"
	"errors"
	"iter"

	"github.com/greenroom-go/greenroom/actors"
)

// StarMap is Map for a function of two arguments, which are spread from the
// pairs of items.
func StarMap[A, B, R any](ctx context.Context, p *Pool, fn func(context.Context, A, B) (R, error), items iter.Seq2[A, B], opts ...MapOption) ([]R, error) {
	return starMap(ctx, "StarMap", p, fn, items, opts, mapMode{waits: true}).getOrCancel(ctx)
}

// StarMapAsync is MapAsync for a function of two arguments. items is read to its
// end, on the caller's goroutine, before anything is queued; it must be finite.
// If it panics, nothing is queued and the result carries a [*PanicError], or
// the error of a [Fallible] sequence that it ranges over. A nil items is
// ErrInvalid.
func StarMapAsync[A, B, R any](ctx context.Context, p *Pool, fn func(context.Context, A, B) (R, error), items iter.Seq2[A, B], opts ...MapOption) *AsyncResult[[]R] {
	return starMap(ctx, "StarMapAsync", p, fn, items, opts, mapMode{})
}

type pair[A, B any] struct {
	a A
	b B
}

func starMap[A, B, R any](ctx context.Context, name string, p *Pool, fn func(context.Context, A, B) (R, error),
	items iter.Seq2[A, B], opts []MapOption, mode mapMode,
) *AsyncResult[[]R] {
	mustHave(p != nil, name, "pool")
	mustHave(fn != nil, name, "function")
	config := newMapConfig(opts)
	err := config.err()
	switch {
	case ctx == nil:
		err = errors.Join(errNilContext(name), err)
	case items == nil:
		err = errors.Join(errNilItems(name), err)
	case err == nil:
		err = p.router.Refusal() // before the items, which may be many
	}
	if err != nil {
		return refused[[]R](p, name, err)
	}
	pairs, err := collect(ctx, items)
	if err != nil {
		return refused[[]R](p, name, err)
	}
	spread := func(ctx context.Context, item pair[A, B]) (R, error) { return fn(ctx, item.a, item.b) }
	return mapAsync(ctx, name, p, spread, pairs, opts, mode)
}

// collect reads the pairs and contains what the iterator may do.
func collect[A, B any](ctx context.Context, items iter.Seq2[A, B]) (pairs []pair[A, B], err error) {
	defer func() {
		if r := recover(); r != nil {
			err = iteratorError(r)
		}
	}()
	for a, b := range items {
		if ctx.Err() != nil {
			_, err := actors.ContextOutcome(ctx)
			return nil, err
		}
		pairs = append(pairs, pair[A, B]{a, b})
	}
	return pairs, nil
}

// Fallible makes of a sequence that can fail one that a stream takes, or that
// the pairs of a StarMap are made from. At the first error it ends, and so does
// the stream, with that very error after the items that came before; a StarMap
// fails with it.
func Fallible[T any](items iter.Seq2[T, error]) iter.Seq[T] {
	mustHave(items != nil, "Fallible", "sequence")
	return func(yield func(T) bool) {
		for item, err := range items {
			if err != nil {
				panic(iteratorFailure{err})
			}
			if !yield(item) {
				return
			}
		}
	}
}

// iteratorFailure carries the error of Fallible through the iterator protocol,
// which has no other way out.
type iteratorFailure struct{ error }

func iteratorError(recovered any) error {
	if failure, ok := recovered.(iteratorFailure); ok {
		return failure.error
	}
	return actors.NewPanicError(recovered)
}

var errIteratorExited = errors.New("iterator called runtime.Goexit")
