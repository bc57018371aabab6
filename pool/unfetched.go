package pool

import "github.com/greenroom-go/greenroom/actors"

// UnfetchedErrors are the errors of a pool's tasks that nobody has fetched.
// [actors.UnfetchedErrors] has its fields.
type UnfetchedErrors = actors.UnfetchedErrors

// UnfetchedError is one of them. [actors.UnfetchedError] has its fields.
type UnfetchedError = actors.UnfetchedError

// MaxUnfetched is how many errors that nobody has fetched a pool keeps at a time. As
// panics with their stacks they take some 100 KiB.
const MaxUnfetched = actors.MaxUnfetched

// WithUnfetchedErrors has f told at the end of the pool which errors nobody has fetched:
// of tasks and maps that failed, panicked or called Goexit, and of which nobody has asked
// for the outcome or was told it by a callback or a message. (A function given to [Pool.Go]
// has no result: its panic is logged, and counted in [Stats].) f is called once, behind the
// last callback, and not at all if there are none. Default: how many there are is logged.
//
// [MaxUnfetched] errors are kept, with what they refer to, until they are fetched or f
// returns; of others that come meanwhile only the number is known.
//
// A panic and a Goexit of f are logged. Join waits for f, which must not wait for the
// pool. A nil f panics.
func WithUnfetchedErrors(f func(UnfetchedErrors)) Option {
	mustHave(f != nil, "WithUnfetchedErrors", "function")
	return func(c *config) { c.Unfetched = f }
}
