package pool_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// byMessage is the value of a result that came as a message.
const byMessage = -7

// witness compares what those are told who wait for a result.
type witness struct {
	r           *pool.AsyncResult[int]
	body        *body
	hasCallback bool

	hooks, done, called, cancels atomic.Int64 // OnDone, its calls, those of the callback; Cancel that was in time
	answered                     atomic.Bool  // perhaps a message decides

	mu    sync.Mutex
	heard bool
	value int
	err   error
}

// hear asks for the outcome, if it is there.
func (w *witness) hear(c *chaos) {
	if !w.r.Ready() {
		return
	}
	v, err := w.r.Get(context.Background())
	w.hearThat(c, v, err)
	outcome, notReady := w.r.Outcome()
	ok, _ := w.r.Successful()
	if notReady != nil || ok != (err == nil) || ok != (outcome == pool.Succeeded) {
		c.t.Errorf("a result is ready with %v, %v, but its outcome is %v (%v) and its success %v", v, err, outcome, notReady, ok)
	}
}

// hearThat is told what somebody was told.
func (w *witness) hearThat(c *chaos, v int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heard && (v != w.value || err != w.err) {
		c.t.Errorf("one is told %v, %v and another %v, %v", w.value, w.err, v, err)
	}
	w.heard, w.value, w.err = true, v, err
}

// told has all results of a pool.
type told struct {
	mu        sync.Mutex
	witnesses []*witness
	others    []func() (outcome pool.Outcome, refused bool, err error)
}

func (t *told) keep(w *witness, r *pool.AsyncResult[int]) *witness {
	w.r = r
	t.mu.Lock()
	defer t.mu.Unlock()
	t.witnesses = append(t.witnesses, w)
	return w
}

func (t *told) keepOther(ending func() (outcome pool.Outcome, refused bool, err error)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.others = append(t.others, ending)
}

// ending is how a task or map has ended. If it failed and nothing has come of it, it
// was refused.
func ending[R any](r *pool.AsyncResult[R], nothing func(R) bool) func() (pool.Outcome, bool, error) {
	return func() (pool.Outcome, bool, error) {
		outcome, err := r.Outcome()
		if err != nil {
			return outcome, false, err
		}
		value, err := r.Get(context.Background())
		return outcome, outcome == pool.Failed && nothing(value), err
	}
}

// recent is one of the latest results.
func (t *told) recent(p *player) (*witness, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.witnesses) == 0 {
		return nil, false
	}
	low := max(0, len(t.witnesses)-12)
	return t.witnesses[low+p.n(len(t.witnesses)-low)], true
}

// tally is what the test counts of what the pool counts, too. Of a few tasks it cannot
// tell whether they were accepted, or how they ended: nobody is told.
type tally struct {
	mu                 sync.Mutex
	ids                int
	accepted, items    int64
	perhaps            int64 // perhaps accepted
	outcomes           [messages.Outcomes]int64
	unclear            int64 // accepted, and somehow ended
	messages, answered int64
}

func (t *tally) id() int       { t.mu.Lock(); defer t.mu.Unlock(); t.ids++; return t.ids }
func (t *tally) begunItem()    { t.mu.Lock(); defer t.mu.Unlock(); t.items++ }
func (t *tally) send()         { t.mu.Lock(); defer t.mu.Unlock(); t.messages++ }
func (t *tally) answer()       { t.mu.Lock(); defer t.mu.Unlock(); t.answered++ }
func (t *tally) mayHave()      { t.mu.Lock(); defer t.mu.Unlock(); t.perhaps++ }
func (t *tally) endedSomehow() { t.mu.Lock(); defer t.mu.Unlock(); t.accepted++; t.unclear++ }
func (t *tally) ended(o pool.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accepted++
	t.outcomes[o]++
}

func (t *tally) add(other *tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accepted += other.accepted
	t.items += other.items
}

// refusals are the errors of tasks that were not accepted.
func isRefusal(err error) bool {
	return slices.ContainsFunc([]error{
		pool.ErrClosed, pool.ErrBroken, pool.ErrFull, pool.ErrCancelled, pool.ErrTimeout, pool.ErrKeysUnused, pool.ErrInvalid,
	}, func(refusal error) bool { return errors.Is(err, refusal) })
}

// applied counts a task of which only the error is known.
func (t *tally) applied(b *body, v int, err error) {
	if err == nil && (v != b.id || b.end.Load() != bodyReturned) {
		b.c.t.Errorf("Apply returns %d of task %d, which has not returned that", v, b.id)
	}
	switch begun := b.end.Load() != bodyUnbegun; {
	case err == nil:
		t.ended(pool.Succeeded)
	case begun:
		t.endedSomehow()
	default:
		t.refusedPerhaps(err)
	}
}

// refusedPerhaps counts a task that has not begun. Was it refused, or accepted and then
// broken or cancelled? The end of a context may have anything as its cause.
func (t *tally) refusedPerhaps(err error) {
	switch is := func(target error) bool { return errors.Is(err, target) }; {
	case is(pool.ErrCancelled), is(pool.ErrTimeout), is(pool.ErrBroken):
		t.mayHave()
	case !isRefusal(err):
		t.endedSomehow()
	}
}

// went counts a function given to Go.
func (t *tally) went(_ *body, err error) {
	if err == nil {
		t.endedSomehow()
	}
}

// mapped counts a map of which only the error is known.
func (t *tally) mapped(p *player, bodies []*body, out []int, err error) {
	p.checkMap(bodies, out, err)
	t.broadcast(out, err)
}

