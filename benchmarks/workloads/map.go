package workloads

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
	"github.com/greenroom-go/greenroom/pool"
)

const aboutMap = `A slice of ints is squared into a new slice, by one function value that returns an
int and an error and is called for each item. The pool exists before; figures are for
one call of map. *Static partition* is the reference: GOMAXPROCS goroutines, each with
one range of the slice, into a result that it allocates. It calls the same function and
looks at its errors; the second of that name has the squaring written into its loop
instead. Peers without a map of their own are given chunks of the size that is
Greenroom's default (the number of items divided by four times the number of workers),
or each item as a task.`

// The names that targets refer to.
const (
	Map             = "Greenroom Map"
	StaticPartition = "static partition"
)

// mapSizes are the small maps, in which starting costs more than the work.
var mapSizes = []int{1, 16, 256, 4096}

func mapWorkload(s Scale) harness.Workload {
	w := harness.Workload{
		Name:  "map",
		Title: "map: squares of a slice of ints",
		About: aboutMap,
		Cases: []harness.Case{mapCase(s, "1M", s.of(1_000_000, 10_000), s.of(5, 1))},
	}
	for _, size := range mapSizes {
		w.Cases = append(w.Cases, mapCase(s, "n = "+strconv.Itoa(size), size, s.of(min(10_000, 800_000/size), 3)))
	}
	return w
}

// mapFunc maps a slice.
type mapFunc func(items []int) ([]int, error)

// mapWay makes, for one run, a mapFunc and what closes its pool.
type mapWay func() (mapFunc, func() error, error)

// mapCase has every contender map so many items so many times.
func mapCase(s Scale, name string, size, times int) harness.Case {
	c := harness.Case{Name: name, N: times, Reference: StaticPartition, Quantities: harness.Per("map")}
	add := func(name string, kind harness.Kind, n int, way mapWay) {
		c.Contenders = append(c.Contenders,
			harness.Contender{Name: name, Kind: kind, N: n, Run: mapTimes(way, size)})
	}
	add(Map, harness.Greenroom, 0, mapGreenroom)
	add(StaticPartition, harness.Raw, 0, withoutPool(staticPartition))
	add(StaticPartition+", inlined", harness.Raw, 0, withoutPool(staticPartitionInlined))
	add("conc.iter", harness.Pool, min(times, 200), withoutPool(mapConc))
	for _, p := range peers.Others() {
		if p.NoResult == "" && p.Name != "pond.Submit" {
			add(p.Name+", chunks", p.Kind, 0, mapByRunner(p, chunksOf))
		}
	}
	few := min(times, max(200_000/size, 1)) // each item as a task takes long
	for _, p := range peers.Others() {
		if p.Name == "ants.Pool" || p.Name == "pond.Go" || p.Name == peers.Channel {
			add(p.Name+", each item", p.Kind, few, mapByRunner(p, eachItem))
		}
	}
	add("pond.ResultTaskGroup, each item", harness.Pool, few, mapPond)
	add("Proto.Actor RequestFuture, each item", harness.Actor, few, mapRequestFuture)
	pythonSize := min(size, s.of(200_000, 1_000))
	c.Contenders = append(c.Contenders, pythonMap(pythonSize, size, s.of(max(200_000/size, 1), 2)))
	return c
}

// pythonMap has Python map so many items, which may be fewer than the others
// map. Its cost is then scaled up.
func pythonMap(items, size, times int) harness.Contender {
	times = min(times, 500)
	c := peers.ThreadPool("map", Workers, items*times, items)
	run := c.Run
	c.Run = func(m *harness.Meter, n int) error {
		if err := run(m, max(n/items, 1)*items); err != nil {
			return err
		}
		m.Regroup(size)
		return nil
	}
	return c
}

// mapTimes measures n maps of so many items.
func mapTimes(way mapWay, size int) func(m *harness.Meter, n int) error {
	return func(m *harness.Meter, n int) error {
		mapItems, closePool, err := way()
		if err != nil {
			return err
		}
		items := numbers(size)
		var squares []int
		m.Start()
		for range n {
			squares, err = mapItems(items)
			if err != nil {
				return err
			}
		}
		m.Stop(n)
		return errors.Join(checkSquares(squares, size), closePool())
	}
}

func checkSquares(squares []int, n int) error {
	if len(squares) != n {
		return fmt.Errorf("%d results for %d items", len(squares), n)
	}
	for i, v := range squares {
		if v != square(i) {
			return fmt.Errorf("result %d is %d; want %d", i, v, square(i))
		}
	}
	return nil
}

func mapGreenroom() (mapFunc, func() error, error) {
	ctx := context.Background()
	p, err := pool.New(pool.WithWorkers(Workers))
	return func(items []int) ([]int, error) { return pool.Map(ctx, p, squareTask, items) },
		func() error { return p.Shutdown(ctx) }, err
}
