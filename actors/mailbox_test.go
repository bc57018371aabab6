package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// probe is the actor behind a mailbox, as far as the mailbox sees one. Its
// fields are touched only inside its methods, which run one at a time.
type probe struct {
	box     *mailbox
	active  atomic.Int32 // how many of its methods run
	overlap atomic.Bool  // whether two ever did at once
	trace   []string
	reasons []any
	handle  func(message any) // nil: nothing happens
}

func (p *probe) note(event string) func() {
	if p.active.Add(1) > 1 {
		p.overlap.Store(true)
	}
	p.trace = append(p.trace, event)
	return func() { p.active.Add(-1) }
}

func (p *probe) InvokeSystemMessage(message any) {
	defer p.note(fmt.Sprintf("system %v", message))()
	p.do(message)
}

func (p *probe) InvokeUserMessage(message any) {
	if b, ok := message.(*batch); ok {
		name := b.first.task.Name()
		defer p.note("task " + name)()
		(&worker{router: p.box.router, number: p.box.number, box: p.box}).run(b)
		return
	}
	defer p.note(fmt.Sprintf("user %v", message))()
	p.do(message)
}

func (p *probe) EscalateFailure(reason, message any) {
	defer p.note(fmt.Sprintf("escalated %v", message))()
	p.reasons = append(p.reasons, reason)
}

func (p *probe) do(message any) {
	if p.handle != nil {
		p.handle(message)
	}
}

// goroutines runs each activation of a mailbox on a goroutine of its own and
// counts them.
type goroutines struct{ started atomic.Int32 }

func (d *goroutines) Schedule(f func()) { d.started.Add(1); go f() }
func (d *goroutines) Throughput() int   { return 1 }

// newProbe puts a probe in the place of a worker.
func newProbe(r *Router, number int) (*probe, *goroutines) {
	p, d := &probe{box: newMailbox(r, number)}, &goroutines{}
	p.box.RegisterHandlers(p, d)
	r.installed(number, p.box)
	p.box.Start()
	return p, d
}

// takes returns what the mailbox did since it was last asked.
func (p *probe) takes() []string {
	synctest.Wait()
	trace := p.trace
	p.trace = nil
	return trace
}

func TestMailboxLosesNoWakeUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		p, _ := newProbe(r, 1)
		p.box.PostSystemMessage("start")
		const senders, each = 8, 100
		var done atomic.Int32
		for range senders {
			go func() {
				for i := range each {
					switch i % 3 {
					case 0:
						p.box.PostUserMessage("message")
					case 1:
						p.box.PostSystemMessage("message")
					default:
						b := newScript(r, TaskOptions{})
						b.run = func(context.Context) { done.Add(1) }
						_ = r.Submit(context.Background(), &b.Task)
					}
					if i%10 == 0 {
						runtime.Gosched() // lets the mailbox fall asleep
					}
				}
			}()
		}
		messages := slices.DeleteFunc(p.takes(), func(event string) bool { return strings.HasPrefix(event, "task") })
		require.Len(t, messages, 1+senders*(each-each/3), "each message is handled once")
		require.EqualValues(t, senders*(each/3), done.Load())
		require.False(t, p.overlap.Load(), "one at a time")
		require.Equal(t, asleep, p.box.status.Load())
		require.Zero(t, p.box.UserMessageCount())
	})
}

func TestActorIsStartedBeforeItHandlesWhatCameEarlier(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := &probe{box: newMailbox(newTestRouter(1, SharedQueue()), 1)}
		p.box.PostSystemMessage("stop")
		p.box.PostUserMessage("message")
		p.box.RegisterHandlers(p, &goroutines{})
		p.box.PostSystemMessage(&actor.Started{})
		p.box.Start()
		require.Equal(t, []string{"system &{}", "system stop", "user message"}, p.takes())
	})
}

