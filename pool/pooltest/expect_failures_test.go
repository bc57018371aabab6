package pooltest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// failing is a body that fails, and what it is to report.
type failing struct {
	name string
	body func(k *pooltest.Kit, p *pooltest.Probe)
	want string // without the line
}

var failingExpectations = []failing{
	{
		"another message than expected",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			k.Probe("q").Request(p.PID(), pong{1})
			p.Expect(pong{2})
		},
		`probe p: expected pooltest_test.pong{n: 2}, and got pooltest_test.pong{n: 1} from q at 0s
the last of 1 messages that it has received, those that nothing has taken with +:
    pooltest_test.pong{n: 1} from q at 0s`,
	},
	{
		"no message within an hour",
		func(k *pooltest.Kit, p *pooltest.Probe) { p.Expect(pong{2}) },
		`probe p: expected pooltest_test.pong{n: 2}, and nothing came within 1h0m0s
it has received nothing`,
	},
	{
		"a message too late",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			after(k, 2*time.Second, p, 1)
			p.Within(time.Second).Expect(1)
		},
		`probe p: expected int(1), and nothing came within 1s
it has received nothing`,
	},
	{
		"another type",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			k.Send(p.PID(), 1)
			pooltest.ExpectType[*pong](p)
		},
		`probe p: expected a *pooltest_test.pong, and got int(1) at 0s
the last of 1 messages that it has received, those that nothing has taken with +:
    int(1) at 0s`,
	},
	{
		"no match",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			k.Send(p.PID(), 1)
			k.Send(p.PID(), 2)
			k.Idle()
			p.ExpectMatch("an even number", func(m any) bool { return m.(int)%2 == 0 })
		},
		`probe p: expected an even number, and got int(1) at 0s
the last of 2 messages that it has received, those that nothing has taken with +:
    int(1) at 0s
  + int(2) at 0s`,
	},
	{
		"one that is none of many",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			k.Send(p.PID(), 1)
			k.Send(p.PID(), 1)
			p.ExpectInAnyOrder(2, 1, "three")
		},
		`probe p: expected 3 messages in any order, and got int(1) at 0s; missing: int(2), "three"
the last of 2 messages that it has received, those that nothing has taken with +:
    int(1) at 0s
    int(1) at 0s`,
	},
	{
		"some of many are missing",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			k.Send(p.PID(), 1)
			after(k, time.Second, p, 2)
			after(k, 2*time.Second, p, 3)
			p.Within(time.Second).ExpectInAnyOrder(2, 1, 3)
		},
		`probe p: expected 3 messages in any order, and nothing came within 1s; missing: int(3)
the last of 2 messages that it has received, those that nothing has taken with +:
    int(1) at 0s
    int(2) at 1s`,
	},
	{
		"any order of nothing",
		func(k *pooltest.Kit, p *pooltest.Probe) { p.ExpectInAnyOrder() },
		`probe p: ExpectInAnyOrder was called without messages; ExpectNothing expects none
it has received nothing`,
	},
	{
		"fishing in vain",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			for i := range 12 {
				k.Send(p.PID(), i)
			}
			k.Advance(time.Second)
			p.FishFor("a pong", func(m any) bool { _, ok := m.(pong); return ok })
		},
		`probe p: fished for a pong, and nothing came within 1h0m0s; passed over: 2 others, and int(2), int(3), int(4), int(5), int(6), int(7), int(8), int(9), int(10), int(11)
the last of 12 messages that it has received, those that nothing has taken with +:
    int(2) at 0s
    int(3) at 0s
    int(4) at 0s
    int(5) at 0s
    int(6) at 0s
    int(7) at 0s
    int(8) at 0s
    int(9) at 0s
    int(10) at 0s
    int(11) at 0s`,
	},
	{
		"something while there is to be nothing",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			after(k, time.Second, p, 1)
			p.ExpectNothing(time.Minute)
		},
		`probe p: expected nothing for 1m0s, and got int(1) at 1s
the last of 1 messages that it has received, those that nothing has taken with +:
    int(1) at 1s`,
	},
	{
		"something at the very end of there being nothing",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			after(k, time.Minute, p, 1)
			p.ExpectNothing(time.Minute)
		},
		`probe p: expected nothing for 1m0s, and got int(1) at 1m0s
the last of 1 messages that it has received, those that nothing has taken with +:
    int(1) at 1m0s`,
	},
	{
		"something where there is to be nothing now",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			k.Send(p.PID(), 1)
			p.ExpectNothing(0)
		},
		`probe p: expected nothing for 0s, and got int(1) at 0s
the last of 1 messages that it has received, those that nothing has taken with +:
    int(1) at 0s`,
	},
	{
		"nothing for less than no time",
		func(k *pooltest.Kit, p *pooltest.Probe) { p.ExpectNothing(-time.Second) },
		`probe p: ExpectNothing was given -1s; it must not be negative
it has received nothing`,
	},
	{
		"a limit below zero",
		func(k *pooltest.Kit, p *pooltest.Probe) { p.Within(-1).Next() },
		`probe p: Within was given -1ns; it must be from 0 to 87600h0m0s`,
	},
	{
		"a message with next",
		func(k *pooltest.Kit, p *pooltest.Probe) { p.Within(time.Second).Next() },
		`probe p: expected a message, and nothing came within 1s
it has received nothing`,
	},
	{
		"the end of an actor that goes on",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			q := k.Probe("q")
			p.Watch(q.PID())
			p.ExpectTerminated(q.PID())
		},
		`probe p: expected that q has stopped, and nothing came within 1h0m0s
it has received nothing`,
	},
	{
		"the end of an actor that is not watched",
		func(k *pooltest.Kit, p *pooltest.Probe) { p.ExpectTerminated(k.Probe("q").PID()) },
		`probe p: expected that q has stopped (Watch was not called with it), and nothing came within 1h0m0s
it has received nothing`,
	},
	{
		"the end of another actor",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			q, r := k.Probe("q"), k.Probe("r")
			p.Watch(q.PID())
			p.Watch(r.PID())
			k.Root().Stop(r.PID())
			p.ExpectTerminated(q.PID())
		},
		`probe p: expected that q has stopped, and got &actor.Terminated{Who: PID(r), Why: Stopped} at 0s
the last of 1 messages that it has received, those that nothing has taken with +:
    &actor.Terminated{Who: PID(r), Why: Stopped} at 0s`,
	},
	{
		"an end that is told twice",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			told := &actor.Terminated{Who: actor.NewPID("elsewhere:1", "q")}
			for range 2 {
				k.Send(p.PID(), told)
			}
			k.Send(p.PID(), 1)
			k.Idle()
			p.Expect(1)
		},
		`probe p: expected int(1), and got &actor.Terminated{Who: PID(elsewhere:1/q), Why: Stopped} at 0s
the last of 3 messages that it has received, those that nothing has taken with +:
    &actor.Terminated{Who: PID(elsewhere:1/q), Why: Stopped} at 0s
    &actor.Terminated{Who: PID(elsewhere:1/q), Why: Stopped}, again at 0s
  + int(1) at 0s`,
	},
	{
		"a message to a probe that has stopped",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			k.Root().Stop(p.PID())
			p.Expect(1)
		},
		`probe p: expected int(1), and nothing will come
it has received nothing
the probe has stopped`,
	},
	{
		"a reply before there is a message",
		func(k *pooltest.Kit, p *pooltest.Probe) { p.Reply(1) },
		`probe p: Reply was called before an expectation has taken a message
it has received nothing`,
	},
	{
		"a reply to nobody",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			k.Send(p.PID(), ping{n: 1})
			p.Next()
			p.Reply(pong{1})
		},
		`probe p: Reply has nobody to reply to: pooltest_test.ping{n: 1, from: nil} came without a sender, by Send and not by Request
the last of 1 messages that it has received, those that nothing has taken with +:
    pooltest_test.ping{n: 1, from: nil} at 0s`,
	},
	{
		"a probe without a name",
		func(k *pooltest.Kit, p *pooltest.Probe) { k.Probe("") },
		`Kit.Probe was called without a name; failures name the probe by it`,
	},
	{
		"two probes with one name",
		func(k *pooltest.Kit, p *pooltest.Probe) { k.Probe("p") },
		`spawn "p": spawn: name exists`,
	},
}

