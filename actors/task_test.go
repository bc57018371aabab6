package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

func TestTaskIsClaimedOnlyFromTheQueueAndDecidedOnlyOnce(t *testing.T) {
	for _, c := range []struct {
		name           string
		state          uint32
		claims         bool
		decides        bool
		decided, ready bool
	}{
		{"created", stateCreated, false, false, false, false},
		{"queued", stateQueued, true, true, false, false},
		{"running", stateRunning, false, true, false, false},
		{"deciding", stateDeciding, false, false, true, false},
		{"decided", stateDecided, false, false, true, false},
		{"ready", stateReady, false, false, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newTestRouter(1, SharedQueue())
			require.Equal(t, c.claims, inState(r, c.state).claim())
			require.Equal(t, c.decides, inState(r, c.state).Decide())
			require.Equal(t, c.decides, inState(r, c.state).DecideLate())
			require.Equal(t, c.decides, inState(r, c.state).Settle(messages.Terminated, messages.ErrTerminated))
			require.Equal(t, c.decides, inState(r, c.state).Cancel())
			require.Equal(t, c.decided, inState(r, c.state).Decided())
			require.Equal(t, c.ready, inState(r, c.state).Task.Ready())
		})
	}
}

func TestExactlyOneOfManyOutcomesDecides(t *testing.T) {
	ends := map[string]func(){"returns": func() {}, "panics": func() { panic("boom") }, "exits": runtime.Goexit}
	for name, end := range ends {
		t.Run("beside a function that "+name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				for range 50 {
					r := newTestRouter(1, SharedQueue())
					b := submit(t, r, TaskOptions{}, func(context.Context) { end() })
					var won atomic.Int32
					rivals := []func() bool{
						b.Cancel,
						func() bool { return b.Settle(messages.Terminated, messages.ErrTerminated) },
						func() bool { b.accept(&messages.Result{Value: "a message"}); return false },
						func() bool { return b.Settle(messages.Dropped, messages.ErrDropped) },
					}
					for _, rival := range rivals {
						go func() {
							if rival() {
								won.Add(1)
							}
						}()
					}
					go func() {
						if r.slot(1).box != nil {
							work(r, 1)
						}
					}()
					synctest.Wait()

					require.True(t, b.Task.Ready())
					require.Equal(t, 1, b.readied, "Ready of the body is called once")
					require.LessOrEqual(t, len(b.started), 1, "Abandon is called at most once")
					switch b.Outcome() {
					case messages.Cancelled, messages.Terminated, messages.Dropped:
						require.EqualValues(t, 1, won.Load())
						require.Error(t, b.Err())
					default:
						require.Zero(t, won.Load())
						require.Equal(t, b.Outcome() == messages.Succeeded, b.Err() == nil)
					}
					s := r.Stats()
					require.EqualValues(t, 1, s.Outcomes[b.Outcome()])
					require.Zero(t, s.Running)
					require.Zero(t, s.Waiting)
				}
			})
		})
	}
}

func TestOneOfTwoCancelsWins(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	for range 2000 {
		b := inState(r, stateRunning)
		var ready, won atomic.Int32
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				for ready.Add(1); ready.Load() < 2; runtime.Gosched() { // so that they meet
				}
				if b.Cancel() {
					won.Add(1)
				}
			})
		}
		both.Wait()
		require.EqualValues(t, 1, won.Load())
		require.Equal(t, 1, b.readied)
	}
}

