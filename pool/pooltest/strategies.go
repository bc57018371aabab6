package pooltest

import (
	"testing"

	"github.com/greenroom-go/greenroom/pool"
)

// TestStrategy checks, in a subtest for each requirement, that a routing strategy does
// what a pool expects of one ([pool.Strategy]): called by itself, with keys, loads and
// numbers of workers that change from call to call; and then, if nothing was wrong with
// that, with pools under [Explore], whose workers fail, come and go.
//
// newStrategy is what [pool.WithRouting] would take: it returns a strategy of its own for
// each pool. What two of them share is found by the race detector only (go test -race).
//
// A strategy may draw random numbers. If two of them answer the same questions
// differently, a failure cannot be repeated by its seed.
//
// It takes some seconds at most, and ends also if the strategy blocks for ever. It must not
// be called in Run, Explore or synctest.Test.
func TestStrategy(t *testing.T, newStrategy func() pool.Strategy) {
	t.Helper()
	if newStrategy == nil {
		t.Fatal("pooltest: TestStrategy needs a function that makes strategies; it is nil")
	}
	strategySuite.test(t, Options{Patience: suitePatience}, newStrategy, func() bool { return repeats(newStrategy) })
}

// strategyOrders is how many orders are tried of each requirement about a pool.
const strategyOrders = 60

var strategySuite = suite[pool.Strategy]{
	{
		{holds: "The constructor returns a strategy", check: returnsAStrategy},
	},
	{
		{holds: "Route returns at once", check: about(blocks)},
	},
	{
		{holds: "Route does not panic", check: about(panics)},
		{holds: "Route names a worker that exists, or none", check: about(noSuchWorker)},
		{holds: "Route asks for an order only of tasks that any worker may take", check: about(orderOnOne)},
		{holds: "Route asks for the loads of workers that exist, and only until it returns", check: about(badLoad)},
		{holds: "UsesKeys answers the same each time", check: usesKeysIsConstant},
		{holds: "Strategies of two pools may be called at the same time", check: sharesNothing},
	},
	{
		{holds: "Each task runs once and has a result of its own", orders: strategyOrders, check: runsEachTaskOnce},
		{holds: "Each task ends while workers come and go", orders: strategyOrders, check: endsWhileResized},
		{holds: "Each task ends while workers fail", orders: strategyOrders, check: endsWhileWorkersFail},
		{holds: "Cancelled tasks keep back no others", orders: strategyOrders, check: endsBesideCancelled},
		{holds: "A paused pool keeps its tasks until it is resumed", orders: strategyOrders, check: keepsWhilePaused},
		{holds: "A full queue holds whoever submits until there is room", orders: strategyOrders, check: fullQueue(pool.WaitForRoom, nil)},
		{holds: "A full queue refuses a task", orders: strategyOrders, check: fullQueue(pool.Reject, pool.ErrFull)},
		{holds: "A full queue drops the oldest task", orders: strategyOrders, check: fullQueue(pool.DropOldest, pool.ErrDropped)},
		{holds: "A full queue has the caller run the task", orders: strategyOrders, check: fullQueue(pool.CallerRuns, nil)},
		{holds: "Close and Join lose no task", orders: strategyOrders, check: drains},
		{holds: "Terminate ends each task", orders: strategyOrders, check: terminates},
		{holds: "A key orders all its tasks or none, and is refused where keys mean nothing", orders: strategyOrders, check: keysOrderAllOrNone},
	},
}
