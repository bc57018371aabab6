package harness

import (
	"errors"
	"math"
	"runtime"
	"time"
)

// Meter measures the part of a contender's run between Start and Stop. It is
// used by one goroutine.
type Meter struct {
	sample  Sample
	paused  bool
	stopped bool
	memory  runtime.MemStats
	cpu     time.Duration
	wall    time.Time
}

// Start begins to measure. It first collects the garbage, so that no contender
// pays for what another, or its own setup, has left behind.
func (m *Meter) Start() {
	runtime.GC()
	runtime.ReadMemStats(&m.memory)
	m.Resume()
}

// Pause stops the clocks until Resume. Allocations go on being counted.
func (m *Meter) Pause() {
	m.sample.Wall += time.Since(m.wall)
	m.sample.CPU += cpuTime() - m.cpu
	m.paused = true
}

// Resume lets the clocks go on.
func (m *Meter) Resume() {
	m.paused = false
	m.cpu = cpuTime()
	m.wall = time.Now()
}

// Stop ends what Start began, during which tasks were done.
func (m *Meter) Stop(tasks int) {
	if !m.paused {
		m.Pause()
	}
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	m.sample.Tasks = tasks
	m.sample.Allocs = float64(after.Mallocs - m.memory.Mallocs)
	m.sample.Bytes = float64(after.TotalAlloc - m.memory.TotalAlloc)
	m.stopped = true
}

// Record takes the place of Start and Stop for work that another process did
// and measured.
func (m *Meter) Record(tasks int, wall, cpu time.Duration) {
	m.sample.Tasks = tasks
	m.sample.Wall = wall
	m.sample.CPU = cpu
	m.sample.Allocs = math.NaN()
	m.sample.Bytes = math.NaN()
	m.stopped = true
}

// DivideWall makes of the time that one core took what so many would take.
func (m *Meter) DivideWall(cores int) { m.sample.Wall /= time.Duration(cores) }

// CPUMicrosecondsPerSecond is the CPU time used between Start and Stop, for each
// second that passed.
func (m *Meter) CPUMicrosecondsPerSecond() float64 {
	return float64(m.sample.CPU.Microseconds()) / m.sample.Wall.Seconds()
}

// Regroup counts so many of the recorded tasks as one from now on.
func (m *Meter) Regroup(tasks int) {
	scale := float64(tasks) / float64(m.sample.Tasks)
	m.sample.Wall = time.Duration(float64(m.sample.Wall) * scale)
	m.sample.CPU = time.Duration(float64(m.sample.CPU) * scale)
	m.sample.Allocs *= scale
	m.sample.Bytes *= scale
	m.sample.Tasks = 1
}

// Set gives a value that the workload has measured itself.
func (m *Meter) Set(name string, value float64) {
	if m.sample.Values == nil {
		m.sample.Values = map[string]float64{}
	}
	m.sample.Values[name] = value
}

// measure runs a contender once and returns what it cost.
func measure(c *Contender, n int) (Sample, error) {
	var m Meter
	if err := c.Run(&m, n); err != nil {
		return Sample{}, err
	}
	if !m.stopped {
		return Sample{}, errors.New("the contender returned without having stopped its meter")
	}
	return m.sample, nil
}
