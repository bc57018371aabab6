package pooltest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

type ping struct {
	n    int
	from *actor.PID
}

type pong struct{ n int }

// both runs a test of what the kit does under Run and under Explore.
func both(t *testing.T, body func(k *pooltest.Kit)) {
	t.Run("Run", func(t *testing.T) { pooltest.Run(t, body) })
	t.Run("Explore", func(t *testing.T) { pooltest.Explore(t, pooltest.Options{Seeds: 15}, body) })
}

// after sends a message to the probe at a virtual time from now.
func after(k *pooltest.Kit, d time.Duration, p *pooltest.Probe, message any) {
	k.AfterFunc("timer "+fmt.Sprint(message), d, func() { k.Send(p.PID(), message) })
}

func TestExpectationsTakeMessagesInOrder(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		for _, m := range []any{1, "two", pong{3}, 4, 5, 6, pong{7}, pong{8}, 9} {
			k.Send(p.PID(), m)
		}
		p.Expect(1)
		require.Equal(k, "two", pooltest.ExpectType[string](p))
		require.Equal(k, pong{3}, p.ExpectMatch("a pong", func(m any) bool { _, ok := m.(pong); return ok }))
		p.ExpectInAnyOrder(6, 4, 5)
		require.Equal(k, pong{8}, p.FishFor("pong 8", func(m any) bool { return m == pong{8} }))
		require.Equal(k, 9, p.Next())
		p.ExpectNothing(0)
		require.Equal(k, []any{1, "two", pong{3}, 4, 5, 6, pong{7}, pong{8}, 9}, p.Received())
	})
}

func TestExpectationWaitsInVirtualTime(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		after(k, 10*time.Minute, p, 1)
		after(k, 20*time.Minute, p, 2)
		after(k, 30*time.Minute, p, 3)
		p.Expect(1)
		require.Equal(k, 10*time.Minute, k.Elapsed())
		p.Within(10 * time.Minute).Expect(2) // in the very moment in which the limit ends
		require.Equal(k, 20*time.Minute, k.Elapsed())
		p.ExpectNothing(10*time.Minute - 1)
		require.Equal(k, 30*time.Minute-1, k.Elapsed())
		p.Expect(3)
		require.Equal(k, 30*time.Minute, k.Elapsed())
		require.Equal(k, 20*time.Minute, p.Receipts()[1].At)
	})
}

func TestExpectationTakesNothingThatIsANanosecondLate(t *testing.T) {
	for range 20 { // the limit and the message wake it at once
		failures := pooltest.FailuresOfRun(t, func(k *pooltest.Kit) {
			p := k.Probe("p")
			after(k, time.Second+1, p, 1)
			p.Within(time.Second).Expect(1)
		})
		require.Len(t, failures, 1)
		require.Contains(t, failures[0], "expected int(1), and nothing came within 1s\n")
	}
}

func TestExpectNothingLetsExactlyItsTimePass(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		k.Probe("p").ExpectNothing(time.Minute)
		require.Equal(k, time.Minute, k.Elapsed())
	})
}

func TestExpectationWithinNoTimeTakesWhatCanComeNow(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		relay := k.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if _, ok := c.Message().(int); ok {
				c.Forward(p.PID())
			}
		}))
		k.Send(relay, 1)
		p.Within(0).Expect(1)
		require.Zero(k, k.Elapsed())
	})
}

func TestInterfacesCanBeExpected(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		k.Send(p.PID(), time.Second)
		require.Equal(k, "1s", pooltest.ExpectType[fmt.Stringer](p).String())
	})
}

func TestExpectationInAGoroutine(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		a, b := k.Probe("a"), k.Probe("b")
		k.Go("answers", func() {
			a.Expect(ping{n: 1})
			a.Reply(pong{1})
		})
		b.Request(a.PID(), ping{n: 1})
		b.Expect(pong{1})
	})
}

func TestManyMayExpectNothingAtOnce(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		for i := range 10 {
			p := k.Probe(fmt.Sprint("p", i))
			k.Go(fmt.Sprint("goroutine ", i), func() {
				p.ExpectNothing(time.Second)
				k.DeadLetters().ExpectNone()
			})
		}
		k.Advance(time.Second)
		require.Equal(k, time.Second, k.Elapsed())
	})
}

func TestEachTakesWhatOthersHaveLeft(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		taken := make([]any, 4)
		for i := range taken {
			k.Go(fmt.Sprint("goroutine ", i), func() { taken[i] = p.Next() })
		}
		for i := range taken {
			k.Send(p.PID(), i)
		}
		k.Idle()
		require.ElementsMatch(k, []any{0, 1, 2, 3}, taken)
		p.ExpectNothing(0)
	})
}
