package main

import (
	"context"
	"iter"

	"github.com/greenroom-go/greenroom/pool"
)

// window is how many files may be past the walk and not yet printed. While one
// big file is hashed, the other workers can go that far ahead of it; it costs
// about half a megabyte of names and checksums.
//
// The chunks are left at one file: in a larger one small files would wait behind
// a big one although another worker is free, and chunks of 8 and 32 made a
// million files of 200 bytes no faster.
const window = 1024

// inOrder calls work for the items on a pool and report for the results, one at
// a time, in the order of the items. It returns why the items ended early, if it
// was not by ctx.
//
// work returns no error: a file that cannot be read has a name and a place in
// the output, as others have, and is a result like them. The errors of the
// stream are left to what ends it.
func inOrder[T, R any](ctx context.Context, workers int, items iter.Seq[T], work func(context.Context, T) R, report func(R)) error {
	fn := func(ctx context.Context, item T) (R, error) { return work(ctx, item), nil }
	err := pool.With(ctx, func(p *pool.Pool) error {
		for result, err := range pool.IMap(ctx, p, fn, items, pool.WithWindow(window)).All() {
			if err != nil {
				return err
			}
			if ctx.Err() != nil {
				break // the result may be that of a file whose reading was interrupted
			}
			report(result)
		}
		return nil
	}, pool.WithWorkers(workers))
	if ctx.Err() != nil {
		return nil
	}
	return err
}
