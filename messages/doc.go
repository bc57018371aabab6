// Package messages is the protocol of a Greenroom pool: what its actors say to
// each other, and what other actors say to it.
//
// An actor that wants work done sends a [*Task] to the pool's PID and receives
// a [*Result]. The other messages travel between the supervisor, the router and
// the workers of one pool; they are exported so that the protocol can be read
// and observed, and each says who sends it, who receives it, what answers it
// and what happens if it is lost.
//
// The words used throughout Greenroom:
//
//   - task: one call of a function, from its acceptance to its end
//   - outcome: how a task ended; each task has exactly one
//   - result: where an outcome goes; it has an address, the reply-to PID
//   - chunk: a run of consecutive items that one worker takes at once
//   - worker: an actor that runs tasks, one at a time
//   - router: the actor that owns the queue, from which workers pull
//   - supervisor: the actor that spawns router and workers and replaces those that fail
//   - directive: what the supervisor does about a failure
package messages