func TestWhatAFailureOfAProbeSays(t *testing.T) {
	whatFailuresSay(t, "expect_failures_test.go", failingExpectations)
}

func whatFailuresSay(t *testing.T, file string, cases []failing) {
	ways := map[string]func(*testing.T, func(*pooltest.Kit)) []string{
		"Run": pooltest.FailuresOfRun, "Explore": pooltest.FailuresOfExplore,
	}
	for name, failuresOf := range ways {
		for _, c := range cases {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				wentOn := false
				failures := failuresOf(t, func(k *pooltest.Kit) {
					c.body(k, k.Probe("p"))
					wentOn = true
				})
				require.Len(t, failures, 1, strings.Join(failures, "\n"))
				where, what, _ := strings.Cut(failures[0], ": ")
				assert.Regexp(t, `^`+file+`:\d+$`, where)
				assert.Equal(t, c.want, what)
				assert.False(t, wentOn, "the body has ended")
			})
		}
	}
}

func TestAFailureIsAtTheLineOfTheCaller(t *testing.T) {
	var line string
	failures := pooltest.FailuresOfRun(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		expectOne := func() {
			k.Helper()
			p.Within(0).Expect(1)
		}
		line = here(1)
		expectOne()
	})
	require.Len(t, failures, 1)
	require.True(t, strings.HasPrefix(failures[0], line+": "), "%s is not at %s", failures[0], line)
}
