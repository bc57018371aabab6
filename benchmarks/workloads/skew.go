package workloads

import (
	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

const aboutSkew = `One task in a hundred takes a hundred times as long as the others: 1 ms of
computation among tasks of 10 µs, so that both kinds take about half of the time. A pool
that deals tasks out beforehand, or takes many at once, leaves short ones waiting behind
a long one. CPython is left out: it computes on one core at a time.`

func skew(s Scale) harness.Workload {
	c := harness.Case{Name: "1 in 100", N: s.of(20_000, 400)}
	for _, p := range peers.All() {
		c.Contenders = append(c.Contenders, contender(p, "", func(m *harness.Meter, n int) error {
			return submitEach(m, p, Workers, n, computing(shortTask), computing(100*shortTask))
		}))
	}
	return harness.Workload{
		Name:  "skew",
		Title: "skew: one task in a hundred takes a hundred times as long",
		About: aboutSkew,
		Cases: []harness.Case{c},
	}
}
