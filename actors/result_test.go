package actors

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

func TestEverybodyWhoAskedHearsOnceThatATaskIsReady(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := inState(newTestRouter(1, SharedQueue()), stateRunning)
		var trace []string
		note := func(who string) func() {
			return func() { trace = append(trace, who) }
		}
		done := b.Done()
		require.Equal(t, done, b.Done(), "Done is one channel")
		b.Notify(note("first watcher"))
		takeBack := b.Notify(note("watcher taken back"))
		b.Notify(note("second watcher"))
		b.OnDone(note("first callback"))
		b.OnDone(note("second callback"))
		takeBack()
		takeBack()
		synctest.Wait()
		require.Empty(t, trace)
		require.False(t, isClosed(done))

		b.Cancel()
		b.makeReady(nil)
		synctest.Wait()
		require.True(t, isClosed(done))
		require.Equal(t, []string{"first watcher", "second watcher", "first callback", "second callback"}, trace)

		trace = nil
		b.Notify(note("late watcher"))()
		require.Equal(t, []string{"late watcher"}, trace, "at once")
		b.OnDone(note("late callback"))
		require.Equal(t, []string{"late watcher", "late callback"}, trace, "before OnDone returns")
		require.True(t, isClosed(b.Done()))
	})
}

func TestWatchersComeAndGoWhileATaskBecomesReady(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for range 100 {
			b := inState(newTestRouter(1, SharedQueue()), stateRunning)
			heard := make(chan string, 10)
			for range 2 {
				go func() { b.Notify(func() { heard <- "watcher" }) }()
				go func() { b.OnDone(func() { heard <- "callback" }) }()
				go func() { <-b.Done(); heard <- "done" }()
				go func() { b.Notify(func() {})() }()
			}
			go b.Cancel()
			synctest.Wait()
			require.Len(t, heard, 6)
			require.Empty(t, b.extra().watchers)
			require.Empty(t, b.extra().callbacks)
		}
	})
}

func TestAcceptTakesAnOutcomeThatCameAsAMessage(t *testing.T) {
	for _, c := range []struct {
		name     string
		state    uint32
		result   messages.Result
		accepted bool
		outcome  messages.Outcome
		value    any
		late     int64
	}{
		{"a value", stateRunning, messages.Result{Value: "value"}, true, messages.Succeeded, "value", 0},
		{"a value, whatever outcome it claims", stateRunning, messages.Result{Value: "value", Outcome: messages.Broken}, true, messages.Succeeded, "value", 0},
		{"an error", stateRunning, messages.Result{Err: errCause}, true, messages.Failed, nil, 0},
		{"an error beside a value of another type", stateRunning, messages.Result{Value: 1, Err: errCause}, true, messages.Failed, nil, 0},
		{"no value of another type", stateRunning, messages.Result{Value: 1}, false, 0, nil, 0},
		{"no second value", stateReady, messages.Result{Value: "value"}, true, messages.Succeeded, nil, 1},
		{"nothing before it is submitted", stateCreated, messages.Result{Value: "value"}, true, messages.Succeeded, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newTestRouter(1, SharedQueue())
			b := inState(r, c.state)
			require.Equal(t, c.accepted, b.accept(&c.result))
			require.Equal(t, c.late, r.Stats().Late)
			require.Equal(t, c.accepted && c.state == stateRunning || c.state == stateReady, b.Task.Ready())
			require.Equal(t, c.outcome, b.Outcome())
			require.Equal(t, c.result.Err, b.Err())
			require.Equal(t, c.value, b.value)
		})
	}

	t.Run("an answer to what nobody has started", func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		b := submit(t, r, TaskOptions{}, nil)
		require.True(t, b.accept(&messages.Result{Value: "value"}))
		require.Zero(t, r.Stats().Waiting)
		require.Equal(t, "value", b.value)
	})

	t.Run("nothing for a body that cannot take it", func(t *testing.T) {
		deaf := &messageTask{}
		deaf.Init(newTestRouter(1, SharedQueue()), deaf, context.Background(), TaskOptions{})
		require.False(t, deaf.accept(&messages.Result{}))
	})
}

func TestContextOutcomeTellsHowATaskEndsWithItsContext(t *testing.T) {
	cause := errors.New("the user left")
	cancelled := func(cause error) func(context.Context) (context.Context, func()) {
		return func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(cause)
			return ctx, func() {}
		}
	}
	for _, c := range []struct {
		name    string
		ended   func(context.Context) (context.Context, func())
		outcome messages.Outcome
		err     error
	}{
		{"cancelled", cancelled(nil), messages.Cancelled, messages.ErrCancelled},
		{"cancelled with a cause", cancelled(cause), messages.Cancelled, fmt.Errorf("%w: %w", messages.ErrCancelled, cause)},
		{"cancelled with our own error, which is said once", cancelled(messages.ErrCancelled), messages.Cancelled, messages.ErrCancelled},
		{"cancelled because of another deadline", cancelled(context.DeadlineExceeded), messages.Cancelled, fmt.Errorf("%w: %w", messages.ErrCancelled, context.DeadlineExceeded)},
		{"timed out", func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithTimeout(ctx, 0)
			return ctx, cancel
		}, messages.TimedOut, messages.ErrTimeout},
		{"timed out with a cause", func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithTimeoutCause(ctx, 0, cause)
			return ctx, cancel
		}, messages.TimedOut, fmt.Errorf("%w: %w", messages.ErrTimeout, cause)},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				ctx, cancel := c.ended(t.Context())
				defer cancel()
				time.Sleep(time.Second)
				outcome, err := ContextOutcome(ctx)
				require.Equal(t, c.outcome, outcome)
				require.EqualError(t, err, c.err.Error())
				require.ErrorIs(t, err, context.Cause(ctx))
			})
		})
	}
}
