package actors

import (
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

// deskTest is an open desk and the dead letters of its actor system.
type deskTest struct {
	*desk
	system *actor.ActorSystem
	router *Router
	dead   []any
}

func openDesk(t *testing.T) *deskTest {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	r := newTestRouter(1, SharedQueue())
	r.desk.open(system, "pool")
	d := &deskTest{desk: &r.desk, system: system, router: r}
	system.EventStream.Subscribe(func(event any) {
		if letter, ok := event.(*actor.DeadLetterEvent); ok {
			d.dead = append(d.dead, letter.Message)
		}
	})
	t.Cleanup(func() {
		d.close()
		_, found := system.ProcessRegistry.GetLocal("pool/results")
		require.False(t, found, "the desk is registered no more")
		time.Sleep(2 * time.Second) // a dead letter holds a goroutine for a second
	})
	return d
}

func TestDeskNumbersWrapAroundAndSkipThoseInUse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := openDesk(t)
		number := func() uint32 { return d.assign(&inState(d.router, stateRunning).Task, false) }
		require.EqualValues(t, 1, number())
		require.EqualValues(t, 2, number())
		require.EqualValues(t, 3, number())
		d.forget(2)
		d.last = math.MaxUint32 - 1
		require.EqualValues(t, math.MaxUint32, number())
		require.EqualValues(t, 2, number(), "0 means no number, 1 is in use")
		require.EqualValues(t, 4, number(), "3 is in use")
		require.EqualValues(t, 5, d.assign(&Task{}, true))
		require.NotContains(t, d.tasks, uint32(5), "a ready task takes no place")
	})
}

func TestDeskHandsAResultToItsTask(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := openDesk(t)
		first, second := inState(d.router, stateRunning), inState(d.router, stateRunning)
		require.NotEqual(t, first.PID().RequestId, second.PID().RequestId)
		require.Equal(t, first.PID(), first.PID(), "an address is made once")

		d.system.Root.Send(second.PID(), &messages.Result{Value: "value"})
		require.False(t, first.Decided())
		require.True(t, second.Task.Ready())
		require.Equal(t, "value", second.value)
		require.Len(t, d.tasks, 1, "a ready task has left")

		d.system.Root.RequestWithCustomSender(first.PID(), &messages.Result{Err: errCause}, second.PID())
		require.Equal(t, errCause, first.Err(), "out of an envelope")
		require.Empty(t, d.tasks)
		require.Empty(t, d.dead)
		require.Zero(t, d.router.late.Load())
	})
}

func TestDeskCountsLateResults(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := openDesk(t)
		early, never := inState(d.router, stateRunning), inState(d.router, stateReady)
		for i, pid := range []*actor.PID{early.PID(), never.PID()} {
			early.Cancel()
			d.system.Root.Send(pid, &messages.Result{Value: "value"})
			require.EqualValues(t, i+1, d.router.late.Load())
		}
		require.Empty(t, d.dead)
	})
}

func TestDeskMakesDeadLettersOfWhatItCannotTake(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := openDesk(t)
		b := inState(d.router, stateRunning)
		known := b.PID()
		unknown := &actor.PID{Address: known.Address, Id: known.Id, RequestId: known.RequestId + 1}
		none := &actor.PID{Address: known.Address, Id: known.Id}
		result := &messages.Result{Value: "value"}
		for _, c := range []struct {
			name    string
			to      *actor.PID
			message any
		}{
			{"no result", known, "message"},
			{"a nil result", known, (*messages.Result)(nil)},
			{"a value of another type", known, &messages.Result{Value: 1}},
			{"a number that was never given", unknown, result},
			{"no number", none, result},
		} {
			d.dead = nil
			d.system.Root.Send(c.to, c.message)
			require.Equal(t, []any{c.message}, d.dead, c.name)
		}
		require.False(t, b.Decided())
		require.Zero(t, d.router.late.Load())
	})
}

func TestDeskTellsAWatcherThatAResultIsNoActor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := openDesk(t)
		pid := inState(d.router, stateRunning).PID()
		w := &watcherProcess{}
		watcher, _ := d.system.ProcessRegistry.Add(w, "watcher")
		d.SendSystemMessage(pid, &actor.Watch{Watcher: watcher})
		d.SendSystemMessage(pid, &actor.Unwatch{Watcher: watcher})
		d.Stop(pid)
		require.Equal(t, []any{&actor.Terminated{Who: pid, Why: actor.TerminatedReason_NotFound}}, w.received)
	})
}

type watcherProcess struct{ received []any }

func (w *watcherProcess) SendUserMessage(*actor.PID, any) {}
func (w *watcherProcess) SendSystemMessage(_ *actor.PID, message any) {
	w.received = append(w.received, message)
}
func (w *watcherProcess) Stop(*actor.PID) {}

func TestForgottenNumbersCountAsLateAfterTheNumbersHaveWrappedAround(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := openDesk(t)
		d.last = 1<<32 - 2
		old := inState(d.router, stateRunning)
		pid := old.PID()
		old.Cancel()
		inState(d.router, stateRunning).PID()
		d.system.Root.Send(pid, &messages.Result{Value: "late"})
		require.EqualValues(t, 1, d.router.late.Load())
	})
}
