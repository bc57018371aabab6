package actors

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/greenroom-go/greenroom/messages"
)

// orderModel is what waits for a worker, in the order of submission.
type orderModel struct {
	r       *Router
	count   int
	waiting []*ordered
	begun   []*ordered
	failed  []*ordered // may be tried again
}

type ordered struct {
	script
	number int
	put    time.Duration
}

func (m *orderModel) submit(t *rapid.T, number int, o TaskOptions) {
	b := &ordered{number: number, put: sinceStart()}
	b.Init(m.r, b, context.Background(), o)
	b.run = func(context.Context) { m.begun = append(m.begun, b) }
	oldest := m.oldest()
	if err := m.r.Submit(context.Background(), &b.Task); err != nil {
		require.ErrorIs(t, err, messages.ErrFull)
		require.Negative(t, oldest)
		return
	}
	if oldest >= 0 && m.waiting[oldest].Decided() { // dropped
		m.waiting = slices.Delete(m.waiting, oldest, oldest+1)
	}
	i, _ := slices.BinarySearchFunc(m.waiting, number, func(other *ordered, number int) int { return other.number - number })
	m.waiting = slices.Insert(m.waiting, i, b)
}

// oldest is the first that counts towards the limit, or -1.
func (m *orderModel) oldest() int {
	return slices.IndexFunc(m.waiting, func(b *ordered) bool { return !b.exempt })
}

func (m *orderModel) submitNext(t *rapid.T, o TaskOptions) {
	m.count++
	m.submit(t, m.count, o)
}

func (m *orderModel) push(t *rapid.T) { m.submitNext(t, TaskOptions{}) }

// pushMany makes room for many places at which nothing waits.
func (m *orderModel) pushMany(t *rapid.T) {
	for range 2 * manyHoles {
		m.push(t)
	}
}

func (m *orderModel) pushPiece(t *rapid.T) {
	m.submitNext(t, TaskOptions{Internal: true, Exempt: true})
}

func (m *orderModel) pin(t *rapid.T) {
	exempt := rapid.Bool().Draw(t, "exempt")
	m.submitNext(t, TaskOptions{Worker: 1, Internal: exempt, Exempt: exempt})
}

func (m *orderModel) pushAttempt(t *rapid.T) {
	m.submitNext(t, TaskOptions{Internal: true, Routed: true})
}

func (m *orderModel) tryAgain(t *rapid.T) {
	if len(m.failed) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.failed)-1).Draw(t, "attempt")
	failed := m.failed[i]
	m.failed = slices.Delete(m.failed, i, i+1)
	m.submit(t, failed.number, TaskOptions{Internal: true, Routed: true, Exempt: true, Resumes: &failed.Task})
}

func (m *orderModel) cancel(t *rapid.T) {
	if len(m.waiting) == 0 {
		return
	}
	last := len(m.waiting) - 1
	low := rapid.IntRange(0, last).Draw(t, "from")
	high := rapid.SampledFrom([]int{low, last}).Draw(t, "to")
	for _, b := range slices.Backward(m.waiting[low : high+1]) {
		require.True(t, b.Cancel())
	}
	m.waiting = slices.Delete(m.waiting, low, high+1)
}

func (m *orderModel) work(t *rapid.T) {
	if len(m.waiting) == 0 {
		return
	}
	m.begun = nil
	for len(m.begun) == 0 {
		work(m.r, 1) // it may come to a place at which nothing waits
	}
	n := len(m.begun)
	for i, b := range m.waiting[:n] {
		require.Equal(t, b.number, m.begun[i].number)
		if b.spec().routed {
			m.failed = append(m.failed, b)
		}
	}
	m.waiting = m.waiting[n:]
}

func (m *orderModel) check(t *rapid.T) {
	counted := 0
	for _, b := range m.waiting {
		if !b.exempt {
			counted++
		}
	}
	stats := m.r.Stats()
	require.Equal(t, counted, stats.Waiting)
	if oldest := m.oldest(); oldest >= 0 {
		require.LessOrEqual(t, stats.Age, sinceStart()-m.waiting[oldest].put)
	} else {
		require.Zero(t, stats.Age)
	}
	if len(m.waiting) == 0 {
		require.Equal(t, m.r.line.length, m.r.uncounted)
	}
}

// What is for one worker, and what is tried again, stands in a queue of its own; the rest in
// the line, of which places are taken out from time to time at which nothing waits any more.
func TestEverythingIsTakenInTheOrderOfSubmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ testing.TB }{t}, playOrder) // it must not make subtests
	})
}

func playOrder(t *rapid.T) {
	m := orderModel{r: newTestRouter(1, SharedQueue())}
	if rapid.Bool().Draw(t, "drops") {
		m.r.config.Policy, m.r.config.Limit = DropOldest, rapid.SampledFrom([]int{1, 2, 5, 200}).Draw(t, "limit")
	}
	m.r.mayBatch = false // by time, which would not be the same each time
	m.r.size = rapid.SampledFrom([]int{1, 1, batchSize}).Draw(t, "size")
	t.Repeat(map[string]func(*rapid.T){
		"":             m.check,
		"wait":         func(*rapid.T) { time.Sleep(time.Second) },
		"push":         m.push,
		"push many":    m.pushMany,
		"push piece":   m.pushPiece,
		"push attempt": m.pushAttempt,
		"pin":          m.pin,
		"try again":    m.tryAgain,
		"cancel":       m.cancel,
		"work":         m.work,
	})
}
