package pool_test

import (
	"context"
	"iter"
	"slices"
)

func double(_ context.Context, n int) (int, error) { return 2 * n, nil }

func seq(items ...int) iter.Seq[int] { return slices.Values(items) }

// count yields 0 to n-1.
func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}