func TestTaskEndsHoweverItsFunctionDoes(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name    string
		run     func(b *script)
		outcome messages.Outcome
		err     error
		kind    FailureKind
		fails   bool
		late    int64
	}{
		{"returning", func(*script) {}, messages.Succeeded, nil, 0, false, 0},
		{"panicking", func(*script) { panic(boom) }, messages.Panicked, boom, TaskPanicked, true, 0},
		{"panicking with nil", func(*script) { panic(nil) }, messages.Panicked, &runtime.PanicNilError{}, TaskPanicked, true, 0},
		{"exiting", func(*script) { runtime.Goexit() }, messages.Exited, messages.ErrGoexit, TaskExited, true, 0},
		{"returning too late", func(b *script) { b.Cancel() }, messages.Cancelled, messages.ErrCancelled, 0, false, 1},
		{"panicking too late", func(b *script) { b.Cancel(); panic(boom) }, messages.Cancelled, messages.ErrCancelled, TaskPanicked, true, 1},
		{"exiting too late", func(b *script) { b.Cancel(); runtime.Goexit() }, messages.Cancelled, messages.ErrCancelled, TaskExited, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTestRouter(1, SharedQueue())
				b := newScript(r, TaskOptions{})
				b.run = func(context.Context) { c.run(b) }
				require.NoError(t, r.Submit(context.Background(), &b.Task))
				b.Notify(func() {
					if b.Outcome() != messages.Cancelled { // its function runs on
						require.Zero(t, r.Stats().Running, "the worker is free before the outcome can be seen")
					}
				})
				failure, exiting := work(r, 1)

				require.True(t, b.Task.Ready())
				require.Equal(t, c.outcome, b.Outcome())
				if _, isNilPanic := c.err.(*runtime.PanicNilError); isNilPanic {
					require.ErrorAs(t, b.Err(), new(*runtime.PanicNilError))
				} else {
					require.ErrorIs(t, b.Err(), c.err)
				}
				require.Equal(t, c.late, r.Stats().Late)
				require.Equal(t, c.fails, failure != nil, "the worker hears of it")
				if c.fails {
					require.Equal(t, c.kind, failure.Kind)
				}
				require.Equal(t, c.kind == TaskExited, exiting)
				require.Zero(t, r.Stats().Running)
			})
		})
	}
}

func TestLateOutcomesOfPiecesAreNotCounted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		b := newScript(r, TaskOptions{Internal: true})
		b.run = func(context.Context) { b.Cancel() }
		require.NoError(t, r.Submit(context.Background(), &b.Task))
		work(r, 1)
		require.Equal(t, messages.Cancelled, b.Outcome())
		require.Zero(t, r.Stats().Late)
		require.Zero(t, r.Stats().Outcomes[messages.Cancelled], "nor are their outcomes")
	})
}

func TestSettleTellsTheBodyWhetherItHadStarted(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	waiting := submit(t, r, TaskOptions{}, nil)
	require.True(t, waiting.Cancel())
	require.Equal(t, []bool{false}, waiting.started)
	require.Zero(t, r.Stats().Waiting, "it has left the queue")
	require.Nil(t, pull(r, 1))

	running := submit(t, r, TaskOptions{}, nil)
	require.Same(t, &running.Task, pull(r, 1))
	require.True(t, running.Cancel())
	require.Equal(t, []bool{true}, running.started)
	require.False(t, running.Cancel())
	require.Len(t, running.started, 1)
}

func TestRefusedTaskIsReadyWithItsErrorAndStaysSo(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	released := 0
	b := newScript(r, TaskOptions{Release: func() { released++ }})
	b.Refuse(messages.ErrFull)
	require.False(t, b.Cancel())
	require.True(t, b.Task.Ready())
	require.Equal(t, messages.Failed, b.Outcome())
	require.Equal(t, messages.ErrFull, b.Err())
	require.True(t, hasEnded(b.Done()))
	require.Equal(t, 1, released)
	require.Zero(t, r.Stats().Accepted)
	require.Zero(t, r.Stats().Outcomes[messages.Failed])
}

