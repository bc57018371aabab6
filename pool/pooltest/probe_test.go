package pooltest_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// here is the line of the caller, or some lines below.
func here(below int) string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", filepath.Base(file), line+below)
}

func TestRepliesGoToTheLastSender(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		server, a, b := k.Probe("server"), k.Probe("a"), k.Probe("b")
		require.Nil(k, server.LastSender())
		a.Request(server.PID(), 1)
		b.Request(server.PID(), 2)
		k.Send(server.PID(), 3)
		k.Idle()
		server.Expect(1)
		server.Reply("one") // to a, though b has asked since
		require.Equal(k, "a", server.LastSender().Id)
		server.Expect(2)
		require.Equal(k, "b", server.LastSender().Id)
		server.Reply("two")
		server.Expect(3)
		require.Nil(k, server.LastSender())
		a.Expect("one")
		require.Equal(k, "server", a.LastSender().Id, "a reply can be answered")
		b.Expect("two")
	})
}

func TestAutopilotHasHandledAMessageWhenItIsExpected(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		server, client := k.Probe("server"), k.Probe("client")
		handled := 0
		server.Autopilot(func(p *pooltest.Probe, message any, sender *actor.PID) {
			assert.Same(k, server.PID(), p.PID())
			if sender != nil {
				p.Request(sender, pong{message.(ping).n})
			}
			k.Sleep(time.Second)
			handled++
		})
		for i := range 3 {
			client.Request(server.PID(), ping{n: i})
			client.Expect(pong{i})
			require.Equal(k, "server", client.LastSender().Id)
			server.Expect(ping{n: i})
			require.Equal(k, i+1, handled)
		}
		k.Send(server.PID(), ping{n: 3})
		server.Expect(ping{n: 3})
		require.Equal(k, 4, handled)
		server.Autopilot(nil)
		client.Request(server.PID(), ping{n: 4})
		server.Expect(ping{n: 4})
		client.ExpectNothing(time.Minute)
	})
}

func TestAPanicOfAnAutopilotFailsTheTest(t *testing.T) {
	for _, failuresOf := range []func(*testing.T, func(*pooltest.Kit)) []string{pooltest.FailuresOfRun, pooltest.FailuresOfExplore} {
		failures := failuresOf(t, func(k *pooltest.Kit) {
			p := k.Probe("p")
			p.Autopilot(func(*pooltest.Probe, any, *actor.PID) { panic("boo") })
			k.Send(p.PID(), 1)
			p.Expect(1) // is there nevertheless
		})
		require.Len(t, failures, 1)
		require.Contains(t, failures[0], "autopilot of probe p: panic: boo, with int(1) at 0s\n")
		require.Contains(t, failures[0], "probe_test.go")
	}
}

func TestAssertionsOfAnAutopilotAreAtTheirLine(t *testing.T) {
	var line string
	failures := pooltest.FailuresOfExplore(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		p.Autopilot(func(_ *pooltest.Probe, m any, _ *actor.PID) {
			line = here(1)
			assert.Equal(k, 2, m)
		})
		k.Send(p.PID(), 1)
		p.Expect(1)
	})
	require.Len(t, failures, 1)
	require.Contains(t, failures[0], line+": ")
}

func TestOthersMayGoOnBeforeWatchReturns(t *testing.T) {
	f := pooltest.Search(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		p, q := k.Probe("p"), k.Probe("q")
		ran := false
		k.Go("other", func() { ran = true })
		p.Watch(q.PID())
		require.False(k, ran)
	})
	require.NotNil(t, f)
}

func TestTerminatedIsExpectedOnce(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		a := k.SpawnNamed(actor.PropsFromFunc(func(actor.Context) {}), "a")
		p.Watch(a)
		k.Root().Poison(a)
		require.Equal(k, actor.TerminatedReason_Stopped, p.ExpectTerminated(a).Why)
		p.ExpectNothing(time.Minute)

		again := k.SpawnNamed(actor.PropsFromFunc(func(actor.Context) {}), "a")
		p.Watch(again)
		k.Root().Stop(again)
		p.ExpectTerminated(again) // another actor with the same address

		p.Watch(again)
		require.Equal(k, actor.TerminatedReason_NotFound, p.ExpectTerminated(again).Why)
		p.ExpectNothing(time.Minute)
	})
}

func TestTheEndOfAnOwnChildIsExpectedOnce(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		k.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case *actor.Started:
				child := c.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
				c.Watch(child)
				c.Stop(child)
			case *actor.Terminated:
				c.Send(p.PID(), m)
			}
		}))
		k.Idle()
		require.Len(k, p.Received(), 1)
		receipts := p.Receipts()
		require.Len(k, receipts, 2, "Proto.Actor tells twice, as the parent and as who watches")
		require.False(k, receipts[0].Again)
		require.True(k, receipts[1].Again)
		p.ExpectTerminated(receipts[0].Message.(*actor.Terminated).Who)
		p.ExpectNothing(time.Minute)
	})
}

func TestAProbeIsWatchedAndStoppedLikeAnyActor(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p, q := k.Probe("p"), k.Probe("q")
		p.Watch(q.PID())
		k.Send(q.PID(), 1)
		k.Root().Poison(q.PID())
		p.ExpectTerminated(q.PID())
		q.Expect(1) // what it had received before is still there
		k.Send(q.PID(), 2)
		k.DeadLetters().ExpectCount(1, "dead letters to q", func(e *actor.DeadLetterEvent) bool { return e.PID.Equal(q.PID()) })
	})
}

