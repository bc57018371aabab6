package pool_test

import (
	"context"
	"fmt"
	"log"

	"github.com/greenroom-go/greenroom/pool"
)

// deviceOnFirst gives the tasks with the key "device" to worker 1, and the
// others to whichever worker is free first.
type deviceOnFirst struct{}

func (deviceOnFirst) UsesKeys() bool { return true }

func (deviceOnFirst) Route(key string, _ int, _ func(worker int) int) pool.Target {
	if key == "device" {
		return pool.Target{Worker: 1}
	}
	return pool.Target{}
}

func ExampleStrategy() {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(3), pool.WithName("lab"),
		pool.WithRouting(func() pool.Strategy { return deviceOnFirst{} }))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Shutdown(ctx)

	for range 3 {
		fmt.Println(pool.Apply(ctx, p, func(ctx context.Context) (string, error) {
			return pool.WorkerName(ctx), nil
		}, pool.WithKey("device")))
	}
	// Output:
	// lab/worker-1 <nil>
	// lab/worker-1 <nil>
	// lab/worker-1 <nil>
}
