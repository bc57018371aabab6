package actors

import (
	"fmt"
	"strings"
	"time"
)

// EventKind says what has happened.
type EventKind uint8

const (
	// WorkerStarted: a worker is ready, its initializer has run.
	WorkerStarted EventKind = iota
	// WorkerFailed: a task panicked or called Goexit, or an initializer failed. Err is
	// the *Failure, Directive what is done about it.
	WorkerFailed
	// WorkerRestarted: a worker that was restarted is ready again.
	WorkerRestarted
	// WorkerRecycled: a worker that had worked enough has begun anew, and is ready.
	WorkerRecycled
	// WorkerStopped: a worker is gone, and has cleaned up. One that was stopped by
	// somebody while the pool goes on is replaced, and WorkerStarted follows.
	WorkerStopped
	// TaskDropped: a full queue made room for a newer task, or a queue that had been late
	// for too long shed it.
	TaskDropped
	// TaskRetried: a task has failed and is tried again. Err is why, Attempt the number
	// of the attempt that failed, from 1.
	TaskRetried
	// TaskOverrun: a function is still at work a while after its task has ended. Err is
	// why that ended, Since when, Stack where the function is, and Replaced says that
	// another worker comes in the stead of the one that it keeps. One may come later.
	TaskOverrun
	// PoolPaused: workers take up nothing new.
	PoolPaused
	// PoolResumed: they do again.
	PoolResumed
	// PoolResized: the pool has more workers now, or fewer.
	PoolResized
	// PoolClosing: the pool takes no more tasks.
	PoolClosing
	// PoolTerminated: every task that had not ended has been given its end. Not for a
	// pool that had nothing left to do.
	PoolTerminated
	// PoolBroken: the pool takes no more tasks, because of Err.
	PoolBroken
	// PoolClosed: nothing of the pool is left. The last event.
	PoolClosed
	// EventsLost: the subscriber was too slow; so many events are missing here.
	EventsLost

	eventKinds
)

// String is the name of the kind in words.
func (k EventKind) String() string {
	names := [eventKinds]string{
		"worker started", "worker failed", "worker restarted", "worker recycled", "worker stopped", "task dropped", "task retried", "task overrun", "pool paused",
		"pool resumed", "pool resized", "pool closing", "pool terminated", "pool broken", "pool closed", "events lost",
	}
	if k >= eventKinds {
		return "unknown event"
	}
	return names[k]
}

// Event is something that has happened in a pool.
type Event struct {
	Kind EventKind
	At   time.Time
	Pool string // its name
	// Worker is the name of the worker, of events of workers, and of TaskOverrun; "" if
	// it is not on one.
	Worker string
	// Task is the name of the task, of events of tasks; "" if it has none.
	Task string
	// Err is why, of WorkerFailed, TaskRetried, TaskOverrun and PoolBroken.
	Err error
	// Since, Stack and Replaced are of TaskOverrun. Stack is as in RunningTask.
	Since    time.Time
	Stack    string
	Replaced bool
	// Attempt is the number of the attempt that failed, of TaskRetried.
	Attempt int
	// Directive is what is done about the failure, of WorkerFailed.
	Directive Directive
	// Workers is how many there are now, of PoolResized.
	Workers int
	// Lost is how many events are missing, of EventsLost.
	Lost int
}

// String is the event in a line.
func (e Event) String() string {
	s := fmt.Sprintf("%s: %v", e.Pool, e.Kind)
	if e.Worker != "" {
		s += " " + e.Worker
	}
	if e.Task != "" {
		s += " " + e.Task
	}
	if e.Kind == EventsLost {
		s += fmt.Sprintf(" %d", e.Lost)
	}
	if e.Kind == TaskRetried {
		s += fmt.Sprintf(" after attempt %d", e.Attempt)
	}
	if e.Kind == PoolResized {
		s += fmt.Sprintf(" to %d workers", e.Workers)
	}
	if e.Kind == WorkerFailed {
		s += ", " + e.Directive.String()
	}
	if e.Err != nil {
		s += ": " + firstLine(e.Err.Error())
	}
	return s
}

// firstLine leaves out the stack of a panic.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