func TestAProbeThatHasStoppedIsNotWaitedFor(t *testing.T) {
	failures := pooltest.FailuresOfRun(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		k.Cleanup(func() { assert.Equal(t, time.Second, k.Elapsed()) })
		k.Go("stops it", func() {
			time.Sleep(time.Second)
			k.Root().Stop(p.PID())
		})
		p.Next()
	})
	require.Len(t, failures, 1)
}

func TestMessagesOfProtoActorAboutTheProbeItselfAreNotRecorded(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		k.Idle()
		k.Root().Stop(p.PID())
		k.Idle()
		require.Empty(k, p.Receipts())
		p.ExpectNothing(time.Second)
		require.Equal(k, time.Second, k.Elapsed())
	})
}

// twoSenders has a probe told the same by two actors, whose order it leaves open.
func twoSenders(k *pooltest.Kit) (p *pooltest.Probe) {
	p = k.Probe("p")
	relay := actor.PropsFromFunc(func(c actor.Context) {
		if _, ok := c.Message().(int); ok {
			c.Forward(p.PID())
		}
	})
	k.Send(k.SpawnNamed(relay, "a"), 1)
	k.Send(k.SpawnNamed(relay, "b"), 2)
	return p
}

func TestAnOrderThatATestAssumesIsFoundToBeOneOfTwo(t *testing.T) {
	f := pooltest.Search(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		p := twoSenders(k)
		p.Expect(1)
		p.Expect(2)
	})
	require.NotNil(t, f)
	require.Contains(t, f.Failures[0], "probe p: expected int(1), and got int(2) at 0s\n")
	require.Contains(t, f.String(), "woken by probe p")

	pooltest.Explore(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		twoSenders(k).ExpectInAnyOrder(1, 2)
	})
}

// asks has several goroutines wait for probes, one of which answers, and timers.
func asks(k *pooltest.Kit) {
	server, clock := k.Probe("server"), k.Probe("clock")
	server.Autopilot(func(p *pooltest.Probe, m any, sender *actor.PID) { p.Request(sender, m) })
	for i := range 3 {
		client := k.Probe(fmt.Sprint("client ", i))
		k.Go(fmt.Sprint("asks ", i), func() {
			client.Request(server.PID(), i)
			client.Expect(i)
			clock.Within(time.Second).Next()
		})
		after(k, time.Second, clock, i) // as the limit ends
	}
	k.DeadLetters().ExpectNone()
	server.ExpectInAnyOrder(0, 1, 2)
	k.Advance(time.Second)
	clock.ExpectNothing(time.Second)
}

// asked is the traces of runs before, with other numbers of processors.
var asked sync.Map

func TestRunsWithProbesCanBeRepeated(t *testing.T) {
	for _, s := range []pooltest.Strategy{pooltest.PCT, pooltest.RandomWalk} {
		different := map[string]bool{}
		for seed := range uint64(20) {
			trace, failed := pooltest.TraceOf(t, s, seed+1, asks)
			require.False(t, failed)
			before, _ := asked.LoadOrStore(fmt.Sprint(s, seed), trace.String())
			require.Equal(t, before, trace.String())
			different[trace.String()] = true
		}
		require.Len(t, different, 20)
	}
}

func TestAProbeIsOfNoUseAfterItsTest(t *testing.T) {
	var p *pooltest.Probe
	pooltest.Run(t, func(k *pooltest.Kit) { p = k.Probe("p") })
	calls := map[string]func(){
		"Expect": func() { p.Expect(1) }, "ExpectType": func() { pooltest.ExpectType[int](p) },
		"ExpectMatch": func() { p.ExpectMatch("", func(any) bool { return true }) }, "ExpectTerminated": func() { p.ExpectTerminated(p.PID()) },
		"Next": func() { p.Next() }, "ExpectInAnyOrder": func() { p.ExpectInAnyOrder(1) },
		"FishFor": func() { p.FishFor("", func(any) bool { return true }) }, "ExpectNothing": func() { p.ExpectNothing(0) },
		"Within": func() { p.Within(0) }, "Autopilot": func() { p.Autopilot(nil) }, "Watch": func() { p.Watch(p.PID()) },
		"Request": func() { p.Request(p.PID(), 1) }, "Reply": func() { p.Reply(1) },
	}
	for method, call := range calls {
		require.PanicsWithValue(t, fmt.Sprintf("pooltest: Probe.%s was called, on probe p, after its test, %s, had ended", method, t.Name()), call)
	}
	require.Empty(t, p.Received(), "what was received can still be read")
}

func TestAFunctionThatMustBeThere(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		require.PanicsWithValue(k, "pooltest: Probe.ExpectMatch was called without match", func() { p.ExpectMatch("", nil) })
		require.PanicsWithValue(k, "pooltest: Probe.FishFor was called without match", func() { p.FishFor("", nil) })
		require.PanicsWithValue(k, "pooltest: Recorder.Count was called without match", func() { k.DeadLetters().Count(nil) })
		require.PanicsWithValue(k, "pooltest: Recorder.ExpectCount was called without match", func() { k.DeadLetters().ExpectCount(0, "", nil) })
	})
}
