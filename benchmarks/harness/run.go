package harness

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// warmUpShare is how much smaller than a counted round the warm-up is.
const warmUpShare = 10

// Runner runs workloads.
type Runner struct {
	// Rounds is how many rounds are counted, besides a warm-up.
	Rounds int
	// WarmUp is false for a run that only looks whether everything works.
	WarmUp bool
	// Canary is asked before turns that count; nil if time does not matter.
	Canary *Canary
	// Budget is after how long a run takes no more rounds of a case than are
	// [enough], so that it ends in time on a slow machine too; 0 is no budget.
	Budget time.Duration
	// Deadline is how long one contender may take; a longer one hangs.
	Deadline time.Duration
	// Progress is told when a contender has run; nil means nobody is.
	Progress func(workload *Workload, c *Case, contender *Contender)
	// Finished is told when a case has been measured; nil means nobody is.
	Finished func(workload *Workload, result *CaseResult)

	// began is when the run did, and asked when the canary answered last.
	began, asked time.Time
}

// enough rounds give a median that one disturbed round does not move far.
const enough = 3

// Run runs the workloads one after another, and the contenders of each case in
// turn. It stops at the first wrong result.
func (r *Runner) Run(workloads []Workload) (*Results, error) {
	r.began = time.Now()
	results := &Results{Rounds: r.Rounds}
	for i := range workloads {
		w := &workloads[i]
		measured := &WorkloadResult{Workload: w}
		for j := range w.Cases {
			result, err := r.runCase(w, &w.Cases[j], results)
			if err != nil {
				return nil, err
			}
			measured.Cases = append(measured.Cases, result)
			if r.Finished != nil {
				r.Finished(w, result)
			}
		}
		results.Workloads = append(results.Workloads, measured)
	}
	return results, nil
}

// Steps is how many times Progress will be told.
func (r *Runner) Steps(workloads []Workload) int {
	steps := 0
	for i := range workloads {
		for j := range workloads[i].Cases {
			c := &workloads[i].Cases[j]
			steps += len(c.Contenders) * (r.rounds(c) + r.warmUps(c))
		}
	}
	return steps
}

func (r *Runner) rounds(c *Case) int {
	if c.MaxRounds > 0 {
		return min(c.MaxRounds, r.Rounds)
	}
	return r.Rounds
}

func (r *Runner) warmUps(c *Case) int {
	if r.WarmUp && !c.SkipWarmUp {
		return 1
	}
	return 0
}

func (r *Runner) runCase(w *Workload, c *Case, results *Results) (*CaseResult, error) {
	result := &CaseResult{Case: c}
	for i := range c.Contenders {
		contender := &c.Contenders[i]
		result.Entries = append(result.Entries, &Entry{Contender: contender, Unable: contender.Unable})
	}
	for round := -r.warmUps(c); round < r.rounds(c); round++ {
		if round >= enough && r.Budget > 0 && time.Since(r.began) > r.Budget {
			r.skip(w, result, r.rounds(c)-round)
			break
		}
		quiet, err := r.round(w, result, round, results)
		if err != nil {
			return nil, err
		}
		if !quiet {
			result.Noisy++
		}
	}
	return result, nil
}

// skip tells Progress about rounds that will not be.
func (r *Runner) skip(w *Workload, result *CaseResult, rounds int) {
	if r.Progress == nil {
		return
	}
	for range rounds {
		for _, entry := range result.Entries {
			r.Progress(w, result.Case, entry.Contender)
		}
	}
}

// round runs every contender once, in an order that differs from round to
// round, so that nobody always runs behind the same neighbour. It tells whether
// the machine was quiet before each turn. Rounds below zero are warm-ups.
func (r *Runner) round(w *Workload, result *CaseResult, round int, results *Results) (quiet bool, err error) {
	quiet = true
	order := rand.New(rand.NewPCG(uint64(len(result.Entries)), uint64(round+1))).Perm(len(result.Entries))
	for _, i := range order {
		entry := result.Entries[i]
		if entry.Unable == "" {
			if round >= 0 && !r.gate(results) {
				quiet = false
			}
			if err := r.runOne(result.Case, entry, round >= 0); err != nil {
				return quiet, fmt.Errorf("%s: %w", Path(w, result.Case, entry.Contender), err)
			}
		}
		if r.Progress != nil {
			r.Progress(w, result.Case, entry.Contender)
		}
	}
	return quiet, nil
}

// freshness is how long an answer of the canary is good for: short turns share
// one, long ones ask each.
const freshness = 100 * time.Millisecond

// gate holds a turn until the machine is quiet, or has been asked often enough,
// and tells which.
func (r *Runner) gate(results *Results) (quiet bool) {
	if r.Canary == nil {
		return true
	}
	if n := len(results.Readings); n > 0 && time.Since(r.asked) < freshness {
		return results.Readings[n-1].Quiet
	}
	reading := r.Canary.Wait()
	r.asked = time.Now()
	results.Readings = append(results.Readings, reading)
	return reading.Quiet
}

func (r *Runner) runOne(c *Case, entry *Entry, counts bool) error {
	n := c.N
	if entry.Contender.N > 0 {
		n = entry.Contender.N
	}
	if !counts {
		n = max(n/warmUpShare, 1)
	}
	sample, err := r.watch(entry.Contender, n)
	if reason, ok := asUnable(err); ok {
		entry.Unable = reason
		entry.Samples = nil
		return nil
	}
	if err != nil {
		return err
	}
	if counts {
		entry.Samples = append(entry.Samples, sample)
	}
	return nil
}

// watch gives up on a contender that hangs, so that a run ends with its name
// and not never.
func (r *Runner) watch(contender *Contender, n int) (Sample, error) {
	type outcome struct {
		sample Sample
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		sample, err := measure(contender, n)
		done <- outcome{sample, err}
	}()
	timer := time.NewTimer(r.Deadline)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.sample, o.err
	case <-timer.C:
		return Sample{}, fmt.Errorf("not done after %v with n = %d; leave it out with -only, or mark it as unable to take part", r.Deadline, n)
	}
}

// Path names a contender in full, for -only, -list and errors.
func Path(w *Workload, c *Case, contender *Contender) string {
	return w.Name + "/" + c.Name + "/" + contender.Name
}
