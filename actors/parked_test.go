package actors

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

// parkedScript is a task that somebody holds back, behind others.
type parkedScript struct {
	script
	behind Blockers
	asked  int
	queued []bool // by call: the router's lock was held
}

func (s *parkedScript) ClaimParked(f *Frame, nudge *Nudge) *Task {
	s.asked++
	return s.router.ClaimParked(&s.Task, f.Worker(), nudge)
}
func (s *parkedScript) ParkedBehind() Blockers { return s.behind }
func (s *parkedScript) Queued()                { s.queued = append(s.queued, !s.router.mu.TryLock()) }

func park(t *testing.T, r *Router, o TaskOptions) *parkedScript {
	s := newParked(r, o)
	require.NoError(t, r.Park(&s.Task))
	return s
}

func newParked(r *Router, o TaskOptions) *parkedScript {
	s := new(parkedScript)
	s.Init(r, s, context.Background(), o)
	s.MayPark()
	return s
}

func TestParkedTaskIsAcceptedButNobodyTakesIt(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	r.config.Limit = 0
	s := park(t, r, TaskOptions{})
	require.EqualValues(t, 1, r.Stats().Accepted)
	require.Zero(t, r.Stats().Waiting, "it takes no room")
	require.Nil(t, pull(r, 1))
	require.Nil(t, r.ClaimFor(&s.Task, 1, nil))
	require.False(t, s.Running())

	r.Unpark(&s.Task)
	r.Unpark(&s.Task)
	require.Zero(t, r.Stats().Waiting, "nor in the queue")
	require.Same(t, &s.Task, pull(r, 1))
	require.Nil(t, pull(r, 1), "it was there once")
	require.Empty(t, r.parked.inOrder())
}

func TestParkedTaskHasEveryEnd(t *testing.T) {
	for _, c := range []struct {
		name    string
		end     func(r *Router, t *Task)
		outcome messages.Outcome
	}{
		{"Cancel", func(_ *Router, t *Task) { t.Cancel() }, messages.Cancelled},
		{"CancelUnstarted", func(r *Router, _ *Task) { r.CancelUnstarted() }, messages.Cancelled},
		{"Terminate", func(r *Router, _ *Task) { r.Terminate() }, messages.Terminated},
		{"Break", func(r *Router, _ *Task) { r.Break(errCause) }, messages.Broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newTestRouter(1, SharedQueue())
			s := park(t, r, TaskOptions{})
			c.end(r, &s.Task)
			require.True(t, s.Task.Ready())
			require.Equal(t, c.outcome, s.Outcome())
			require.Equal(t, []bool{false}, s.started)
			require.Empty(t, r.parked.inOrder())
			r.Unpark(&s.Task)
			require.Nil(t, pull(r, 1))
		})
	}
}

func TestParkIsRefusedByAClosedRouter(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	r.Close()
	s := newParked(r, TaskOptions{})
	require.ErrorIs(t, r.Park(&s.Task), messages.ErrClosed)
	require.Equal(t, stateCreated, s.phase())
}

func TestTaskThatMayBeParkedIsToldThatItIsQueuedBeforeAnybodySeesIt(t *testing.T) {
	for name, strategy := range map[string]Strategy{"shared queue": SharedQueue(), "per worker": RoundRobin()} {
		t.Run(name, func(t *testing.T) {
			r := newTestRouter(1, strategy)
			s := newParked(r, TaskOptions{})
			require.NoError(t, r.Submit(t.Context(), &s.Task))
			require.Equal(t, []bool{true}, s.queued)
			p := park(t, r, TaskOptions{})
			require.Empty(t, p.queued)
			r.Unpark(&p.Task)
			require.Equal(t, []bool{true}, p.queued)
		})
	}
}

func TestWaitingTaskAsksForAParkedOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		s := park(t, r, TaskOptions{})
		var err error
		submit(t, r, TaskOptions{}, func(ctx context.Context) { err = Await(ctx, TaskWait{&s.Task}) })
		work(r, 1)
		require.NoError(t, err)
		require.True(t, s.Task.Ready())
		require.Equal(t, 1, s.asked)
	})
}

func TestUnparkedTaskWaitsForItsKey(t *testing.T) {
	r := newTestRouter(3, KeyOrdered())
	holder := submit(t, r, TaskOptions{Key: "key"}, nil)
	require.Same(t, &holder.Task, pull(r, 1))
	first, second := park(t, r, TaskOptions{Key: "key"}), park(t, r, TaskOptions{Key: "key"})
	require.Nil(t, r.ClaimParked(&first.Task, 2, nil), "not in the place of a waiting task either")
	r.Unpark(&second.Task)
	require.Nil(t, pull(r, 2))
	r.finished(&holder.Task)
	require.Same(t, &first.Task, pull(r, 2))
	require.Nil(t, pull(r, 3), "one after the other, though neither counts towards the limit")
}

func TestTaskFiledBehindOneThatWaitsForItBreaksTheCycle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, RoundRobin())
		s := newParked(r, TaskOptions{})
		var err error
		submit(t, r, TaskOptions{}, func(ctx context.Context) {
			require.NoError(t, r.Park(&s.Task))
			time.AfterFunc(time.Second, func() { r.Unpark(&s.Task) })
			err = Await(ctx, deafWait{TaskWait{&s.Task}})
		})
		work(r, 1)
		require.Equal(t, messages.ErrDeadlock, err)
	})
}

// deafWait runs nothing in place.
type deafWait struct{ TaskWait }

func (deafWait) Piece(*Frame, *Nudge) *Task { return nil }
