package workloads

import (
	"context"

	"github.com/alitto/pond/v2"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

const notCancellable = "wait not cancellable"

func applyCancellable(s Scale) harness.Case {
	ctx, _ := cancellable()
	c := harness.Case{Name: "cancellable", N: s.of(100_000, 5_000)}
	add := func(name string, kind harness.Kind, way applyWay) {
		c.Contenders = append(c.Contenders, harness.Contender{Name: name, Kind: kind, Run: applyOneByOne(way)})
	}
	add(Apply, harness.Greenroom, applyGreenroom(ctx))
	for _, p := range peers.Others() {
		switch {
		case p.NoResult != "":
			c.Contenders = append(c.Contenders, contender(p, p.NoResult, nil))
		case p.Name == "pond.Submit": // ResultPool does the same with a result
		default:
			add(p.Name, p.Kind, selectHandMade(ctx, p))
		}
	}
	add(PondResultPool, harness.Pool, selectPond(ctx))
	c.Contenders = append(c.Contenders,
		harness.Contender{Name: ProtoactorRequest, Kind: harness.Actor, Unable: notCancellable},
		harness.Contender{Name: peers.ThreadPoolName, Kind: harness.Python, Unable: notCancellable})
	return c
}

// cancellable returns a context that could be cancelled.
func cancellable() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.Background())
}

// selectHandMade waits for a channel that the task sends its result to, or for
// the end of the context.
func selectHandMade(ctx context.Context, p peers.Peer) applyWay {
	return func() (func(int) (int, error), func() error, error) {
		runner, err := open(p, Workers, 0)
		call := func(i int) (int, error) {
			result := make(chan int, 1)
			if err := runner.Submit(func() { result <- square(i) }); err != nil {
				return 0, err
			}
			select {
			case v := <-result:
				return v, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		return call, runner.Wait, err
	}
}

func selectPond(ctx context.Context) applyWay {
	return func() (func(int) (int, error), func() error, error) {
		p := pond.NewResultPool[int](Workers)
		call := func(i int) (int, error) {
			task := p.Submit(func() int { return square(i) })
			select {
			case <-task.Done():
				return task.Wait()
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		return call, func() error { p.StopAndWait(); return nil }, nil
	}
}
