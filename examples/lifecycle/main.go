// Lifecycle shows the four steps of a pool's life: create, submit, wait, shut
// down. Each is printed as it happens.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/greenroom-go/greenroom/pool"
)

func square(_ context.Context, n int) (int, error) { return n * n, nil }

func main() {
	ctx := context.Background()

	p, err := pool.New(pool.WithWorkers(4), pool.WithName("lifecycle"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("1. created: pool %q with %d workers\n", p.Name(), p.Workers())

	v, err := pool.Apply(ctx, p, func(ctx context.Context) (int, error) { return square(ctx, 6) })
	fmt.Println("2. submitted and waited for: 6² =", v, err)
	one := pool.ApplyAsync(ctx, p, func(ctx context.Context) (int, error) { return square(ctx, 7) })
	many := pool.MapAsync(ctx, p, square, []int{1, 2, 3, 4, 5})
	fmt.Println("   submitted: 7², and the squares of 1 to 5")

	if _, _, err := pool.WaitFor(ctx, pool.AllCompleted, one, many); err != nil {
		log.Fatal(err)
	}
	fmt.Println("3. all completed")
	v, err = one.Get(ctx)
	fmt.Println("   7² =", v, err)
	squares, err := many.Get(ctx)
	fmt.Println("   squares:", squares, err)

	p.Close()
	fmt.Println("4. closed: new tasks are refused")
	_, err = pool.Apply(ctx, p, func(ctx context.Context) (int, error) { return square(ctx, 8) })
	fmt.Println("   8²:", err)
	fmt.Println("   joined:", p.Join(ctx))

	err = pool.With(ctx, func(p *pool.Pool) error {
		squares, err := pool.Map(ctx, p, square, []int{6, 7, 8})
		fmt.Println("   inside the context manager:", squares)
		return err
	})
	fmt.Println("   left the context manager, its pool is terminated:", err)
}