// The task comes at the worst moment: the mailbox has found nothing and is about
// to fall asleep.
func TestMailboxThatIsFallingAsleepStillTakesATask(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		r.config.Limit = 0
		held := newScript(r, TaskOptions{Name: "held"})
		r.waiters.push(&submitter{task: &held.Task, room: make(chan error, 1)}) // let in by the pull that finds nothing
		p, d := newProbe(r, 1)
		require.Equal(t, []string{"task held"}, p.takes())
		require.EqualValues(t, 1, d.started.Load())
		require.Equal(t, asleep, p.box.status.Load())
	})
}

func TestMailboxThatTwoWakeRunsOnce(t *testing.T) {
	r := newTestRouter(1, SharedQueue())
	for range 1000 {
		p := &probe{box: newMailbox(r, 1)}
		p.box.posts().user = []any{1, 2}
		var runs sync.WaitGroup
		p.box.RegisterHandlers(p, dispatch(func(f func()) { runs.Go(f) }))
		p.box.status.Store(asleep)
		var ready atomic.Int32
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				for ready.Add(1); ready.Load() < 2; { // so that they meet
					runtime.Gosched()
				}
				p.box.schedule()
			})
		}
		both.Wait()
		runs.Wait()
		require.Len(t, p.trace, 2)
		require.False(t, p.overlap.Load())
	}
}

// dispatch is a dispatcher that is a function.
type dispatch func(func())

func (d dispatch) Schedule(f func()) { d(f) }
func (dispatch) Throughput() int     { return 1 }

func TestMailboxHandlesSystemMessagesThenOthersThenTasks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		p, d := newProbe(r, 1)
		synctest.Wait() // its first look
		d.started.Store(0)
		p.handle = func(message any) {
			if message != "begin" {
				return
			}
			submit(t, r, TaskOptions{Name: "1"}, func(context.Context) {
				p.box.PostUserMessage(3)
				p.box.PostSystemMessage(3)
			})
			submit(t, r, TaskOptions{Name: "2"}, nil)
			p.box.PostUserMessage(1)
			p.box.PostUserMessage(2)
			require.Equal(t, 2, p.box.UserMessageCount())
			p.box.PostSystemMessage(1)
			p.box.PostSystemMessage(2)
		}
		p.box.PostUserMessage("begin")
		require.Equal(t, []string{
			"user begin", "system 1", "system 2", "user 1", "user 2", "task 1", "system 3", "user 3", "task 2",
		}, p.takes())
		require.EqualValues(t, 1, d.started.Load(), "one goroutine for all of it")
	})
}

func TestSuspendedMailboxHandlesOnlySystemMessages(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(2, SharedQueue())
		p, _ := newProbe(r, 1)
		other, _ := newProbe(r, 2)
		p.box.PostSystemMessage(&actor.SuspendMailbox{})
		p.box.PostUserMessage(1)
		p.box.PostSystemMessage(2)
		first := submit(t, r, TaskOptions{Name: "for anybody"}, nil)
		own := submit(t, r, TaskOptions{Name: "for it", Worker: 1}, nil)
		require.Equal(t, []string{"system 2"}, p.takes())
		require.Equal(t, []string{"task for anybody"}, other.takes(), "another worker pulls")
		require.True(t, first.Decided())
		require.False(t, own.Decided())

		p.box.PostSystemMessage(&actor.ResumeMailbox{})
		require.Equal(t, []string{"user 1", "task for it"}, p.takes())
		require.True(t, own.Task.Ready())
	})
}

func TestSuspendedMailboxIsNotWokenForTasks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTestRouter(1, SharedQueue())
		p, d := newProbe(r, 1)
		p.box.PostUserMessage("begin") // after which it is idle
		synctest.Wait()
		p.box.PostSystemMessage(&actor.SuspendMailbox{})
		synctest.Wait()
		before := d.started.Load()
		submit(t, r, TaskOptions{}, nil)
		synctest.Wait()
		require.Equal(t, before, d.started.Load())
	})
}

