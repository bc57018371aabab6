// Package actors holds the actors of a Greenroom pool: the supervisor, the
// router, the workers with their mailbox, and the results with their addresses.
// Package pool is their typed face; use that one unless you study the actors.
//
// Who owns what:
//
//   - A [Task] belongs to whoever moves its state (see task.go); its outcome is
//     written by the one that moved it to deciding and read by anybody after.
//   - The [Router] owns the queue, the idle workers and the pool's life cycle,
//     all behind one mutex that is never held while foreign code runs, except
//     a [Strategy], which must be short. Go callers call its methods; actors
//     reach the same methods through the router actor.
//   - A worker owns nothing but the task in its hands. It pulls when it is free,
//     several short tasks at once; those it has not begun can be taken from it.
//   - The supervisor owns the actors: it spawns, restarts and stops them.
//
// Locks are taken in this order: waitGraph.mu; then that of a tree of groups; then
// Router.mu, or the lock of a map or stream, or frame.mu, one at a time, save that
// frame.mu may be taken with Router.mu held. That of a task's rest (more) comes before
// that of the desk; standard.mu and those of lane and mailbox are taken alone. User
// code is never called with one of them held, except that a task's context asks its
// parent.
package actors
