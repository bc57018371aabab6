package actors

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

// stubborn submits a task that takes no notice of its context, from inside of a
// task, and returns what lets it end.
func stubborn(t *testing.T, r *Router) (*script, func()) {
	t.Helper()
	hold := make(chan struct{})
	b := submit(t, r, TaskOptions{}, func(context.Context) { <-hold })
	return b, func() { close(hold) }
}

func TestWaitForWhatRunsInPlaceEndsWithTheTaskThatWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		var errs [2]error
		var letGo func()
		outer := submit(t, r, TaskOptions{}, func(ctx context.Context) {
			var inner *script
			inner, letGo = stubborn(t, r)
			second := make(chan struct{})
			go func() { // the place is occupied, so it waits in another way
				defer close(second)
				time.Sleep(time.Second)
				errs[1] = Await(ctx, TaskWait{&inner.Task})
			}()
			errs[0] = Await(ctx, TaskWait{&inner.Task})
			<-second
			letGo()
		})
		go func() {
			time.Sleep(time.Minute)
			outer.Cancel()
		}()
		work(r, 1)
		require.Equal(t, [2]error{context.Canceled, context.Canceled}, errs)
	})
}

// A waiter that has gone on is woken once more, by the end of what it waited for;
// that must not end its next wait.
func TestWaitIsNotEndedByWhatTheWaitBeforeWasFor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		var errs [2]error
		var trace []string
		submit(t, r, TaskOptions{}, func(ctx context.Context) {
			first, letGo := stubborn(t, r)
			second := submit(t, r, TaskOptions{}, func(context.Context) { trace = append(trace, "second ran") })
			go func() {
				synctest.Wait()
				first.Cancel() // its function goes on, in the place
			}()
			errs[0] = Await(ctx, TaskWait{&first.Task})
			trace = append(trace, "first waited for")
			go func() {
				synctest.Wait()
				trace = append(trace, "the place is free")
				letGo()
			}()
			errs[1] = Await(ctx, TaskWait{&second.Task})
			require.True(t, second.Task.Ready())
		})
		work(r, 1)
		require.Equal(t, [2]error{}, errs)
		require.Equal(t, []string{"first waited for", "the place is free", "second ran"}, trace)
	})
}

func TestWaitersOfOneTaskAreAllWoken(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(3, SharedQueue())
		hold := make(chan struct{})
		waitedFor := submit(t, r, TaskOptions{}, func(context.Context) { <-hold })
		var errs [3]error
		wait := func(i int) func(context.Context) {
			return func(ctx context.Context) { errs[i] = Await(ctx, TaskWait{&waitedFor.Task}) }
		}
		one := pull(r, 1)
		submit(t, r, TaskOptions{}, wait(0))
		submit(t, r, TaskOptions{}, wait(1))
		for i, b := range []*Task{one, pull(r, 2), pull(r, 3)} {
			require.NotNil(t, b, i)
			go b.perform(func(*Failure, bool) {})
		}
		go wait(2)(t.Context())
		synctest.Wait()
		close(hold)
		synctest.Wait()
		require.Equal(t, [3]error{}, errs)
		require.Equal(t, messages.Succeeded, waitedFor.Outcome())
		require.Nil(t, waitedFor.extra().whenReady)
	})
}

func TestOneWaiterAtATimeIsWokenWithoutAChannelOfItsOwn(t *testing.T) {
	b := inState(newTestRouter(1, SharedQueue()), stateRunning)
	one, two := newWakeup(), newWakeup()
	require.True(t, b.wakeWhenReady(one))
	require.False(t, b.wakeWhenReady(two))
	b.wakeNoMore(two)
	require.Equal(t, one, b.extra().whenReady, "it was not two's")
	b.wakeNoMore(one)
	require.True(t, b.wakeWhenReady(two))
	require.True(t, b.wakeWhenEnded(one))
	require.True(t, b.wakeWhenEnded(one), "the same waits again")
	require.False(t, b.wakeWhenEnded(two))
	b.Cancel()
	require.Len(t, one, 1)
	require.Len(t, two, 1)
	one.takeBack()
	two.takeBack()
	require.True(t, b.wakeWhenReady(one), "at once")
	require.True(t, b.wakeWhenEnded(two), "at once")
	require.Len(t, one, 1)
	require.Len(t, two, 1)
}
