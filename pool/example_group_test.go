package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"runtime"
	"strings"

	"github.com/greenroom-go/greenroom/pool"
)

func ExampleNewGroup() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	g := pool.NewGroup(ctx, p)
	lengths := make([]int, 3)
	for i, name := range []string{"Ann", "Bob", "Charlotte"} {
		_ = g.Go(ctx, func(context.Context) error { // Wait has the error, too
			lengths[i] = len(name)
			return nil
		})
	}
	fmt.Println(g.Wait(ctx), lengths)
	// Output: <nil> [3 3 9]
}

func ExampleGroup_Wait() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	g := pool.NewGroup(ctx, p)
	others := pool.GroupAsync(ctx, g, func(ctx context.Context) (string, error) {
		<-ctx.Done() // the first error cancels the others
		return "", ctx.Err()
	})
	_ = g.Go(ctx, func(context.Context) error { return errors.New("no such file") })
	fmt.Println(g.Wait(ctx))
	_, err = others.Get(ctx)
	fmt.Println(errors.Is(err, pool.ErrCancelled))
	// Output:
	// no such file
	// true
}

func ExampleGroup_Go() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	links := map[string][]string{"/": {"/a", "/b"}, "/a": {"/c"}}
	g := pool.NewGroup(ctx, p, pool.WithGroupLimit(1))
	var visited []string // by one task at a time
	var visit func(page string) func(context.Context) error
	visit = func(page string) func(context.Context) error {
		return func(ctx context.Context) error {
			visited = append(visited, page)
			for _, link := range links[page] {
				if err := g.Go(ctx, visit(link)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	_ = g.Go(ctx, visit("/"))
	fmt.Println(g.Wait(ctx), visited)
	// Output: <nil> [/ /a /b /c]
}

func ExampleGroupAsync() {
	ctx := context.Background()
	p, err := pool.New()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	g := pool.NewGroup(ctx, p)
	upper := pool.GroupAsync(ctx, g, func(context.Context) (string, error) { return strings.ToUpper("green"), nil })
	cpus := pool.GroupAsync(ctx, g, func(context.Context) (int, error) { return runtime.NumCPU(), nil })
	if err := g.Wait(ctx); err != nil {
		log.Fatal(err)
	}
	word, _ := upper.Get(ctx)
	n, _ := cpus.Get(ctx)
	fmt.Println(word, n > 0)
	// Output: GREEN true
}

func ExampleWithGroupLimit() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(4))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	g := pool.NewGroup(ctx, p, pool.WithGroupLimit(1)) // one connection
	for i := range 3 {
		_ = g.Go(ctx, func(context.Context) error {
			fmt.Println("query", i)
			return nil
		})
	}
	fmt.Println(g.Wait(ctx))
	// Output:
	// query 0
	// query 1
	// query 2
	// <nil>
}

func ExampleWithKeepGoing() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	g := pool.NewGroup(ctx, p, pool.WithKeepGoing())
	_ = g.Go(ctx, func(context.Context) error { return errors.New("no such file") })
	_ = g.Go(ctx, func(context.Context) error { fmt.Println("done in spite of it"); return nil })
	fmt.Println(g.Wait(ctx))
	// Output:
	// done in spite of it
	// no such file
}

func ExampleGroup_Subgroup() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(4))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	job := pool.NewGroup(ctx, p, pool.WithGroupLimit(3))
	uploads := job.Subgroup(ctx, pool.WithGroupLimit(1)) // leaves two places for the others
	sent := 0
	for range 10 {
		_ = uploads.Go(ctx, func(context.Context) error { sent++; return nil })
	}
	_ = job.Go(ctx, func(context.Context) error { return nil }) // does not wait for the uploads
	fmt.Println(uploads.Wait(ctx), job.Wait(ctx), sent)
	// Output: <nil> <nil> 10
}

func ExampleGroup_Cancel() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(1))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	g := pool.NewGroup(ctx, p)
	_ = g.Go(ctx, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	waiting := pool.GroupAsync(ctx, g, func(context.Context) (int, error) { return 42, nil })
	g.Cancel()
	_, err = waiting.Get(ctx)
	fmt.Println(err)
	fmt.Println(g.Wait(ctx))
	// Output:
	// task cancelled: context canceled
	// task cancelled: context canceled
}