func (t *tally) broadcast(out []int, err error) {
	switch {
	case err == nil:
		t.ended(pool.Succeeded)
	case len(out) > 0:
		t.endedSomehow()
	default:
		t.refusedPerhaps(err)
	}
}

// answer counts a task that was sent as a message.
func (c *chaos) answer(m *messages.Result) {
	b := m.Correlation.(*body)
	c.tally.answer()
	if m.Err == nil && m.Value != b.id {
		c.t.Errorf("a message is answered with %v, not with %d", m.Value, b.id)
	}
	switch begun := b.end.Load() != bodyUnbegun; {
	case m.Outcome != pool.Failed, begun:
		c.tally.ended(m.Outcome)
	}
}

// check compares the counts of a pool that has ended.
func (t *tally) check(tt testing.TB, s pool.Stats) {
	require.LessOrEqual(tt, t.accepted, s.Accepted, "tasks accepted")
	require.LessOrEqual(tt, s.Accepted, t.accepted+t.perhaps, "tasks accepted")
	for o, n := range t.outcomes {
		require.LessOrEqual(tt, n, s.Outcomes[o], "%v", pool.Outcome(o))
		require.LessOrEqual(tt, s.Outcomes[o], n+t.unclear+t.perhaps, "%v", pool.Outcome(o))
	}
	require.Equal(tt, t.messages, t.answered, "each message has one answer")
}

// checkEnd checks what must hold when the pool has ended.
func (c *chaos) checkEnd(t testing.TB) {
	c.checkResults(t)
	c.tally.check(t, c.p.Stats())
	require.Zero(t, c.states.Load(), "every worker has cleaned up")
	checkLives(t, c.events)
	report := c.p.Report()
	require.Zero(t, report.Replaced)
	require.True(t, report.Ended)
	require.Empty(t, report.Running)
	failed := report.Outcomes[pool.Failed] + report.Outcomes[pool.Panicked] + report.Outcomes[pool.Exited]
	require.LessOrEqual(t, report.Unfetched, failed)
	require.GreaterOrEqual(t, report.Unfetched, int64(0))
	require.Empty(t, c.places.left(), "functions at work after the end, by worker")
	if c.n(32) == 0 && c.kit == nil { // it takes as long as everything else
		c.checkMemory(t)
	}
	c.forget()
}

// forget drops what the test refers to: timers and the like outlive the pool, and a
// thousand pools' results would fill the memory.
func (c *chaos) forget() {
	c.told.witnesses, c.told.others, c.turns.last, c.events = nil, nil, nil, nil
}

// checkResults has several ask for each result, and compares.
func (c *chaos) checkResults(t testing.TB) {
	ask := func() {
		for _, w := range c.told.witnesses {
			w.hear(c)
		}
	}
	c.together("asker", ask, ask)
	for _, w := range c.told.witnesses {
		c.checkResult(t, w)
	}
	for _, ending := range c.told.others {
		outcome, refused, err := ending()
		require.NotErrorIs(t, err, pool.ErrNotReady)
		if !refused {
			c.tally.ended(outcome)
		}
		c.see(err)
	}
}

// checkResult compares a result with what its function did.
func (c *chaos) checkResult(t testing.TB, w *witness) {
	outcome, err := w.r.Outcome()
	require.NoError(t, err)
	_, err = w.r.Get(t.Context())
	c.see(err)
	end := w.body.end.Load()
	refused := outcome == pool.Failed && end == bodyUnbegun && isRefusal(err)
	if !refused {
		c.tally.ended(outcome)
	}
	message := w.answered.Load() && w.value == byMessage
	switch {
	case outcome == pool.Succeeded && !message:
		require.Equal(t, bodyReturned, end)
		require.Equal(t, w.body.id, w.value, "everybody gets the value of his own task")
	case outcome == pool.Panicked:
		require.Equal(t, bodyPanicked, end)
	case outcome == pool.Exited:
		require.Equal(t, bodyExited, end)
	}
	if w.cancels.Load() > 0 {
		require.Equal(t, pool.Cancelled, outcome, "Cancel was in time")
		require.EqualValues(t, 1, w.cancels.Load(), "Cancel was in time once")
	}
	require.Equal(t, w.hooks.Load(), w.done.Load(), "OnDone is called once")
	var calls int64
	if w.hasCallback && !refused {
		calls = 1
	}
	require.Equal(t, calls, w.called.Load(), "one callback is called, if the task was accepted")
}

// checkMemory drops what the test refers to, and then the pool alone could refer to
// functions and results.
func (c *chaos) checkMemory(t testing.TB) {
	var bodies []weak.Pointer[body]
	var results []weak.Pointer[pool.AsyncResult[int]]
	for _, w := range c.told.witnesses {
		bodies, results = append(bodies, weak.Make(w.body)), append(results, weak.Make(w.r))
	}
	c.forget()
	for range 3 { // what sync.Pools keep needs two
		runtime.GC()
	}
	for i := range bodies {
		require.Nil(t, bodies[i].Value(), "the function of a task is kept")
		require.Nil(t, results[i].Value(), "a result is kept")
	}
	runtime.KeepAlive(c.p)
}

// registeredLike lists the processes whose name begins so.
func registeredLike(system *actor.ActorSystem, prefix string) (found []string) {
	for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
		bucket.IterCb(func(id string, _ any) { // Keys starts goroutines, 34,000 in all
			if strings.HasPrefix(id, prefix) {
				found = append(found, id)
			}
		})
	}
	return found
}
