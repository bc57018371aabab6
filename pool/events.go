package pool

import (
	"context"
	"iter"

	"github.com/greenroom-go/greenroom/actors"
)

// Event is something that has happened in a pool. Its String is a line for a log.
// [actors.Event] has its fields.
type Event = actors.Event

// EventKind says what has happened.
type EventKind = actors.EventKind

const (
	// WorkerStarted: a worker is ready, its initializer has run.
	WorkerStarted = actors.WorkerStarted
	// WorkerFailed: a task panicked or called Goexit, or an initializer failed. Err is
	// the [*Failure], Directive what is done about it.
	WorkerFailed = actors.WorkerFailed
	// WorkerRestarted: a worker that was restarted is ready again.
	WorkerRestarted = actors.WorkerRestarted
	// WorkerRecycled: a worker that had worked enough ([WithMaxTasksPerWorker],
	// [WithMaxWorkerAge]) has begun anew, and is ready.
	WorkerRecycled = actors.WorkerRecycled
	// WorkerStopped: a worker is gone, and has cleaned up. One that was stopped by
	// somebody while the pool goes on is replaced, and WorkerStarted follows.
	WorkerStopped = actors.WorkerStopped
	// TaskDropped: a full queue made room for a newer task ([DropOldest]), or a queue that
	// had been late for too long shed it ([WithShedding]).
	TaskDropped = actors.TaskDropped
	// TaskRetried: a task has failed and is tried again ([WithRetry]). Err is why, Attempt
	// the number of the attempt that failed, from 1.
	TaskRetried = actors.TaskRetried
	// TaskOverrun: a function is still at work a while after its task has ended: it ignores
	// its context ([WithOverrunAfter]). Err is why the task ended, Since when, Stack where
	// the function is, and Replaced says that another worker has come in the stead of the
	// one that it keeps ([WithReplacements]).
	TaskOverrun = actors.TaskOverrun
	// PoolPaused: workers take up nothing new.
	PoolPaused = actors.PoolPaused
	// PoolResumed: they do again.
	PoolResumed = actors.PoolResumed
	// PoolResized: the pool has more workers now, or fewer, as Workers says.
	PoolResized = actors.PoolResized
	// PoolClosing: the pool takes no more tasks.
	PoolClosing = actors.PoolClosing
	// PoolTerminated: every task that had not ended has been given its end. Not for a
	// pool that had nothing left to do.
	PoolTerminated = actors.PoolTerminated
	// PoolBroken: the pool takes no more tasks, because of Err.
	PoolBroken = actors.PoolBroken
	// PoolClosed: nothing of the pool is left. The last event.
	PoolClosed = actors.PoolClosed
	// EventsLost: the subscriber was too slow; so many events are missing here.
	EventsLost = actors.EventsLost
)

// EventBuffer is how many events a subscriber may be behind before it loses some.
const EventBuffer = actors.EventBuffer

// Events subscribes to what happens in the pool from now on, not only from when the
// sequence is read. The sequence blocks until there is an event, yields them in the
// order in which they happened, and ends after [PoolClosed], when ctx ends, or with its
// loop. The pool never waits for a subscriber: one that is [EventBuffer] events behind
// loses the next ones, and learns how many from [EventsLost]; PoolClosed is never lost.
// Any number may subscribe; those who range over one sequence share its events. One whose
// ctx can end costs a goroutine that waits for that. Without a subscriber events cost
// nothing. A nil ctx panics.
func (p *Pool) Events(ctx context.Context) iter.Seq[Event] {
	mustHave(ctx != nil, "Events", "context")
	return p.router.Events(ctx)
}
