package workloads

import (
	"context"
	"errors"

	"github.com/alitto/pond/v2"
	"github.com/asynkron/protoactor-go/actor"
	"github.com/panjf2000/ants/v2"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
	"github.com/greenroom-go/greenroom/pool"
)

const aboutResult = `Tasks that return an int are submitted; then the results are fetched, one by
one, in the order of submission. Each result can be waited for on its own. A pool that
only runs functions is given, for each task, a place for the value with a WaitGroup
("hand-made": two allocations, that and the closure); ants.PoolWithFunc takes the
place as its argument and needs no closure. The channel also takes part with a channel
for each result in the place of the WaitGroup. Greenroom's queue is unbounded here, as
are those of pond and workerpool; the other pools hold the submitter.`

// The names of contenders that targets refer to.
const (
	PondResultPool       = "pond.ResultPool"
	ProtoactorRequest    = "Proto.Actor RequestFuture"
	ChannelWithWaitGroup = peers.Channel + ", WaitGroup per task"
	channelWithChannel   = peers.Channel + ", channel per task"
)

func result(s Scale) harness.Workload {
	c := harness.Case{Name: "100k", N: s.of(100_000, 50_000)}
	c.Contenders = append(c.Contenders,
		harness.Contender{Name: peers.ApplyAsync, Kind: harness.Greenroom, Run: resultGreenroom})
	c.Contenders = append(c.Contenders, resultPeers()...)
	c.Contenders = append(c.Contenders, peers.ThreadPool("result", Workers, s.of(20_000, 500)))
	return harness.Workload{
		Name:  "result",
		Title: "result: a typed result for each task, submitted, then fetched",
		About: aboutResult,
		Cases: []harness.Case{c},
	}
}

// resultPeers are those that are asked for results, one task at a time.
func resultPeers() []harness.Contender {
	var all []harness.Contender
	for _, p := range peers.Others() {
		switch p.Name {
		case "ants.PoolWithFunc", "pond.Submit":
			continue // they take part in a way of their own
		case peers.Channel:
			p.Name = ChannelWithWaitGroup
		}
		all = append(all, contender(p, p.NoResult, func(m *harness.Meter, n int) error {
			return resultHandMade(m, p, n)
		}))
	}
	return append(all,
		harness.Contender{Name: "ants.PoolWithFunc", Kind: harness.Pool, Run: resultAntsWithFunc},
		harness.Contender{Name: PondResultPool, Kind: harness.Pool, Run: resultPond},
		harness.Contender{Name: "conc.ResultPool", Kind: harness.Pool, Unable: "no order"},
		harness.Contender{Name: channelWithChannel, Kind: harness.Raw, Run: resultChannelPerTask},
		harness.Contender{Name: ProtoactorRequest, Kind: harness.Actor, Run: resultRequestFuture},
	)
}

func resultGreenroom(m *harness.Meter, n int) error {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(Workers), pool.WithUnboundedQueue())
	if err != nil {
		return err
	}
	m.Start()
	results := make([]*pool.AsyncResult[int], n)
	for i := range results {
		results[i] = pool.ApplyAsync(ctx, p, func(context.Context) (int, error) { return square(i), nil })
	}
	sum, err := addUp(ctx, results)
	m.Stop(n)
	return errors.Join(err, checkSum(sum, n), p.Shutdown(ctx))
}

func addUp(ctx context.Context, results []*pool.AsyncResult[int]) (sum int, err error) {
	for _, r := range results {
		v, err := r.Get(ctx)
		if err != nil {
			return sum, err
		}
		sum += v
	}
	return sum, nil
}

func resultHandMade(m *harness.Meter, p peers.Peer, n int) error {
	runner, err := open(p, Workers, 0)
	if err != nil {
		return err
	}
	m.Start()
	futures := make([]*future, n)
	for i := range futures {
		futures[i] = &future{}
		if err := futures[i].start(runner, i); err != nil {
			return err
		}
	}
	sum := 0
	for _, f := range futures {
		sum += f.get()
	}
	m.Stop(n)
	return errors.Join(checkSum(sum, n), runner.Wait())
}

// request is a task for a pool whose function is fixed: argument, result, and
// when it is there.
type request struct {
	future
	argument int
}

func answerRequest(argument any) {
	r := argument.(*request)
	r.value = square(r.argument)
	r.wg.Done()
}

func resultAntsWithFunc(m *harness.Meter, n int) error {
	p, err := ants.NewPoolWithFunc(Workers, answerRequest)
	if err != nil {
		return err
	}
	defer p.Release()
	m.Start()
	requests := make([]*request, n)
	for i := range requests {
		requests[i] = &request{argument: i}
		requests[i].wg.Add(1)
		if err := p.Invoke(requests[i]); err != nil {
			return err
		}
	}
	sum := 0
	for _, r := range requests {
		sum += r.get()
	}
	m.Stop(n)
	return checkSum(sum, n)
}

func resultPond(m *harness.Meter, n int) error {
	p := pond.NewResultPool[int](Workers)
	defer p.StopAndWait()
	m.Start()
	tasks := make([]pond.ResultTask[int], n)
	for i := range tasks {
		tasks[i] = p.Submit(func() int { return square(i) })
	}
	sum := 0
	for _, t := range tasks {
		v, err := t.Wait()
		if err != nil {
			return err
		}
		sum += v
	}
	m.Stop(n)
	return checkSum(sum, n)
}

func resultChannelPerTask(m *harness.Meter, n int) error {
	runner, err := peers.OpenChannel(Workers)
	if err != nil {
		return err
	}
	m.Start()
	results := make([]chan int, n)
	for i := range results {
		ch := make(chan int, 1)
		results[i] = ch
		if err := runner.Submit(func() { ch <- square(i) }); err != nil {
			return err
		}
	}
	sum := 0
	for _, ch := range results {
		sum += <-ch
	}
	m.Stop(n)
	return errors.Join(checkSum(sum, n), runner.Wait())
}

// answerSquare is the receive function of an actor that responds to an int with
// its square.
func answerSquare(c actor.Context, message any) {
	if i, ok := message.(int); ok {
		c.Respond(square(i))
	}
}

// noTimeout spares Proto.Actor's futures their timers.
const noTimeout = -1

func resultRequestFuture(m *harness.Meter, n int) error {
	router := peers.SpawnRouter(Workers, answerSquare)
	root := peers.System().Root
	m.Start()
	futures := make([]*actor.Future, n)
	for i := range futures {
		futures[i] = root.RequestFuture(router, i, noTimeout)
	}
	sum := 0
	for _, f := range futures {
		v, err := f.Result()
		if err != nil {
			return err
		}
		sum += v.(int)
	}
	m.Stop(n)
	return errors.Join(checkSum(sum, n), peers.StopRouter(router))
}
