package workloads

import (
	"context"
	"fmt"
	"sync"

	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

// square is the task of those workloads that want a result.
func square(i int) int { return i * i }

// squareTask is square with the shape of Greenroom's tasks.
func squareTask(_ context.Context, i int) (int, error) { return i * i, nil }

// future is what people write to get a typed result out of a pool that only
// runs functions: a place for the value, and a WaitGroup that says when it is
// there.
type future struct {
	wg    sync.WaitGroup
	value int
}

// start has a runner compute the square of i.
func (f *future) start(r peers.Runner, i int) error {
	f.wg.Add(1)
	return r.Submit(func() {
		f.value = square(i)
		f.wg.Done()
	})
}

func (f *future) get() int {
	f.wg.Wait()
	return f.value
}

// checkSum tells whether the squares of 0 to n-1 add up to sum.
func checkSum(sum, n int) error {
	want := (n - 1) * n * (2*n - 1) / 6
	if sum != want {
		return fmt.Errorf("the results add up to %d; want %d", sum, want)
	}
	return nil
}
