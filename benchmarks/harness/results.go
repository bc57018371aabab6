package harness

import "math"

// Results are what a run has measured.
type Results struct {
	Workloads []*WorkloadResult
	// Readings are the canary's, in the order of the run.
	Readings []Reading
	// Rounds is how many rounds were asked for.
	Rounds int
}

// WorkloadResult is what a run has measured of one workload.
type WorkloadResult struct {
	Workload *Workload
	Cases    []*CaseResult
}

// CaseResult has the samples of every contender of a case, in the order of the
// rounds.
type CaseResult struct {
	Case    *Case
	Entries []*Entry
	// Noisy is how many of the rounds had a turn on a machine that was not quiet.
	Noisy int
}

// Entry is a contender with its samples.
type Entry struct {
	Contender *Contender
	// Unable says why there are no samples.
	Unable  string
	Samples []Sample
}

// Case returns the result of a case, or nil if it was not run.
func (r *Results) Case(workload, name string) *CaseResult {
	for _, w := range r.Workloads {
		if w.Workload.Name != workload {
			continue
		}
		for _, c := range w.Cases {
			if c.Case.Name == name {
				return c
			}
		}
	}
	return nil
}

// Entry returns the contender of that name, or nil if it has no samples.
func (c *CaseResult) Entry(name string) *Entry {
	if c == nil {
		return nil
	}
	for _, e := range c.Entries {
		if e.Contender.Name == name && len(e.Samples) > 0 {
			return e
		}
	}
	return nil
}

// Best returns, of the contenders that have samples and that count, the one
// whose median is lowest, or nil.
func (c *CaseResult) Best(counts func(*Contender) bool) *Entry {
	if c == nil {
		return nil
	}
	var best *Entry
	for _, e := range c.Entries {
		if len(e.Samples) == 0 || !counts(e.Contender) {
			continue
		}
		if best == nil || e.Median(c.Case.Headline()) < best.Median(c.Case.Headline()) {
			best = e
		}
	}
	return best
}

// Reference is what the others are compared with: the case's, or the best pool
// among the peers.
func (c *CaseResult) Reference() *Entry {
	if c.Case.Reference != "" {
		return c.Entry(c.Case.Reference)
	}
	return c.Best(func(contender *Contender) bool { return contender.Kind == Pool })
}

// Rounds is how many rounds stand behind the figures.
func (c *CaseResult) Rounds() int {
	rounds := 0
	for _, e := range c.Entries {
		rounds = max(rounds, len(e.Samples))
	}
	return rounds
}

// Values returns the quantity for each round.
func (e *Entry) Values(q Quantity) []float64 {
	values := make([]float64, len(e.Samples))
	for i, s := range e.Samples {
		values[i] = q.Of(s)
	}
	return values
}

// Median is the median of the quantity over the rounds.
func (e *Entry) Median(q Quantity) float64 { return Median(e.Values(q)) }

// Ratio is the median over the rounds of how many times other's quantity e's
// was in the same round: what disturbs a round disturbs both.
func (e *Entry) Ratio(q Quantity, other *Entry) float64 {
	if e == nil || other == nil {
		return math.NaN()
	}
	ratios := make([]float64, min(len(e.Samples), len(other.Samples)))
	for i := range ratios {
		ratios[i] = q.Of(e.Samples[i]) / q.Of(other.Samples[i])
	}
	return Median(ratios)
}
