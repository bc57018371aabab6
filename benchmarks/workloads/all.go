// Package workloads asks what Greenroom costs beside its peers: one file for
// each question.
package workloads

import (
	"github.com/greenroom-go/greenroom/benchmarks/harness"
	"github.com/greenroom-go/greenroom/benchmarks/peers"
)

// Workers is how many workers a pool has unless the workload says otherwise.
const Workers = 8

// Scale says how much work the contenders get.
type Scale uint8

const (
	// Full is for numbers.
	Full Scale = iota
	// Short is for seeing that everything runs: as little as shows a wrong
	// result and gives allocation counts that do not depend on the setup.
	Short
)

// of picks the number of tasks.
func (s Scale) of(full, short int) int {
	if s == Short {
		return short
	}
	return full
}

// All lists the workloads in the order of the report.
func All(s Scale) []harness.Workload {
	return []harness.Workload{
		submit(s),
		result(s),
		resultBatch(s),
		apply(s),
		mapWorkload(s),
		imap(s),
		imapUnordered(s),
		cpu(s),
		io(s),
		skew(s),
		nested(s),
		create(s),
		idle(s),
		latency(s),
		growth(s),
	}
}

// contender has a peer take part with run, or says why it cannot.
func contender(p peers.Peer, unable string, run func(m *harness.Meter, n int) error) harness.Contender {
	return harness.Contender{Name: p.Name, Kind: p.Kind, Unable: unable, Run: run}
}

// open makes a peer's runner for so many bound tasks.
func open(p peers.Peer, workers, tasks int) (peers.Runner, error) {
	return p.Open(peers.Config{Workers: workers, Tasks: tasks})
}
