package workloads

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

const aboutLatency = `How long a task waits before it starts, at half load. It is an open loop: tasks of 100 µs
of computation are submitted at random intervals (a Poisson process, the same arrivals
for all contenders), on average as often as keeps half of GOMAXPROCS cores at work, whether or
not earlier tasks are done. One goroutine submits; between two tasks it is woken by a
timer of the kernel, as it would be by a request from a network. A wait begins when the
task is due, so a submission that blocks counts against the tasks behind it; only if the
submitting goroutine itself was woken late does the wait begin when it was. CPython is
left out: it computes on one core at a time.`

// The columns of latency, by which targets find them.
var (
	P50  = harness.Value("p50 µs")
	P99  = harness.Value("p99 µs")
	P999 = harness.Value("p99.9 µs")
)

const (
	latencyTask = 100 * time.Microsecond
	// latencySeed makes the same arrivals for all contenders and rounds.
	latencySeed = 1
)

func latency(s Scale) harness.Workload {
	c := harness.Case{
		Name: "half load", N: s.of(8_000, 100),
		Quantities: []harness.Quantity{P99, P50, P999, harness.Per("task")[1]},
	}
	for _, p := range peers.All() {
		c.Contenders = append(c.Contenders, contender(p, "", func(m *harness.Meter, n int) error {
			return waits(m, p, n)
		}))
	}
	return harness.Workload{
		Name:  "latency",
		Title: "latency: from submission to start, at half load",
		About: aboutLatency,
		Cases: []harness.Case{c},
	}
}

// waits measures how long each of n tasks waits.
func waits(m *harness.Meter, p peers.Peer, n int) error {
	runner, err := open(p, Workers, n)
	if err != nil {
		return err
	}
	pacer, err := newPacer()
	if err != nil {
		return err
	}
	compute := computing(latencyTask)
	due := arrivals(n)
	waited := make([]time.Duration, n)
	m.Start()
	start := time.Now()
	var awake time.Duration // when the submitter was woken last
	for i := range n {
		if ahead := due[i] - time.Since(start); ahead > 0 {
			if err := pacer.sleep(ahead); err != nil {
				return err
			}
			awake = time.Since(start)
		}
		began := max(due[i], awake)
		err := runner.Submit(runner.Bind(func() {
			waited[i] = time.Since(start) - began
			compute()
		}))
		if err != nil {
			return err
		}
	}
	err = runner.Wait()
	m.Stop(n)
	setPercentiles(m, waited)
	return errors.Join(err, pacer.close())
}

// arrivals are the moments at which tasks are due.
func arrivals(n int) []time.Duration {
	random := rand.New(rand.NewPCG(latencySeed, latencySeed))
	interval := float64(latencyTask) / (0.5 * float64(runtime.GOMAXPROCS(0)))
	due := make([]time.Duration, n)
	at := 0.0
	for i := range due {
		at += random.ExpFloat64() * interval
		due[i] = time.Duration(at)
	}
	return due
}

func setPercentiles(m *harness.Meter, waited []time.Duration) {
	micros := make([]float64, len(waited))
	for i, d := range waited {
		micros[i] = float64(d) / float64(time.Microsecond)
	}
	slices.Sort(micros)
	m.Set(P50.Name, harness.Percentile(micros, 0.5))
	m.Set(P99.Name, harness.Percentile(micros, 0.99))
	m.Set(P999.Name, harness.Percentile(micros, 0.999))
}
