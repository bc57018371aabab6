package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
)

// made is what the fuzzer has made up.
type made struct {
	*draws
	opts     []pool.Option
	invalid  bool // New must refuse it
	troubled bool // workers may fail, or tasks may find the queue full: any documented error is right
	keys     bool
	ranked   bool // the pool has priorities
}

func (m *made) add(valid bool, opt pool.Option) {
	m.opts = append(m.opts, opt)
	m.invalid = m.invalid || !valid
}

func newMade(d *draws) *made {
	m := &made{draws: d}
	workers := oneOf(d, 1, 2, 3, 0, -1, pool.MaxWorkers+1, math.MaxInt, math.MinInt)
	m.add(workers >= 1 && workers <= 3, pool.WithWorkers(workers))
	if d.yes() {
		limit := oneOf(d, 0, 1, 5, -1, math.MaxInt, math.MinInt)
		m.add(limit >= 0, pool.WithQueueLimit(limit))
	}
	if d.yes() {
		m.add(true, pool.WithUnboundedQueue())
		m.invalid = workers < 1 || workers > 3 // it takes the place of the limit
	}
	if d.yes() {
		policy := pool.Policy(d.n(6))
		m.add(policy <= pool.CallerRuns, pool.WithQueuePolicy(policy))
	}
	routing := d.n(7)
	m.keys = routing == 5
	m.add(routing != 6, pool.WithRouting([]func() pool.Strategy{pool.SharedQueue, pool.SharedQueue, pool.RoundRobin,
		pool.Random, pool.LeastLoaded, pool.KeyOrdered, func() pool.Strategy { return nil }}[routing]))
	if d.yes() {
		name := oneOf(d, "name", "", "a/b", "\x00", "ü $1")
		m.add(name != "" && name != "a/b", pool.WithName(name))
	}
	switch d.n(4) {
	case 1:
		m.add(true, pool.WithLogger(slog.New(exitingHandler{slog.DiscardHandler})))
	case 2:
		m.add(false, pool.WithLogger(nil))
	}
	if d.n(4) == 3 {
		m.add(false, nil)
	}
	if d.n(8) == 7 {
		m.add(false, pool.WithActorSystem(nil))
	}
	if d.yes() {
		rules := m.rules()
		m.add(rules.Check() == nil, pool.WithSupervision(rules))
	}
	if d.yes() {
		init, slow := m.initializer()
		m.add(true, pool.WithInitializer(init))
		if d.yes() {
			limit := m.duration()
			m.add(limit > 0, pool.WithInitializerTimeout(limit))
			m.troubled = m.troubled || slow
		}
	}
	if d.yes() {
		m.size(workers)
	}
	if d.yes() {
		m.order()
	}
	return m
}

// size draws options about how many workers there are.
func (m *made) size(workers int) {
	number := func() int { return oneOf(m.draws, 1, 2, 0, -1, math.MaxInt, math.MinInt) }
	if m.yes() {
		n := number()
		m.add(n >= 1 && n <= workers, pool.WithMinWorkers(n))
	}
	if m.yes() {
		d := m.duration()
		m.add(d > 0, pool.WithIdleTimeout(d))
	}
	if m.yes() {
		d := m.duration()
		m.add(d > 0, pool.WithOverrunAfter(d))
	}
	if m.yes() {
		n := number()
		m.add(n >= 1, pool.WithReplacements(n))
	}
}

// order draws options about which task is taken first, and which not at all.
func (m *made) order() {
	if m.yes() {
		ageing := oneOf(m.draws, 1, 1000, 0, -1, math.MaxInt, math.MinInt)
		m.ranked = ageing >= 1 && ageing <= 1000
		m.add(m.ranked, pool.WithPriorities(ageing))
	}
	if m.yes() {
		target, interval := m.duration(), m.duration()
		m.add(target > 0 && interval > target, pool.WithShedding(target, interval))
	}
}

// retry draws rules, and says whether they are allowed.
func (m *made) retry() (rules pool.Retry, valid bool) {
	rules = pool.Retry{
		Attempts:   oneOf(m.draws, 2, 3, 1, 0, -1, math.MinInt),
		MinBackoff: oneOf(m.draws, 0, time.Second, -1),
		MaxBackoff: oneOf(m.draws, 0, time.Minute, 1),
		Jitter:     oneOf(m.draws, 0, 0.5, 1, -1, math.NaN()),
		If:         oneOf(m.draws, nil, func(error) bool { return true }, func(error) bool { panic("if") }, func(error) bool { runtime.Goexit(); return true }),
	}
	backoff := rules.MinBackoff == 0 && rules.MaxBackoff == 0 && rules.Jitter == 0 ||
		rules.MinBackoff > 0 && rules.MaxBackoff >= rules.MinBackoff && rules.Jitter >= 0 && rules.Jitter <= 1
	return rules, rules.Attempts >= 2 && backoff
}

