package workloads

import (
	"context"
	"errors"

	"github.com/alitto/pond/v2"
	"github.com/gammazero/workerpool"
	"github.com/panjf2000/ants/v2"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
	"github.com/greenroom-go/greenroom/pool"
)

const aboutApply = `One task at a time: submit it, wait for its result, submit the next. With a
context that can be cancelled the wait must end when the context does, so the
hand-made forms select on a channel and the context instead of waiting for a
WaitGroup; where that is not possible, the contender cannot take part.`

// Apply is Greenroom's form that waits.
const Apply = "Greenroom Apply"

func apply(s Scale) harness.Workload {
	return harness.Workload{
		Name:  "apply",
		Title: "apply: one task at a time",
		About: aboutApply,
		Cases: []harness.Case{applyBackground(s), applyCancellable(s)},
	}
}

// applyWay makes, for one run, the function that computes a square by way of a
// pool, and the one that closes the pool.
type applyWay func() (call func(i int) (int, error), closePool func() error, err error)

// applyOneByOne measures n calls.
func applyOneByOne(way applyWay) func(m *harness.Meter, n int) error {
	return func(m *harness.Meter, n int) error {
		call, closePool, err := way()
		if err != nil {
			return err
		}
		m.Start()
		sum := 0
		for i := range n {
			v, err := call(i)
			if err != nil {
				return err
			}
			sum += v
		}
		m.Stop(n)
		return errors.Join(checkSum(sum, n), closePool())
	}
}

func applyBackground(s Scale) harness.Case {
	c := harness.Case{Name: "background", N: s.of(100_000, 5_000)}
	add := func(name string, kind harness.Kind, way applyWay) {
		c.Contenders = append(c.Contenders, harness.Contender{Name: name, Kind: kind, Run: applyOneByOne(way)})
	}
	add(Apply, harness.Greenroom, applyGreenroom(context.Background()))
	for _, p := range peers.Others() {
		switch {
		case p.NoResult != "":
			c.Contenders = append(c.Contenders, contender(p, p.NoResult, nil))
		case p.Name == "ants.PoolWithFunc" || p.Name == "pond.Submit" || p.Name == "workerpool":
			// They take part in a way of their own.
		default:
			add(p.Name, p.Kind, applyHandMade(p))
		}
	}
	add("ants.PoolWithFunc", harness.Pool, applyAntsWithFunc)
	add("pond.Submit", harness.Pool, applyPondSubmit)
	add(PondResultPool, harness.Pool, applyPondResult)
	add("workerpool", harness.Pool, applyWorkerpool)
	add(ProtoactorRequest, harness.Actor, applyRequestFuture)
	c.Contenders = append(c.Contenders, peers.ThreadPool("apply", Workers, s.of(3_000, 200)))
	return c
}

func applyGreenroom(ctx context.Context) applyWay {
	return func() (func(int) (int, error), func() error, error) {
		p, err := pool.New(pool.WithWorkers(Workers))
		call := func(i int) (int, error) {
			return pool.Apply(ctx, p, func(context.Context) (int, error) { return square(i), nil })
		}
		return call, func() error { return p.Shutdown(context.Background()) }, err
	}
}

func applyHandMade(p peers.Peer) applyWay {
	return func() (func(int) (int, error), func() error, error) {
		runner, err := open(p, Workers, 0)
		call := func(i int) (int, error) {
			f := &future{}
			if err := f.start(runner, i); err != nil {
				return 0, err
			}
			return f.get(), nil
		}
		return call, runner.Wait, err
	}
}

func applyAntsWithFunc() (func(int) (int, error), func() error, error) {
	p, err := ants.NewPoolWithFunc(Workers, answerRequest)
	call := func(i int) (int, error) {
		r := &request{argument: i}
		r.wg.Add(1)
		if err := p.Invoke(r); err != nil {
			return 0, err
		}
		return r.get(), nil
	}
	return call, func() error { p.Release(); return nil }, err
}

func applyPondSubmit() (func(int) (int, error), func() error, error) {
	p := pond.NewPool(Workers)
	call := func(i int) (int, error) {
		var value int
		err := p.Submit(func() { value = square(i) }).Wait()
		return value, err
	}
	return call, func() error { p.StopAndWait(); return nil }, nil
}

func applyPondResult() (func(int) (int, error), func() error, error) {
	p := pond.NewResultPool[int](Workers)
	call := func(i int) (int, error) { return p.Submit(func() int { return square(i) }).Wait() }
	return call, func() error { p.StopAndWait(); return nil }, nil
}

func applyWorkerpool() (func(int) (int, error), func() error, error) {
	p := workerpool.New(Workers)
	call := func(i int) (int, error) {
		var value int
		err := p.DoWait(func() { value = square(i) })
		return value, err
	}
	return call, func() error { p.StopWait(); return nil }, nil
}

func applyRequestFuture() (func(int) (int, error), func() error, error) {
	router := peers.SpawnRouter(Workers, answerSquare)
	root := peers.System().Root
	call := func(i int) (int, error) {
		v, err := root.RequestFuture(router, i, noTimeout).Result()
		if err != nil {
			return 0, err
		}
		return v.(int), nil
	}
	return call, func() error { return peers.StopRouter(router) }, nil
}
