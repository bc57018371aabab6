package workloads

import (
	"context"
	"errors"
	"iter"

	"github.com/sourcegraph/conc/stream"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
	"github.com/greenroom-go/greenroom/pool"
)

const aboutIMap = `Items come from a sequence, their squares are read one by one in the order of the
items, and never more than a window of items is under way: 64, or 32 chunks of 64
(Greenroom's defaults for 8 workers). Hand-made windows are a ring of places that are
used again, each with a WaitGroup, so that they allocate nothing for an item;
conc.stream is the one peer that has such a form.`

// The names that targets refer to.
const (
	IMap       = "Greenroom IMap"
	ConcStream = "conc.stream"
	// HandMadeWindow ends the names of hand-made windows.
	HandMadeWindow = ", window"
)

const (
	oneByOne = 1
	chunk    = 64
	// windowItems and windowChunks are what may be under way.
	windowItems  = 64
	windowChunks = 32
)

func imap(s Scale) harness.Workload {
	return harness.Workload{
		Name:  "imap",
		Title: "imap: an ordered stream with a bounded window",
		About: aboutIMap,
		Cases: []harness.Case{
			imapCase(s, "one item per task", oneByOne, windowItems),
			imapCase(s, "chunks of 64", chunk, windowChunks),
		},
	}
}

func imapCase(s Scale, name string, chunk, window int) harness.Case {
	c := harness.Case{Name: name, N: s.of(200_000, 50_000), Quantities: harness.Per("item")}
	add := func(name string, kind harness.Kind, run streamFunc) {
		c.Contenders = append(c.Contenders, harness.Contender{Name: name, Kind: kind, Run: streamOf(run, chunk)})
	}
	add(IMap, harness.Greenroom, func(m *harness.Meter, items iter.Seq[int], n, chunk int) (int, error) {
		return streamGreenroom(m, pool.IMap, items, n, chunk)
	})
	add(ConcStream, harness.Pool, streamConc)
	for _, p := range peers.Others() {
		if p.NoResult != "" || p.Name == "pond.Submit" {
			continue
		}
		add(p.Name+HandMadeWindow, p.Kind, func(m *harness.Meter, items iter.Seq[int], n, chunk int) (int, error) {
			return streamByRunner(m, p, items, n, chunk, window)
		})
	}
	if chunk == oneByOne {
		add("pond.ResultPool"+HandMadeWindow, harness.Pool, streamPond)
		add("Proto.Actor RequestFuture"+HandMadeWindow, harness.Actor, streamRequestFuture)
	}
	c.Contenders = append(c.Contenders, peers.ThreadPool("imap", Workers, s.of(20_000*min(chunk, 10), 640), chunk))
	return c
}

// streamFunc measures the squares of n items, in chunks of that size, and adds
// them up.
type streamFunc func(m *harness.Meter, items iter.Seq[int], n, chunk int) (sum int, err error)

func streamOf(run streamFunc, chunk int) func(m *harness.Meter, n int) error {
	return func(m *harness.Meter, n int) error {
		sum, err := run(m, upTo(n), n, chunk)
		return errors.Join(err, checkSum(sum, n))
	}
}

func upTo(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// greenroomStream is the shape of IMap and IMapUnordered.
type greenroomStream func(ctx context.Context, p *pool.Pool, fn func(context.Context, int) (int, error),
	items iter.Seq[int], opts ...pool.MapOption) *pool.Stream[int]

func streamGreenroom(m *harness.Meter, open greenroomStream, items iter.Seq[int], n, chunk int) (sum int, err error) {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(Workers))
	if err != nil {
		return 0, err
	}
	m.Start()
	for v, err := range open(ctx, p, squareTask, items, pool.WithChunkSize(chunk)).All() {
		if err != nil {
			return 0, err
		}
		sum += v
	}
	m.Stop(n)
	return sum, p.Shutdown(ctx)
}

// streamConc has callbacks add up, which conc calls one at a time in order.
func streamConc(m *harness.Meter, items iter.Seq[int], n, chunk int) (sum int, err error) {
	m.Start()
	s := stream.New().WithMaxGoroutines(Workers)
	if chunk == oneByOne {
		for i := range items {
			s.Go(func() stream.Callback {
				v := square(i)
				return func() { sum += v }
			})
		}
	} else {
		for part := range chunked(items, chunk) {
			s.Go(func() stream.Callback {
				squareAll(part)
				return func() {
					for _, v := range part {
						sum += v
					}
				}
			})
		}
	}
	s.Wait()
	m.Stop(n)
	return sum, nil
}

// chunked cuts the items into slices of their own.
func chunked(items iter.Seq[int], size int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		part := make([]int, 0, size)
		for i := range items {
			part = append(part, i)
			if len(part) == size {
				if !yield(part) {
					return
				}
				part = make([]int, 0, size)
			}
		}
		if len(part) > 0 {
			yield(part)
		}
	}
}

func squareAll(items []int) {
	for i, item := range items {
		items[i] = square(item)
	}
}