func (m *made) rules() pool.Supervision {
	rules := pool.Supervision{
		Scope:       pool.Scope(m.n(4)),
		MaxRestarts: oneOf(m.draws, 0, 1, 3, -1, math.MaxInt, math.MinInt),
		Within:      m.duration(),
		Exceeded:    pool.Directive(m.n(6)),
		MinBackoff:  m.duration(),
		MaxBackoff:  m.duration(),
		Jitter:      oneOf(m.draws, 0, 0.5, 1, -1, 2, math.NaN(), math.Inf(1)),
	}
	decision := m.n(8)
	if decision > 0 {
		rules.Decide = func(pool.Failure) pool.Directive {
			switch decision {
			case 6:
				panic("decide")
			case 7:
				runtime.Goexit()
			}
			return pool.Directive(decision)
		}
	}
	return rules
}

// initializer fails a few times at most: one that always does keeps a pool busy for
// ever if that is what the rules say. slow says that it may take a while.
func (m *made) initializer() (init func(context.Context) error, slow bool) {
	how, left := m.n(5), make(chan struct{}, 3)
	for range m.n(4) {
		left <- struct{}{}
	}
	m.troubled = m.troubled || len(left) > 0 && how > 1
	return func(context.Context) error {
		select {
		case <-left:
		default:
			return nil
		}
		switch how {
		case 1:
			time.Sleep(time.Minute)
		case 2:
			return errMine
		case 3:
			panic("boom")
		case 4:
			runtime.Goexit()
		}
		return nil
	}, how == 1
}

// task is what a task or an item does, and what must come of it.
func (m *made) task() (fn func(context.Context) (int, error), want error) {
	switch m.n(6) {
	case 1:
		return func(context.Context) (int, error) { time.Sleep(time.Second); return 42, nil }, nil
	case 2:
		return func(context.Context) (int, error) { return 0, errMine }, errMine
	case 3:
		m.troubled = true
		return boom, new(pool.PanicError)
	case 4:
		m.troubled = true
		return func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }, pool.ErrGoexit
	}
	return value(42), nil
}

// taskOptions says with what errors they may end a task that is to succeed.
func (m *made) taskOptions() (opts []pool.TaskOption, may []error) {
	if m.yes() {
		d := m.duration()
		opts = append(opts, pool.WithTimeout(d))
		if d <= 0 {
			may = append(may, pool.ErrInvalid)
		} else {
			may = append(may, pool.ErrTimeout)
			m.troubled = true // a function that goes on keeps its worker
		}
	}
	if m.yes() {
		opts = append(opts, pool.WithTaskName("\x00/"))
	}
	if m.yes() {
		opts = append(opts, pool.WithKey("key"))
		if !m.keys {
			may = append(may, pool.ErrKeysUnused)
		}
	}
	if m.yes() {
		p := oneOf(m.draws, 1, -1, pool.MaxPriority, pool.MaxPriority+1, math.MinInt)
		opts = append(opts, pool.WithPriority(p))
		if p < -pool.MaxPriority || p > pool.MaxPriority {
			may = append(may, pool.ErrInvalid)
		}
		if !m.ranked {
			may = append(may, pool.ErrPrioritiesUnused)
		}
	}
	if m.yes() {
		rules, valid := m.retry()
		opts = append(opts, pool.WithRetry(rules))
		if !valid {
			may = append(may, pool.ErrInvalid)
		}
	}
	switch m.n(5) {
	case 1:
		opts = append(opts, pool.WithCallback(func(int) { panic("callback") }), pool.WithErrorCallback(func(error) { runtime.Goexit() }))
	case 2:
		opts, may = append(opts, pool.WithCallback(func(string) {})), append(may, pool.ErrInvalid)
	case 3:
		opts, may = append(opts, nil), append(may, pool.ErrInvalid)
	}
	return opts, may
}

