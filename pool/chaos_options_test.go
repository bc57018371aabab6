package pool_test

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"github.com/greenroom-go/greenroom/pool"
)

// limits are options with which a task may end early.
func (p *player) limits() (opts []pool.TaskOption) {
	if p.n(4) == 0 {
		opts = append(opts, pool.WithTimeout(time.Duration(1+p.n(8))*time.Second))
	}
	if p.ranked && p.n(2) == 0 {
		opts = append(opts, pool.WithPriority(p.n(7)-3))
	}
	if p.n(6) == 0 {
		opts = append(opts, pool.WithRunTimeout(time.Duration(1+p.n(4))*time.Second))
	}
	return opts
}

// retries has a task tried again, perhaps.
func (p *player) retries(b *body) []pool.TaskOption {
	if p.n(5) != 0 {
		return nil
	}
	rules := pool.Retry{Attempts: 2 + p.n(3)}
	if p.n(2) == 0 {
		rules.MinBackoff, rules.MaxBackoff, rules.Jitter = time.Second, 3*time.Second, 0.5
	}
	if p.n(2) == 0 {
		user := p.user()
		rules.If = func(error) bool { return user.n(3) > 0 }
	}
	b.willBeRetried()
	return []pool.TaskOption{pool.WithRetry(rules)}
}

// callbacks tell w, and then some do what they should not.
func (p *player) callbacks(w *witness) []pool.TaskOption {
	if p.n(4) != 0 {
		return nil
	}
	user := p.user()
	w.hasCallback = true
	return []pool.TaskOption{
		pool.WithCallback(func(v int) {
			w.called.Add(1)
			w.hearThat(p.chaos, v, nil)
			user.misbehave()
		}),
		pool.WithErrorCallback(func(err error) {
			w.called.Add(1)
			w.hearThat(p.chaos, 0, err)
			user.misbehave()
		}),
	}
}

func (p *player) misbehave() {
	switch p.n(8) {
	case 0:
		panic("callback")
	case 1:
		runtime.Goexit()
	case 2:
		p.nap()
	case 3:
		if p.unlimited { // a callback must not wait for room
			p.begin(context.Background(), 0)
		}
	}
}

// key is a key for a task, or "".
func (p *player) key() string {
	if p.keyed && p.n(2) == 0 {
		return strconv.Itoa(p.n(2))
	}
	return ""
}

// keyOf gives a task a key, perhaps, and its turn.
func (p *player) keyOf(b *body) []pool.TaskOption {
	key := p.key()
	p.takeTurns(b, "task", key)
	if key == "" {
		return nil
	}
	return []pool.TaskOption{pool.WithKey(key)}
}