func TestTaskReleasesAndEndsItsContextBeforeItIsReady(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		var trace []string
		var b *script
		note := func(event string) {
			trace = append(trace, fmt.Sprintf("%s ready=%v", event, b.Task.Ready()))
		}
		b = newScript(r, TaskOptions{
			Release:  func() { note(fmt.Sprintf("release context=%v", context.Cause(b.Context()))) },
			Callback: func() { note("callback") },
		})
		b.Notify(func() { note("notified") })
		require.NoError(t, r.Submit(context.Background(), &b.Task))
		b.Settle(messages.Terminated, errCause)
		synctest.Wait()
		require.True(t, hasEnded(b.Done()))
		require.Equal(t, []string{"release context=the cause ready=false", "callback ready=false", "notified ready=true"}, trace)
	})
}

func TestReturnedKnowsAFunctionThatGaveUp(t *testing.T) {
	cause, other := errors.New("the user left"), errors.New("other")
	quit := fmt.Errorf("quit: %w", context.Canceled)
	alive := func() context.Context { return context.Background() }
	cancelled := func(cause error) func() context.Context {
		return func() context.Context {
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(cause)
			return ctx
		}
	}
	for _, c := range []struct {
		name    string
		parent  func() context.Context
		err     error
		outcome messages.Outcome
		is      []error
		text    string
	}{
		{"no error", alive, nil, messages.Succeeded, nil, ""},
		{"no error in spite of a cancelled context", cancelled(nil), nil, messages.Succeeded, nil, ""},
		{"an error of its own", alive, other, messages.Failed, []error{other}, "other"},
		{"a context's error while its own context lives", alive, context.Canceled, messages.Failed, []error{context.Canceled}, "context canceled"},
		{"an error of its own in spite of a cancelled context", cancelled(nil), other, messages.Failed, []error{other}, "other"},
		{"the context's error", cancelled(nil), context.Canceled, messages.Cancelled, []error{messages.ErrCancelled}, "task cancelled: context canceled"},
		{"the context's error, which has a cause", cancelled(cause), context.Canceled, messages.Cancelled, []error{messages.ErrCancelled, cause}, "task cancelled: context canceled: the user left"},
		{"the cause, which is a context's error too", cancelled(quit), quit, messages.Cancelled, []error{messages.ErrCancelled, quit}, "task cancelled: context canceled: quit: context canceled"},
		{"what wraps the context's error", cancelled(nil), fmt.Errorf("read: %w", context.Canceled), messages.Cancelled, []error{messages.ErrCancelled}, "task cancelled: context canceled: read: context canceled"},
		{"the error of another context", cancelled(nil), context.DeadlineExceeded, messages.Failed, []error{context.DeadlineExceeded}, "context deadline exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &script{}
			r := newTestRouter(1, SharedQueue())
			b.Init(r, b, c.parent(), TaskOptions{})
			outcome, err := b.Returned(c.err)
			require.Equal(t, c.outcome, outcome)
			if c.err == nil {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.text)
			for _, is := range c.is {
				require.ErrorIs(t, err, is)
			}
		})
	}
}

func TestEndedWithEndsATaskOnlyWithTheErrorOfItsOwnContext(t *testing.T) {
	parent, cancel := context.WithCancel(context.Background())
	b := &script{}
	b.Init(newTestRouter(1, SharedQueue()), b, parent, TaskOptions{})
	b.state.Store(stateRunning)
	require.False(t, b.EndedWith(context.Canceled), "the parent lives")
	cancel()
	require.False(t, b.EndedWith(context.DeadlineExceeded), "not how the parent ended")
	require.False(t, b.Decided())
	require.True(t, b.EndedWith(fmt.Errorf("read: %w", context.Canceled)))
	require.Equal(t, messages.Cancelled, b.Outcome())
}

