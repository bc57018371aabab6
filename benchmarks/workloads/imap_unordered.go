package workloads

import (
	"iter"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
	"github.com/greenroom-go/greenroom/pool"
)

const aboutIMapUnordered = `The same as *imap*, but the results are read in the order of completion.
Hand-made windows are places that are used again; a task sends its place down a
channel when it is done. conc.ResultPool has no window and gives its results at the
end.`

// IMapUnordered is Greenroom's form for results in the order of completion.
const IMapUnordered = "Greenroom IMapUnordered"

func imapUnordered(s Scale) harness.Workload {
	return harness.Workload{
		Name:  "imap_unordered",
		Title: "imap_unordered: a stream in the order of completion",
		About: aboutIMapUnordered,
		Cases: []harness.Case{
			imapUnorderedCase(s, "one item per task", oneByOne, windowItems),
			imapUnorderedCase(s, "chunks of 64", chunk, windowChunks),
		},
	}
}

func imapUnorderedCase(s Scale, name string, chunk, window int) harness.Case {
	c := harness.Case{Name: name, N: s.of(200_000, 50_000), Quantities: harness.Per("item")}
	add := func(name string, kind harness.Kind, run streamFunc) {
		c.Contenders = append(c.Contenders, harness.Contender{Name: name, Kind: kind, Run: streamOf(run, chunk)})
	}
	add(IMapUnordered, harness.Greenroom, func(m *harness.Meter, items iter.Seq[int], n, chunk int) (int, error) {
		return streamGreenroom(m, pool.IMapUnordered, items, n, chunk)
	})
	add(ConcStream, harness.Pool, streamConc)
	for _, p := range peers.Others() {
		if p.NoResult != "" || p.Name == "pond.Submit" {
			continue
		}
		add(p.Name+HandMadeWindow, p.Kind, func(m *harness.Meter, items iter.Seq[int], n, chunk int) (int, error) {
			return unorderedByRunner(m, p, items, n, chunk, window)
		})
	}
	c.Contenders = append(c.Contenders,
		harness.Contender{Name: "conc.ResultPool", Kind: harness.Pool, Unable: "no stream"},
		peers.ThreadPool("imap_unordered", Workers, s.of(20_000*min(chunk, 10), 640), chunk))
	return c
}

// pass is a place whose task sends it on when it is done.
type pass struct {
	items []int
	task  func()
}

// unorderedByRunner keeps a window of passes. One is filled as soon as another
// has come back.
func unorderedByRunner(m *harness.Meter, p peers.Peer, items iter.Seq[int], n, chunk, window int) (sum int, err error) {
	runner, err := open(p, Workers, 0)
	if err != nil {
		return 0, err
	}
	m.Start()
	done := make(chan *pass, window)
	for range window {
		w := &pass{items: make([]int, 0, chunk)}
		w.task = func() {
			squareAll(w.items)
			done <- w
		}
		done <- w
	}
	take := func() *pass {
		w := <-done
		for _, v := range w.items {
			sum += v
		}
		w.items = w.items[:0]
		return w
	}
	current := take()
	for item := range items {
		current.items = append(current.items, item)
		if len(current.items) == chunk {
			if err := runner.Submit(current.task); err != nil {
				return 0, err
			}
			current = take()
		}
	}
	squareAll(current.items) // what is left is less than a chunk
	done <- current
	for range window {
		take()
	}
	m.Stop(n)
	return sum, runner.Wait()
}
