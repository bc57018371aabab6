package actors

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

func TestStoppedMailboxTakesNoTaskAndNoRestart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		p, _ := newProbe(r, 1)
		p.box.PostSystemMessage(&actor.Restart{})
		require.Len(t, p.takes(), 1, "a restart before the stop counts")

		p.handle = func(message any) {
			if message == "stop" {
				p.box.stop()
			}
		}
		p.box.PostUserMessage("stop")
		synctest.Wait()
		b := submit(t, r, TaskOptions{}, nil)
		p.box.PostSystemMessage(&actor.Restart{})
		p.box.PostSystemMessage(1)
		p.box.PostUserMessage(2)
		require.Equal(t, []string{"user stop", "system 1", "user 2"}, p.takes())
		require.False(t, b.Decided())
	})
}

func TestStoppedMailboxLeavesItsTasksToOthers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(2, SharedQueue())
		other, _ := newProbe(r, 2)
		p, _ := newProbe(r, 1)
		for _, idle := range []*probe{other, p} { // p last: it would be woken first
			idle.box.PostUserMessage("begin")
			idle.takes()
		}
		p.handle = func(any) { p.box.stop() }
		p.box.PostUserMessage("stop")
		p.takes()
		submit(t, r, TaskOptions{Name: "1"}, nil)
		require.Equal(t, []string{"task 1"}, other.takes())
		require.Empty(t, p.takes())
	})
}

func TestReplacedMailboxDoesNotWithdrawItsSuccessor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		old, _ := newProbe(r, 1)
		synctest.Wait()
		successor, _ := newProbe(r, 1)
		synctest.Wait()
		old.box.PostSystemMessage(&actor.SuspendMailbox{}) // as after a failure behind a Stop
		synctest.Wait()
		submit(t, r, TaskOptions{Name: "1"}, nil)
		require.Equal(t, []string{"task 1"}, successor.takes())
	})
}

// A worker that is idle is stopped by whoever calls; one that has anything to do
// takes the pill when it has done it.
func TestIdleMailboxTakesItsPoisonPillAtOnce(t *testing.T) {
	const pill = "user " // which has no text
	for name, c := range map[string]struct {
		before func(p *probe)
		trace  []string
		wakes  bool // another goroutine, or two if the first is done before the pill is posted
	}{
		"idle":      {func(*probe) {}, []string{pill}, false},
		"has mail":  {func(p *probe) { p.box.post("letter") }, []string{"user letter", pill}, true},
		"suspended": {func(p *probe) { p.box.PostSystemMessage(&actor.SuspendMailbox{}); synctest.Wait() }, nil, true},
		"fails": {
			func(p *probe) { p.handle = func(any) { panic("boom") } },
			[]string{pill, "escalated "}, true,
		},
		"is sent something meanwhile": {
			func(p *probe) {
				p.handle = func(message any) {
					if _, ok := message.(*actor.PoisonPill); ok {
						p.box.PostUserMessage("letter")
					}
				}
			},
			[]string{pill, "user letter"}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				p, d := newProbe(newTestRouter(1, SharedQueue()), 1)
				synctest.Wait()
				c.before(p)
				started := d.started.Load()
				p.box.poison()
				synctest.Wait()
				require.Equal(t, c.trace, p.trace)
				require.Equal(t, c.wakes, d.started.Load() > started)
				require.False(t, p.overlap.Load())
			})
		})
	}
}

func TestMessageForAnActorThatIsGoneIsADeadLetterThoughAnotherHasItsName(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
		answers := make(chan any, 1)
		me := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if answer, ok := ctx.Message().(*actor.DeadLetterResponse); ok {
				answers <- answer
			}
		}))
		props := func(box *mailbox) *actor.Props {
			return actor.PropsFromFunc(func(actor.Context) {}, actor.WithMailbox(func() actor.Mailbox { return box }))
		}
		old := newMailbox(nil, 0)
		pid, err := system.Root.SpawnNamed(props(old), "name")
		require.NoError(t, err)
		require.NoError(t, system.Root.StopFuture(pid).Wait())
		_, err = system.Root.SpawnNamed(props(newMailbox(nil, 0)), "name")
		require.NoError(t, err)
		old.PostUserMessage(&actor.MessageEnvelope{Message: "late", Sender: me})
		<-answers
		system.Shutdown()
		time.Sleep(time.Minute) // timers of the actor system run out
	})
}