func TestTaskEndsWithItsParentContext(t *testing.T) {
	for _, c := range []struct {
		name    string
		options TaskOptions
		ends    bool
	}{
		{"when it is watched", TaskOptions{}, true},
		{"not when the waiter cancels", TaskOptions{WaiterCancels: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTestRouter(1, SharedQueue())
				parent, cancel := context.WithCancelCause(context.Background())
				b := &script{}
				b.Init(r, b, parent, c.options)
				require.NoError(t, r.Submit(context.Background(), &b.Task))
				cancel(errCause)
				synctest.Wait()
				require.Equal(t, c.ends, b.Task.Ready())
				if c.ends {
					require.Equal(t, messages.Cancelled, b.Outcome())
					require.ErrorIs(t, b.Err(), errCause)
				}
			})
		})
	}
}

func TestReadyTaskLetsGoOfItsParent(t *testing.T) {
	for _, name := range []string{"ready after it was watched", "ready before it was watched"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				watched := &watchedParent{Context: t.Context()}
				b := &script{}
				b.Init(newTestRouter(1, SharedQueue()), b, watched, TaskOptions{})
				b.state.Store(stateRunning)
				if name == "ready after it was watched" {
					b.WatchParent()
					require.Equal(t, 1, watched.watchers)
					b.Cancel()
				} else {
					b.Cancel()
					b.WatchParent()
				}
				require.Zero(t, watched.watchers)
			})
		})
	}
}

// watchedParent counts who waits for its end.
type watchedParent struct {
	context.Context
	watchers int
}

func (p *watchedParent) Value(any) any { return nil } // not one of the standard library's

// AfterFunc is what the standard library asks such a context for.
func (p *watchedParent) AfterFunc(func()) func() bool {
	p.watchers++
	return func() bool { p.watchers--; return true }
}

func TestNewFailureTellsAPanicFromAnExit(t *testing.T) {
	initializer := &Failure{Kind: InitializerFailed, Err: errCause, passing: true}
	for _, c := range []struct {
		name      string
		recovered any
		kind      FailureKind
		err       error
		outcome   messages.Outcome
	}{
		{"nil is a Goexit", nil, TaskExited, messages.ErrGoexit, messages.Exited},
		{"an error is a panic", errCause, TaskPanicked, errCause, messages.Panicked},
		{"a failure on its way stays what it is", initializer, InitializerFailed, errCause, messages.Panicked},
		{"a failure of somebody else is a panic", &Failure{Kind: InitializerFailed, Err: errCause}, TaskPanicked, errCause, messages.Panicked},
	} {
		t.Run(c.name, func(t *testing.T) {
			failure := NewFailure(c.recovered)
			require.Equal(t, c.kind, failure.Kind)
			require.ErrorIs(t, failure, c.err)
			require.Equal(t, c.outcome, failure.Outcome())
			require.Equal(t, failure.Err.Error(), failure.Error())
		})
	}
	var panicked *messages.PanicError
	require.ErrorAs(t, NewFailure("boom"), &panicked)
	require.Equal(t, "boom", panicked.Value)
	require.Contains(t, string(panicked.Stack), "TestNewFailureTellsAPanicFromAnExit")
}

// errorList is an error that cannot be compared.
type errorList []error

func (l errorList) Error() string   { return errors.Join(l...).Error() }
func (l errorList) Unwrap() []error { return l }

// nilError panics when it is asked what it wraps.
type nilError struct{ wrapped error }

func (e *nilError) Error() string { return "nil" }
func (e *nilError) Unwrap() error { return e.wrapped }

func TestReturnedContainsWhatAnErrorDoes(t *testing.T) {
	parent, cancel := context.WithCancelCause(context.Background())
	cancel(errorList{context.Canceled})
	b := &script{}
	b.Init(newTestRouter(1, SharedQueue()), b, parent, TaskOptions{})

	outcome, err := b.Returned(context.Cause(parent))
	require.Equal(t, messages.Cancelled, outcome)
	require.ErrorIs(t, err, messages.ErrCancelled)

	outcome, err = b.Returned((*nilError)(nil))
	require.Equal(t, messages.Failed, outcome)
	require.Equal(t, (*nilError)(nil), err)
}
