package targets

import (
	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
	"github.com/greenroom-go/greenroom/benchmarks/workloads"
)

// Rows are the targets, in the order of the report.
func Rows() []Row {
	rows := []Row{
		submit("submit-go", peers.Go, 0.25, 0),
		submit("submit-applyasync", peers.ApplyAsync, 0.35, 2),
		resultRow(),
		resultBatch(),
		applyBackground(),
		applyCancellable(),
		mapOf("map-1m", "1M", 1.10, 1.03),
		mapOf("map-1", "n = 1", 0.5, 0.5),
		mapOf("map-16", "n = 16", 1.0, 1.0),
		mapOf("map-256", "n = 256", 1.3, 1.1),
		mapOf("map-4096", "n = 4096", 1.3, 1.1),
		stream("imap", workloads.IMap),
		stream("imap_unordered", workloads.IMapUnordered),
	}
	return append(rows,
		cpu(),
		likePond("io", "1 ms"),
		likePond("skew", "1 in 100"),
		nested(),
		createFew(),
		createMany(),
		idle(),
		latency(),
		growth("growth-workers", workloads.ByWorkers),
		growth("growth-producers", workloads.ByProducers),
		growth("growth-items", workloads.ByItems),
		growth("growth-depth", workloads.ByDepth),
		protoactor(),
		cpython(),
	)
}

// forms are Greenroom's two forms of submission. A row that does not say which
// is meant holds if it holds for both.
var forms = []struct{ name, label string }{
	{peers.Go, "Go"},
	{peers.ApplyAsync, "ApplyAsync"},
}

// both makes the bounds of each form.
func both(workload, name string, bounds ...func(subject) Bound) []Bound {
	var all []Bound
	for _, bound := range bounds {
		for _, form := range forms {
			all = append(all, bound(of(workload, name, form.name).as(form.label)))
		}
	}
	return all
}

// atMost is a ratio for both.
func atMost(limit float64, than opponent) func(subject) Bound {
	return func(s subject) Bound { return s.times(limit, than) }
}

func submit(row, form string, limit, allocations float64) Row {
	one := of("submit", "1 producer", form).as("1 producer")
	many := of("submit", "64 producers", form).as("64 producers")
	return Row{
		Name: row,
		Must: []Bound{
			one.times(limit, bestPool), many.times(limit, bestPool),
			one.allocs(allocations), many.allocs(allocations),
		},
		Aim: []Bound{one.times(0.75, named(peers.Channel)), many.times(0.75, named(peers.Channel))},
	}
}

func resultRow() Row {
	s := of("result", "100k", peers.ApplyAsync)
	return Row{
		Name: "result",
		Must: []Bound{s.times(0.25, bestPool), s.times(0.12, named(workloads.PondResultPool)), s.allocs(2)},
		Aim:  []Bound{s.times(0.7, named(workloads.ChannelWithWaitGroup))},
	}
}

func resultBatch() Row {
	s := of("result-batch", "100k", workloads.ApplyEach)
	return Row{
		Name: "result-batch",
		Must: []Bound{s.times(0.12, bestPool), s.allocs(0.2)},
		Aim:  []Bound{s.times(0.4, named(workloads.ChannelWithWaitGroup))},
	}
}

func applyBackground() Row {
	s := of("apply", "background", workloads.Apply)
	return Row{
		Name: "apply",
		Must: []Bound{s.times(0.25, bestPool), s.allocs(2)},
		Aim:  []Bound{s.times(0.15, bestPool)},
	}
}

func applyCancellable() Row {
	s := of("apply", "cancellable", workloads.Apply)
	return Row{
		Name: "apply-cancellable",
		Must: []Bound{s.times(1.0, ants), s.times(1.2, named(peers.GoroutinePerTask))},
		Aim:  []Bound{s.times(0.9, ants)},
	}
}

