package harness

import (
	"math"
	"time"
)

// Sample is what one run of a contender cost.
type Sample struct {
	Tasks int
	Wall  time.Duration
	// CPU is user and system time of the whole process.
	CPU time.Duration
	// Allocs and Bytes count heap allocations; NaN if they are not known.
	Allocs, Bytes float64
	// Values are what a workload measures itself, such as a percentile.
	Values map[string]float64
}

// Quantity is a number that follows from a sample, the smaller the better.
type Quantity struct {
	// Name heads the column, with the unit: "ns/task".
	Name string
	// Of computes it; NaN if it is not known.
	Of func(Sample) float64
}

// PerTask are the usual columns.
var PerTask = Per("task")

// Per returns the usual columns for tasks that are called unit.
func Per(unit string) []Quantity {
	return []Quantity{
		{"ns/" + unit, func(s Sample) float64 { return float64(s.Wall) / float64(s.Tasks) }},
		{"CPU ns/" + unit, func(s Sample) float64 { return float64(s.CPU) / float64(s.Tasks) }},
		{"allocs/" + unit, AllocsPerTask},
		{"B/" + unit, func(s Sample) float64 { return s.Bytes / float64(s.Tasks) }},
	}
}

// AllocsPerTask are the allocations of a task.
func AllocsPerTask(s Sample) float64 { return s.Allocs / float64(s.Tasks) }

// Value is a quantity that the workload itself measured, by its name.
func Value(name string) Quantity {
	return Quantity{name, func(s Sample) float64 {
		if v, ok := s.Values[name]; ok {
			return v
		}
		return math.NaN()
	}}
}
