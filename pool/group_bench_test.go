package pool_test

import (
	"context"
	"testing"

	"github.com/greenroom-go/greenroom/pool"
)

// BenchmarkGroup is what a task of a group costs, with a limit and without.
func BenchmarkGroup(b *testing.B) {
	for name, opts := range map[string][]pool.GroupOption{
		"without a limit": nil,
		"limit 4":         {pool.WithGroupLimit(4)},
	} {
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			p, err := pool.New(pool.WithWorkers(8), pool.WithUnboundedQueue())
			if err != nil {
				b.Fatal(err)
			}
			defer p.Shutdown(ctx)
			g := pool.NewGroup(ctx, p, opts...)
			b.ReportAllocs()
			for b.Loop() {
				_ = g.Go(ctx, func(context.Context) error { return nil })
			}
			if err := g.Wait(ctx); err != nil {
				b.Fatal(err)
			}
		})
	}
}
