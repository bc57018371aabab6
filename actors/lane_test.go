package actors

import (
	"bytes"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

func TestLaneRunsCallbacksOneAtATimeInTheOrderTheyWerePosted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		var trace []int // written without a lock: one at a time
		for i := range 100 {
			r.lane.post(laneJob{run: func() {
				trace = append(trace, i)
				if i%10 == 0 {
					r.lane.post(laneJob{run: func() { trace = append(trace, 1000+i) }})
				}
			}})
		}
		synctest.Wait()
		require.Len(t, trace, 110)
		var first, second []int
		for _, i := range trace {
			if i < 1000 {
				first = append(first, i)
			} else {
				second = append(second, i-1000)
			}
		}
		require.IsIncreasing(t, first)
		require.IsIncreasing(t, second)
		require.Zero(t, r.attendants, "its goroutine is gone")

		r.lane.post(laneJob{run: func() { trace = nil }})
		synctest.Wait()
		require.Nil(t, trace, "it starts again")
	})
}

func TestLaneRunsWhatManyPostExactlyOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		calls := map[int]int{}
		for i := range 8 {
			go func() {
				for j := range 50 {
					r.lane.post(laneJob{run: func() { calls[50*i+j]++ }})
				}
			}()
		}
		synctest.Wait()
		require.Len(t, calls, 400)
		for i, n := range calls {
			require.Equal(t, 1, n, "callback %d", i)
		}
		require.Zero(t, r.attendants)
	})
}

func TestLaneGoesOnAfterACallbackThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		fail func()
		log  string
	}{
		"panics":            {func() { panic("boom") }, "task panicked: boom"},
		"exits":             {runtime.Goexit, messages.ErrGoexit.Error()},
		"panics as it ends": {func() { defer panic("boom"); runtime.Goexit() }, "task panicked: boom"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTestRouter(1, SharedQueue())
				var log bytes.Buffer
				r.config.Logger = slog.New(slog.NewTextHandler(&log, nil))
				b := inState(r, stateDecided)
				failed, after := 0, 0
				r.lane.post(laneJob{run: func() { failed++; c.fail() }, task: &b.Task})
				r.lane.post(laneJob{run: func() { after++ }})
				synctest.Wait()
				require.Equal(t, 1, failed)
				require.Equal(t, 1, after)
				require.True(t, b.Task.Ready(), "the result does not suffer from its callback")
				require.Equal(t, 1, strings.Count(log.String(), "callback failed"))
				require.Contains(t, log.String(), c.log)
				require.Zero(t, r.attendants)
			})
		})
	}
}

func TestOpenLaneHoldsNoResultBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		stuck, calls := make(chan struct{}), 0
		tasks := make([]*script, 3)
		for i := range tasks {
			tasks[i] = newScript(r, TaskOptions{Callback: func() { calls++; <-stuck }})
			tasks[i].state.Store(stateRunning)
			tasks[i].entered = true
		}
		tasks[0].Cancel()
		tasks[1].Cancel()
		synctest.Wait()
		require.False(t, tasks[0].Task.Ready(), "its callback runs")
		require.False(t, tasks[1].Task.Ready(), "its callback is due")

		r.lane.open()
		tasks[2].Cancel()
		for i, b := range tasks {
			require.True(t, b.Task.Ready(), "task %d", i)
		}
		synctest.Wait()
		require.Equal(t, 1, calls, "callbacks still run one at a time")

		close(stuck)
		synctest.Wait()
		require.Equal(t, 3, calls, "and each exactly once")
		require.EqualValues(t, 3, r.Stats().Outcomes[messages.Cancelled])
		for _, b := range tasks {
			require.Equal(t, 1, b.readied)
		}
	})
}
