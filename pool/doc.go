// Package pool is Python's multiprocessing.pool.ThreadPool for Go: a
// company of workers that run functions, with the same verbs, typed by generics
// and bounded by contexts.
//
//	p, err := pool.New(pool.WithWorkers(8))
//	…
//	squares, err := pool.Map(ctx, p, square, numbers)
//	…
//	err = p.Shutdown(ctx)
//
// # Submitting
//
// [Apply] calls one function and waits, [ApplyAsync] does not wait; [Call] takes
// any function with its arguments; [Pool.Go] tells nobody how it ends. [ApplyEach]
// is ApplyAsync for each of many items. [Map] and [StarMap] call a function for each
// of many items, a chunk of them at a time. [IMap] and [IMapUnordered] return a
// [Stream], which takes its items from a sequence while its results are read.
// [Broadcast] calls a function once on every worker.
//
// # Results
//
// A submission that does not wait returns an [AsyncResult]. Every task that was
// accepted reaches exactly one end, its [Outcome]: it succeeded, failed,
// panicked, called runtime.Goexit, was cancelled, timed out, was dropped by a
// full queue, was terminated with its pool, or its pool broke. A task that was
// not accepted has a result that carries the reason. [WaitFor] and [AsCompleted]
// wait for several results. A [Group] is tasks that share a context, a limit and a
// wait for all of them.
//
// A result ends at once when its task is cancelled, times out or is terminated.
// Go cannot stop a function from outside: the function sees its context end and
// keeps its worker until it returns; what it then returns is dropped and counted
// in [Stats].
//
// # Waiting inside of a task
//
// A task may wait for other tasks of its pool, whatever the number of workers,
// if it waits with its own context or one derived from it: what has not started
// is run in the place of the waiting task, and so never more tasks are at work
// than there are workers. A wait that could never end, because what it waits for
// waits for the waiting task, returns [ErrDeadlock] to one of those concerned;
// cycles through several pools are found as well. The limits:
//
//   - A wait with another context, on the channel of Done, or on anything that
//     is not a result, a stream, room in a queue or the end of a pool, is not
//     known to be one. [Stream.All] waits with the context that the stream was
//     made with; inside of a task that did not make the stream, use [Stream.Next].
//   - A wait with a deadline ends by itself, so no cycle that leads through it
//     is reported.
//   - A task waits if one of its goroutines does. If a goroutine waits that the
//     task itself will not wait for, ErrDeadlock may be reported where the task
//     would have gone on.
//   - A task that gives up waiting, or whose result has ended, leaves a function
//     that runs in its place to itself; until that returns, both are at work.
//   - A task of another pool is not run in place: its own workers run it.
//
// # Order
//
// Workers take tasks in the order of submission; when tasks take less than some 5
// µs, up to 56 at once. Tasks that different workers have taken may start in either
// order, and what stands behind a task that takes long goes to another worker that
// is free. So it is unless the routing ([WithRouting]) or priorities ([WithPriorities])
// say otherwise, a task is tried again ([WithRetry]), or one is run in the place of
// another that waits for it.
//
// The chunks of a map begin in the order of its items. A stream's begin as tasks do:
// a worker takes several short ones at once, and others take what it has not begun.
// So functions that wait for one that comes later, other than by waiting for its
// result with their context, need a worker for each of them, and one more.
//
// # Ends
//
// [Pool.Close] refuses new tasks and finishes the others, [Pool.CancelQueued]
// drops what has not started, [Pool.Terminate] ends everything; [Pool.Join]
// waits for the end. [Pool.Shutdown], [With] and [WithDrain] combine them.
//
// # Actors
//
// A pool is a supervisor actor with a router and its workers. Somebody who only
// wants a pool never meets them; an actor sends tasks as messages to [Pool.PID]
// and spawns pools as its children with [Props].
package pool