func TestMailboxGoesOnAfterAFailure(t *testing.T) {
	boom := errors.New("boom")
	exit := &Failure{Kind: InitializerFailed, Err: boom}
	for _, c := range []struct {
		name   string
		fail   func(*probe)
		reason any
	}{
		{"a panic", func(*probe) { panic(boom) }, boom},
		{"a Goexit", func(p *probe) { p.box.running.failure = exit; runtime.Goexit() }, exit},
	} {
		for _, kind := range []string{"user", "system"} {
			t.Run(c.name+" in a "+kind+" message", func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					r := newTestRouter(1, SharedQueue())
					p, d := newProbe(r, 1)
					p.handle = func(message any) {
						if message != "fail" {
							return
						}
						submit(t, r, TaskOptions{Name: "1"}, nil)
						p.box.PostUserMessage(1)
						p.box.PostSystemMessage(1)
						c.fail(p)
					}
					if kind == "user" {
						p.box.PostUserMessage("fail")
					} else {
						p.box.PostSystemMessage("fail")
					}
					require.Equal(t, []string{kind + " fail", "escalated fail", "system 1", "user 1", "task 1"}, p.takes())
					require.Equal(t, []any{c.reason}, p.reasons)
					require.False(t, p.overlap.Load())
					require.GreaterOrEqual(t, d.started.Load(), int32(2), "another goroutine goes on")
					require.Nil(t, p.box.running.failure)
					require.Nil(t, p.box.running.message)
				})
			})
		}
	}
}

func TestMailboxGoesOnAfterATaskThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		fail func()
		kind FailureKind
	}{
		"panics":             {func() { panic("boom") }, TaskPanicked},
		"exits":              {runtime.Goexit, TaskExited},
		"panics as it exits": {func() { defer panic("boom"); runtime.Goexit() }, TaskPanicked},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newTestRouter(1, SharedQueue())
				p, _ := newProbe(r, 1)
				p.box.PostUserMessage("begin")
				synctest.Wait()
				b := submit(t, r, TaskOptions{Name: "fails"}, func(context.Context) { c.fail() })
				next := submit(t, r, TaskOptions{Name: "next"}, nil)
				synctest.Wait()
				require.True(t, b.Task.Ready())
				require.True(t, next.Task.Ready())
				require.Len(t, p.reasons, 1)
				require.Equal(t, c.kind, p.reasons[0].(*Failure).Kind)
				require.False(t, p.overlap.Load())
			})
		})
	}
}

func TestMailboxTakesANilMessageForAMessage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p, _ := newProbe(newTestRouter(1, SharedQueue()), 1)
		p.handle = func(message any) {
			if message == "begin" {
				p.box.PostUserMessage(nil)
				p.box.PostUserMessage(1)
				p.box.PostSystemMessage(nil)
				p.box.PostSystemMessage(1)
			}
		}
		p.box.PostUserMessage("begin")
		require.Equal(t, []string{"user begin", "system <nil>", "system 1", "user <nil>", "user 1"}, p.takes())
		require.Zero(t, p.box.UserMessageCount())
	})
}

func BenchmarkMailboxWake(b *testing.B) {
	b.ReportAllocs()
	handled := make(chan struct{})
	p, _ := newProbe(newTestRouter(1, SharedQueue()), 1)
	p.box.RegisterHandlers(signals(handled), &goroutines{})
	for b.Loop() {
		p.box.PostUserMessage("message")
		<-handled
	}
}

// signals says when a message was handled.
type signals chan struct{}

func (s signals) InvokeSystemMessage(any)  {}
func (s signals) InvokeUserMessage(any)    { s <- struct{}{} }
func (s signals) EscalateFailure(any, any) {}

func TestMailboxKeepsNoMessageThatWasHandled(t *testing.T) {
	m := newMailbox(nil, 0)
	m.post("one")
	m.post("two") // which moves both elsewhere
	p := m.posted
	for range 2 {
		_, ok := m.popUser()
		require.True(t, ok)
	}
	require.Equal(t, posted{}, *p)
}
