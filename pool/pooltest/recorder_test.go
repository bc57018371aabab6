package pooltest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// gone is the address of an actor that was there.
func gone(k *pooltest.Kit, name string) *actor.PID {
	pid := k.SpawnNamed(actor.PropsFromFunc(func(actor.Context) {}), name)
	k.Root().Stop(pid)
	k.Idle()
	return pid
}

func ofAny[E any](E) bool { return true }

func TestDeadLettersAreThoseOfTheTest(t *testing.T) {
	both(t, func(k *pooltest.Kit) { // in the system in which the run before had one
		k.DeadLetters().ExpectNone()
		k.Send(gone(k, "a"), 1)
		k.DeadLetters().ExpectCount(1, "ones", func(e *actor.DeadLetterEvent) bool { return e.Message == 1 })
		require.Equal(k, "a", k.DeadLetters().All()[0].PID.Id)
		require.Equal(k, 0, k.DeadLetters().Count(func(e *actor.DeadLetterEvent) bool { return e.Message == 2 }))
	})
}

func TestExpectationsOfARecorderWaitUntilAllAreIdle(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		a := gone(k, "a")
		hops := 0
		relay := k.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch n := c.Message().(type) {
			case int:
				if hops++; n > 0 {
					c.Send(c.Self(), n-1)
				} else {
					c.Send(a, n)
				}
			}
		}))
		k.Send(relay, 10)
		k.DeadLetters().ExpectCount(1, "dead letters", ofAny)
		require.Equal(k, 11, hops)
	})
}

func TestADeadLetterThatCannotBeReportedIsOne(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Probe("p")
		p.Request(gone(k, "a"), 1)
		pooltest.ExpectType[*actor.DeadLetterResponse](p)
		k.DeadLetters().ExpectCount(1, "dead letters", ofAny)

		k.Root().Stop(p.PID())
		k.Idle()
		k.Root().RequestWithCustomSender(gone(k, "b"), 2, p.PID()) // nobody to tell
		k.DeadLetters().ExpectCount(2, "dead letters", ofAny)
	})
}

func TestWatchesAndStopsOfWhatIsGoneAreNoDeadLetters(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		a, p := gone(k, "a"), k.Probe("p")
		all := 0
		s := k.System().EventStream.Subscribe(func(any) { all++ })
		defer k.System().EventStream.Unsubscribe(s)
		p.Watch(a)
		k.Root().Stop(a)
		process, there := k.System().ProcessRegistry.Get(a)
		require.False(k, there)
		process.SendSystemMessage(a, &actor.ResumeMailbox{}) // as whoever resumes a child does
		p.ExpectTerminated(a)
		k.DeadLetters().ExpectNone()
		require.Equal(k, 3, all, "Proto.Actor publishes them")
	})
}

func TestARecorderIsNotKeptFromItsEventByAHandlerThatPanics(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		a := gone(k, "a")
		s := k.System().EventStream.Subscribe(func(any) { panic("boo") })
		defer k.System().EventStream.Unsubscribe(s)
		require.PanicsWithValue(k, "boo", func() { k.Send(a, 1) }, "the publisher is hit by it")
		k.DeadLetters().ExpectCount(1, "dead letters", ofAny)
	})
}

func TestSupervisionEventsOfActorsAndWorkers(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		a := k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
			if _, ok := c.Message().(int); ok {
				panic("boo")
			}
		}), "a")
		k.Send(a, 1)
		k.Send(a, 2)
		restarts := func(id string) func(*actor.SupervisorEvent) bool {
			return func(e *actor.SupervisorEvent) bool {
				return e.Directive == actor.RestartDirective && strings.HasSuffix(e.Child.Id, id)
			}
		}
		k.SupervisionEvents().ExpectCount(2, "restarts of a", restarts("a"))
		p := k.Pool(pool.WithWorkers(1))
		_, err := pool.Apply(k.Context(), p, func(context.Context) (int, error) { panic("boo") })
		require.Error(k, err)
		k.SupervisionEvents().ExpectCount(1, "restarts of the worker", restarts("worker-1"))
		require.Len(k, k.SupervisionEvents().All(), 3)
	})
}

func TestTwoRestartsOfOneWorker(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(3), pool.WithRouting(pool.RoundRobin))
		events := k.PoolEvents(p)
		require.Same(k, events, k.PoolEvents(p))
		k.Advance(time.Second)
		for range 2 {
			var tasks []*pool.AsyncResult[int]
			for range 3 {
				tasks = append(tasks, pool.ApplyAsync(k.Context(), p, func(ctx context.Context) (int, error) {
					if strings.HasSuffix(pool.WorkerName(ctx), "/worker-3") {
						panic("boo")
					}
					return 0, nil
				}))
			}
			for _, task := range tasks {
				_ = task.Wait(k.Context())
			}
			k.Idle()
		}
		for worker, restarts := range map[string]int{"/worker-1": 0, "/worker-2": 0, "/worker-3": 2} {
			events.ExpectCount(restarts, "restarts of "+worker, func(e pool.Event) bool {
				return e.Kind == pool.WorkerRestarted && strings.HasSuffix(e.Worker, worker)
			})
		}
		p.Close()
		require.NoError(k, p.Join(k.Context()))
		events.ExpectCount(1, "ends of the pool", func(e pool.Event) bool { return e.Kind == pool.PoolClosed })
		all := events.All()
		require.Equal(k, pool.PoolClosed, all[len(all)-1].Kind)
	})
}

