package workloads

import (
	"iter"
	"sync"

	"github.com/alitto/pond/v2"
	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

// place is one of a window: a chunk of items, which its task replaces by their
// squares. Task and place are used again and again.
type place struct {
	wg    sync.WaitGroup
	items []int
	task  func()
}

func newPlaces(n, chunk int) []*place {
	places := make([]*place, n)
	for i := range places {
		p := &place{items: make([]int, 0, chunk)}
		p.task = func() {
			squareAll(p.items)
			p.wg.Done()
		}
		places[i] = p
	}
	return places
}

// take waits for the place's squares, adds them up, and empties it.
func (p *place) take() (sum int) {
	p.wg.Wait()
	for _, v := range p.items {
		sum += v
	}
	p.items = p.items[:0]
	return sum
}

// streamByRunner keeps a ring of places: when all are under way, the oldest is
// taken before the next is filled.
func streamByRunner(m *harness.Meter, p peers.Peer, items iter.Seq[int], n, chunk, window int) (sum int, err error) {
	runner, err := open(p, Workers, 0)
	if err != nil {
		return 0, err
	}
	m.Start()
	places := newPlaces(window, chunk)
	next := 0
	for item := range items {
		current := places[next%window]
		current.items = append(current.items, item)
		if len(current.items) == chunk {
			current.wg.Add(1)
			if err := runner.Submit(current.task); err != nil {
				return 0, err
			}
			next++
			sum += places[next%window].take()
		}
	}
	if last := places[next%window]; len(last.items) > 0 {
		last.wg.Add(1)
		if err := runner.Submit(last.task); err != nil {
			return 0, err
		}
		next++
	}
	for i := range window {
		sum += places[(next+i)%window].take()
	}
	m.Stop(n)
	return sum, runner.Wait()
}

// ring is a window of futures of some kind.
type ring[F any] struct {
	futures []F
	next    int
}

func newRing[F any]() *ring[F] { return &ring[F]{futures: make([]F, 0, windowItems)} }

// put adds a future and returns the oldest if it had to make room.
func (r *ring[F]) put(f F) (oldest F, full bool) {
	if len(r.futures) < windowItems {
		r.futures = append(r.futures, f)
		return oldest, false
	}
	i := r.next % windowItems
	oldest, r.futures[i] = r.futures[i], f
	r.next++
	return oldest, true
}

func streamPond(m *harness.Meter, items iter.Seq[int], n, _ int) (sum int, err error) {
	p := pond.NewResultPool[int](Workers)
	defer p.StopAndWait()
	m.Start()
	window := newRing[pond.ResultTask[int]]()
	for item := range items {
		oldest, full := window.put(p.Submit(func() int { return square(item) }))
		if !full {
			continue
		}
		v, err := oldest.Wait()
		if err != nil {
			return 0, err
		}
		sum += v
	}
	for _, f := range window.futures {
		v, err := f.Wait()
		if err != nil {
			return 0, err
		}
		sum += v
	}
	m.Stop(n)
	return sum, nil
}

func streamRequestFuture(m *harness.Meter, items iter.Seq[int], n, _ int) (sum int, err error) {
	router := peers.SpawnRouter(Workers, answerSquare)
	root := peers.System().Root
	m.Start()
	window := newRing[*actor.Future]()
	for item := range items {
		oldest, full := window.put(root.RequestFuture(router, item, noTimeout))
		if !full {
			continue
		}
		v, err := oldest.Result()
		if err != nil {
			return 0, err
		}
		sum += v.(int)
	}
	for _, f := range window.futures {
		v, err := f.Result()
		if err != nil {
			return 0, err
		}
		sum += v.(int)
	}
	m.Stop(n)
	return sum, peers.StopRouter(router)
}