func mapOf(row, name string, must, aim float64) Row {
	s := of("map", name, workloads.Map)
	reference := named(workloads.StaticPartition)
	return Row{Name: row, Must: []Bound{s.times(must, reference)}, Aim: []Bound{s.times(aim, reference)}}
}

func stream(workload, form string) Row {
	s := of(workload, "one item per task", form)
	return Row{
		Name: workload,
		Must: []Bound{
			s.times(0.12, named(workloads.ConcStream)), s.times(0.25, handMadeWindow), s.allocs(0),
		},
		Aim: []Bound{s.times(0.06, named(workloads.ConcStream))},
	}
}

func cpu() Row {
	ideal := named(workloads.SerialByCores)
	return Row{
		Name: "cpu",
		Must: both("cpu", "10 µs", atMost(1.05, ideal)),
		Aim:  both("cpu", "10 µs", atMost(1.02, ideal)),
	}
}

func likePond(workload, name string) Row {
	pond := named("pond.Go")
	return Row{
		Name: workload,
		Must: both(workload, name, atMost(0.95, ants), atMost(1.1, pond)),
		Aim:  both(workload, name, atMost(1.0, pond)),
	}
}

func nested() Row {
	s := of("nested", "fib", workloads.NestedApplyAsync)
	goroutines := named(peers.GoroutinePerTask)
	return Row{Name: "nested", Must: []Bound{s.times(1.0, goroutines)}, Aim: []Bound{s.times(0.5, goroutines)}}
}

func createFew() Row {
	microseconds := func(s subject) Bound {
		return s.figure(40, "µs", harness.Per("pool")[0], 1000)
	}
	return Row{Name: "create-8", Must: both("create", "8 workers", microseconds)}
}

func createMany() Row {
	return Row{
		Name: "create-10000",
		Must: both("create", "10,000 workers", atMost(1.5, ants)),
		Aim:  both("create", "10,000 workers", atMost(1.0, ants)),
	}
}

// idleCPU is what still counts as none, in µs of CPU time for each second: what
// a process without a pool uses, and some more for the noise of that.
const idleCPU = 1000

func idle() Row {
	bytes := func(limit float64) func(subject) Bound {
		return func(s subject) Bound { return s.figure(limit, "B/worker", workloads.BytesPerWorker, 1) }
	}
	none := func(s subject) Bound { return s.figure(idleCPU, "µs of CPU a second", workloads.IdleCPU, 1) }
	return Row{
		Name: "idle",
		Must: both("idle", "10,000 workers", bytes(900), none),
		Aim:  both("idle", "10,000 workers", bytes(600)),
	}
}

func latency() Row {
	return Row{
		Name: "latency-p99",
		Must: both("latency", "half load", atMost(1.0, bestPool)),
		Aim:  both("latency", "half load", atMost(0.7, bestPool)),
	}
}

func growth(row, name string) Row {
	spread := func(limit float64) func(subject) Bound {
		return func(s subject) Bound { return s.spread(limit) }
	}
	return Row{Name: row, Must: both("growth", name, spread(1.5)), Aim: both("growth", name, spread(1.2))}
}

func protoactor() Row {
	result := of("result", "100k", peers.ApplyAsync).as("result")
	apply := of("apply", "background", workloads.Apply).as("apply")
	router := named(workloads.ProtoactorRequest)
	return Row{
		Name: "protoactor",
		Must: []Bound{result.times(0.12, router), apply.times(0.05, router)},
		Aim:  []Bound{result.times(0.08, router), apply.times(0.02, router)},
	}
}

func cpython() Row {
	result := of("result", "100k", peers.ApplyAsync).as("result")
	apply := of("apply", "background", workloads.Apply).as("apply")
	python := named(peers.ThreadPoolName)
	return Row{
		Name: "cpython",
		Must: []Bound{result.times(1.0/50, python), apply.times(1.0/300, python)},
		Aim:  []Bound{result.times(1.0/80, python), apply.times(1.0/1000, python)},
	}
}
