package main

import (
	"fmt"

	"github.com/greenroom-go/greenroom/benchmarks/harness"
)

// choose returns the workloads with only those contenders whose path matches,
// and without the cases in which none is left.
func choose(all []harness.Workload, matches func(path string) bool) []harness.Workload {
	var chosen []harness.Workload
	for _, w := range all {
		var cases []harness.Case
		for _, c := range w.Cases {
			var contenders []harness.Contender
			for _, contender := range c.Contenders {
				if matches(harness.Path(&w, &c, &contender)) {
					contenders = append(contenders, contender)
				}
			}
			if c.Contenders = contenders; len(contenders) > 0 {
				cases = append(cases, c)
			}
		}
		if w.Cases = cases; len(cases) > 0 {
			chosen = append(chosen, w)
		}
	}
	return chosen
}

func list(all []harness.Workload) {
	for _, w := range all {
		for _, c := range w.Cases {
			for _, contender := range c.Contenders {
				line := harness.Path(&w, &c, &contender)
				if contender.Unable != "" {
					line += " (" + contender.Unable + ")"
				}
				fmt.Println(line)
			}
		}
	}
}
