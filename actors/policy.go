package actors

import "github.com/asynkron/protoactor-go/actor"

// FailureKind says what made a worker fail.
type FailureKind uint8

const (
	// TaskPanicked: the function of a task panicked.
	TaskPanicked FailureKind = iota
	// TaskExited: the function of a task called runtime.Goexit.
	TaskExited
	// InitializerFailed: the initializer returned an error, panicked or called Goexit.
	InitializerFailed
)

// Decide is the supervisor's policy: what a failure means for the worker, and
// whether it breaks the pool. While the pool stops, a worker is only ever
// stopped, for in Proto.Actor a restart would cancel the stop.
func Decide(kind FailureKind, stopping bool) (directive actor.Directive, breaks bool) {
	switch {
	case stopping:
		return actor.StopDirective, false
	case kind == InitializerFailed:
		return actor.StopDirective, true
	default:
		return actor.RestartDirective, false
	}
}