func TestARecordingOfPoolEventsEndsWithTheBody(t *testing.T) {
	var events *pooltest.Recorder[pool.Event]
	pooltest.Run(t, func(k *pooltest.Kit) { // reports a goroutine that is left
		p := k.Pool(pool.WithWorkers(1))
		events = k.PoolEvents(p)
		require.True(k, p.Pause())
		k.Idle()
	})
	require.NotZero(t, events.Count(func(e pool.Event) bool { return e.Kind == pool.PoolPaused }), "what was recorded can still be read")
	require.PanicsWithValue(t, "pooltest: Kit.Idle was called after its test, "+t.Name()+", had ended", func() { events.ExpectNone() })
}

var failingRecorders = []failing{
	{
		"dead letters where there are to be none",
		func(k *pooltest.Kit, p *pooltest.Probe) {
			a := gone(k, "a")
			k.Advance(time.Second)
			p.Request(a, 1)
			k.Send(a, pong{2})
			k.DeadLetters().ExpectNone()
		},
		`expected no dead letters, and there were 2
the last of 2 dead letters that were recorded, those that count with +:
  + int(1) to a from p at 1s
  + pooltest_test.pong{n: 2} to a at 1s`,
	},
	{
		"more than there are to be",
		func(k *pooltest.Kit, _ *pooltest.Probe) {
			for i := range 30 {
				k.Send(gone(k, "a"), i)
			}
			k.DeadLetters().ExpectCount(1, "numbers above 27", func(e *actor.DeadLetterEvent) bool { return e.Message.(int) > 27 })
		},
		`expected 1 numbers above 27, and there were 2
the last of 30 dead letters that were recorded, those that count with +:
    int(10) to a at 0s
    int(11) to a at 0s
    int(12) to a at 0s
    int(13) to a at 0s
    int(14) to a at 0s
    int(15) to a at 0s
    int(16) to a at 0s
    int(17) to a at 0s
    int(18) to a at 0s
    int(19) to a at 0s
    int(20) to a at 0s
    int(21) to a at 0s
    int(22) to a at 0s
    int(23) to a at 0s
    int(24) to a at 0s
    int(25) to a at 0s
    int(26) to a at 0s
    int(27) to a at 0s
  + int(28) to a at 0s
  + int(29) to a at 0s`,
	},
	{
		"none where there are to be some",
		func(k *pooltest.Kit, _ *pooltest.Probe) {
			k.SupervisionEvents().ExpectCount(1, "failures", ofAny)
		},
		`expected 1 failures, and there were 0
no supervision events were recorded`,
	},
	{
		"another supervision event",
		func(k *pooltest.Kit, _ *pooltest.Probe) {
			a := k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
				if _, ok := c.Message().(int); ok {
					panic(errors.New("boo"))
				}
			}), "a")
			k.Send(a, 1)
			k.SupervisionEvents().ExpectNone()
		},
		`expected no supervision events, and there were 1
the last of 1 supervision events that were recorded, those that count with +:
  + RestartDirective of a: boo at 0s`,
	},
	{
		"another event of a pool",
		func(k *pooltest.Kit, _ *pooltest.Probe) {
			p := k.Pool(pool.WithWorkers(1), pool.WithName("crew"))
			k.PoolEvents(p)
			k.Advance(time.Second)
			assert.True(k, p.Pause())
			k.PoolEvents(p).ExpectNone()
		},
		`expected no events of pool crew, and there were 1
the last of 1 events of pool crew that were recorded, those that count with +:
  + crew: pool paused at 1s`,
	},
}

func TestWhatAFailureOfARecorderSays(t *testing.T) {
	whatFailuresSay(t, "recorder_test.go", failingRecorders)
}

func TestEventsThatCameTooFastAreSaidToBeMissing(t *testing.T) {
	failures := pooltest.FailuresOfExplore(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithName("crew"))
		events := k.PoolEvents(p)
		k.Idle()
		for range pool.EventBuffer {
			assert.True(k, p.Pause())
			p.Resume()
		}
		events.ExpectCount(pool.EventBuffer, "pauses", func(e pool.Event) bool { return e.Kind == pool.PoolPaused })
	})
	require.Len(t, failures, 1)
	require.Contains(t, failures[0], "1024 events of pool crew came faster than they could be recorded, and are missing: let others go on in between, by Kit.Idle or Kit.Yield")
}
