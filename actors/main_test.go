package actors

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/greenroom-go/greenroom/messages"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inBubble runs a test in virtual time. The bubble fails if a goroutine is left
// or if all of them wait for ever.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// newTestRouter makes a router that has no actors: tests take its tasks from it
// by hand, as its workers would.
func newTestRouter(workers int, s Strategy) *Router {
	r := NewRouter(Config{
		Name: "test", Workers: workers, Limit: Unlimited, Strategy: s, Logger: slog.New(slog.DiscardHandler),
	})
	for number := 1; number <= workers; number++ {
		box := newMailbox(r, number)
		box.RegisterHandlers(nil, idleDispatcher{})
		r.installed(number, box)
	}
	return r
}

// idleDispatcher never runs a mailbox.
type idleDispatcher struct{}

func (idleDispatcher) Schedule(func()) {}
func (idleDispatcher) Throughput() int { return 1 }

// script is a body whose parts a test writes. Without run it succeeds.
type script struct {
	Task
	run     func(ctx context.Context)
	value   any
	started []bool // what Abandon was told, once per call
	readied int
}

// newScript makes a task that nobody has accepted yet.
func newScript(r *Router, o TaskOptions) *script {
	b := &script{}
	b.Init(r, b, context.Background(), o)
	return b
}

// inState makes a task that stands in one of the states of task.go.
func inState(r *Router, state uint32) *script {
	b := newScript(r, TaskOptions{})
	b.state.Store(state)
	return b
}

func (b *script) Run(ctx context.Context) {
	if b.run != nil {
		b.run(ctx)
	}
	b.VacateForDecision()
	if b.DecideReturned() {
		b.Conclude(messages.Succeeded, nil)
	}
}

func (b *script) Abandon(_ messages.Outcome, err error, started bool) error {
	b.started = append(b.started, started)
	return err
}

func (b *script) Accept(value any) (publish func(), err error) {
	if _, ok := value.(string); !ok {
		return nil, messages.ErrInvalid
	}
	return func() { b.value = value }, nil
}

func (b *script) Ready() { b.readied++ }

// submit hands the router a task that calls run.
func submit(t *testing.T, r *Router, o TaskOptions, run func(ctx context.Context)) *script {
	t.Helper()
	b := newScript(r, o)
	b.run = run
	require.NoError(t, r.Submit(context.Background(), &b.Task))
	return b
}

// pull takes the worker's next task and claims it, as the worker does.
func pull(r *Router, number int) *Task {
	b, _ := r.next(number, false)
	if b == nil {
		return nil
	}
	t := b.first.task
	if !t.claim() {
		return nil
	}
	t.place = int32(number)
	return t
}

// work does what a worker does with its next tasks, on a goroutine of its own,
// and returns when that has ended.
func work(r *Router, number int) (failure *Failure, exiting bool) {
	w := &worker{router: r, number: number, box: r.slot(int32(number)).box}
	w.box.status.Store(awake) // no message interrupts it
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() {
			failure, _ = recover().(*Failure)
			if failure == nil {
				failure, exiting = w.box.running.failure, w.box.running.failure != nil
			}
		}()
		b, _ := r.next(number, false)
		w.run(b)
	}()
	<-over
	w.box.status.Store(notified)
	r.mu.Lock()
	r.arrived(r.slot(int32(number))) // it reports what it has done
	r.mu.Unlock()
	return failure, exiting
}