func (m *made) mapOptions() (opts []pool.MapOption, may []error) {
	number := func() int { return oneOf(m.draws, 1, 2, 3, 0, -1, pool.MaxChunkSize, pool.MaxChunkSize+1, math.MaxInt) }
	if m.yes() {
		n := number()
		opts = append(opts, pool.WithChunkSize(n))
		if n < 1 || n > pool.MaxChunkSize {
			may = append(may, pool.ErrInvalid)
		}
	}
	if m.yes() {
		opts, may = append(opts, pool.WithWindow(number())), append(may, pool.ErrInvalid)
	}
	if m.yes() {
		opts, may = append(opts, pool.WithFailFast()), append(may, pool.ErrInvalid)
		m.troubled = true
	}
	if m.yes() {
		opts, may = append(opts, pool.WithTimeout(m.duration())), append(may, pool.ErrInvalid, pool.ErrTimeout)
		m.troubled = true
	}
	if m.n(8) == 7 {
		opts, may = append(opts, nil), append(may, pool.ErrInvalid)
	}
	return opts, may
}

// trouble is what may become of a task when workers fail.
var trouble = []error{pool.ErrBroken, pool.ErrFull, pool.ErrDropped, context.DeadlineExceeded}

// check looks at the end of a task or an item.
func (m *made) check(t *testing.T, got int, err, want error, may []error) {
	t.Helper()
	if m.troubled {
		may = append(may, trouble...)
	}
	for _, allowed := range may {
		if errors.Is(err, allowed) {
			return
		}
	}
	var panicked *pool.PanicError
	switch {
	case want == nil:
		require.NoError(t, err)
		require.Equal(t, 42, got)
	case errors.As(want, &panicked):
		require.ErrorAs(t, err, &panicked)
	default:
		require.ErrorIs(t, err, want)
	}
}

func FuzzOptions(f *testing.F) {
	for a := range byte(8) {
		for b := range byte(8) {
			f.Add([]byte{a % 3, 1, b % 3, 0, 1, a % 4, b, 0, 0, 0, 0, 0, 1, a, b, a, b, a, b, a, b})
			f.Add([]byte{a % 3, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b, a, b})
			f.Add([]byte{a % 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, a % 3, 0, 0, 0, b % 3, b % 3, 0, a, 1, b, a, 3, 3, 3, 3, 3, 3, 3, 3, 3})
		}
		f.Add([]byte{a})
		f.Add([]byte{0, 1, a, 0, 1, 3 - a%4, 1, 0, 0, 0, 0, 0, 0, a, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	}
	pool.SharedSystem()
	f.Fuzz(func(t *testing.T, bytes []byte) {
		inBubble(t, func(t *testing.T) {
			t.Cleanup(func() { time.Sleep(time.Minute) }) // timers of the actor system run out
			m := newMade(&draws{bytes})
			p, err := pool.New(m.opts...)
			if err != nil || m.invalid {
				require.ErrorIs(t, err, pool.ErrInvalid)
				require.Nil(t, p)
				require.True(t, m.invalid, "%v", err)
				return
			}
			t.Cleanup(func() { end(t, p) })
			for range 10 {
				fn, want := m.task()
				opts, may := m.taskOptions()
				var got int
				if m.yes() {
					got, err = pool.Apply(hour(t), p, fn, opts...)
				} else {
					got, err = pool.ApplyAsync(hour(t), p, fn, opts...).Get(hour(t))
				}
				m.check(t, got, err, want, may)
			}
			if m.yes() {
				_ = p.Resize(oneOf(m.draws, 1, 2, 3, 0, -1, math.MaxInt))
			}
			m.mapAll(t, p)
			m.stream(t, p)
			if err := p.Shutdown(hour(t)); !m.troubled {
				require.NoError(t, err)
			}
			require.NoError(t, p.Join(hour(t)))
		})
	})
}

func (m *made) items() (fn func(context.Context, int) (int, error), want error) {
	each, want := m.task()
	return func(ctx context.Context, _ int) (int, error) { return each(ctx) }, want
}

func (m *made) mapAll(t *testing.T, p *pool.Pool) {
	fn, want := m.items()
	opts, may := m.mapOptions()
	got, err := pool.Map(hour(t), p, fn, make([]int, 7), opts...)
	if err == nil {
		require.Equal(t, []int{42, 42, 42, 42, 42, 42, 42}, got)
	}
	m.check(t, 42, err, want, may)
}

func (m *made) stream(t *testing.T, p *pool.Pool) {
	imap := oneOf(m.draws, pool.IMap[int, int], pool.IMapUnordered[int, int])
	fn, want := m.items()
	opts, may := m.mapOptions()
	n := 0
	for got, err := range imap(hour(t), p, fn, count(7), opts...).All() {
		m.check(t, got, err, want, may)
		var item *pool.ItemError
		if err == nil || errors.As(err, &item) {
			n++
		}
	}
	if !m.troubled && len(may) == 0 {
		require.Equal(t, 7, n)
	}
}
