package workloads

import (
	"context"
	"runtime"
	"sync"

	"github.com/alitto/pond/v2"
	"github.com/asynkron/protoactor-go/actor"
	"github.com/sourcegraph/conc/iter"

	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

// withoutPool is the way of those that have no pool to keep.
func withoutPool(f mapFunc) mapWay {
	return func() (mapFunc, func() error, error) {
		return f, func() error { return nil }, nil
	}
}

// squareFunc keeps the compiler from writing the squaring into the loop: a map
// does not know its function.
var squareFunc = squareTask

func staticPartition(items []int) ([]int, error) {
	squares := make([]int, len(items))
	return squares, partition(len(items), func(from, to int) error {
		ctx := context.Background()
		fn := squareFunc
		for i := from; i < to; i++ {
			v, err := fn(ctx, items[i])
			if err != nil {
				return err
			}
			squares[i] = v
		}
		return nil
	})
}

func staticPartitionInlined(items []int) ([]int, error) {
	squares := make([]int, len(items))
	return squares, partition(len(items), func(from, to int) error {
		for i := from; i < to; i++ {
			squares[i] = items[i] * items[i]
		}
		return nil
	})
}

// partition gives each of GOMAXPROCS goroutines one range of n.
func partition(n int, work func(from, to int) error) error {
	parts := min(runtime.GOMAXPROCS(0), n)
	failed := make([]error, parts)
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { failed[i] = work(i*n/parts, (i+1)*n/parts) })
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// mapConc lets conc start as many goroutines as the pools have workers.
func mapConc(items []int) ([]int, error) {
	mapper := iter.Mapper[int, int]{MaxGoroutines: Workers}
	return mapper.MapErr(items, func(i *int) (int, error) { return squareFunc(context.Background(), *i) })
}

// chunksOf is Greenroom's default size of chunks.
func chunksOf(items int) int { return (items + 4*Workers - 1) / (4 * Workers) }

// eachItem makes every item a task.
func eachItem(int) int { return 1 }

// mapByRunner maps by hand: a task for each chunk and a WaitGroup for all.
func mapByRunner(p peers.Peer, chunkSize func(items int) int) mapWay {
	return func() (mapFunc, func() error, error) {
		runner, err := open(p, Workers, 0)
		return func(items []int) ([]int, error) {
			squares := make([]int, len(items))
			var wg sync.WaitGroup
			size := chunkSize(len(items))
			for from := 0; from < len(items); from += size {
				to := min(from+size, len(items))
				wg.Add(1)
				err := runner.Submit(func() {
					defer wg.Done()
					ctx := context.Background()
					for i := from; i < to; i++ {
						squares[i], _ = squareFunc(ctx, items[i])
					}
				})
				if err != nil {
					return nil, err
				}
			}
			wg.Wait()
			return squares, nil
		}, runner.Wait, err
	}
}

func mapPond() (mapFunc, func() error, error) {
	p := pond.NewResultPool[int](Workers)
	return func(items []int) ([]int, error) {
		group := p.NewGroup()
		for _, i := range items {
			group.SubmitErr(func() (int, error) { return squareFunc(context.Background(), i) })
		}
		return group.Wait()
	}, func() error { p.StopAndWait(); return nil }, nil
}

func mapRequestFuture() (mapFunc, func() error, error) {
	router := peers.SpawnRouter(Workers, answerSquare)
	root := peers.System().Root
	return func(items []int) ([]int, error) {
		futures := make([]*actor.Future, len(items))
		for i, item := range items {
			futures[i] = root.RequestFuture(router, item, noTimeout)
		}
		squares := make([]int, len(items))
		for i, f := range futures {
			v, err := f.Result()
			if err != nil {
				return nil, err
			}
			squares[i] = v.(int)
		}
		return squares, nil
	}, func() error { return peers.StopRouter(router) }, nil
}
