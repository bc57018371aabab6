package pool_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// stranger sends anything to every address of a
// pool.
type stranger struct {
	*draws
	system  *actor.ActorSystem
	p       *pool.Pool
	me      *actor.PID
	result  *actor.PID // of a result
	answers []*actor.Future
	mayEnd  bool // something was sent that ends a pool
}

// address is where a message goes, mostly one of the pool's.
func (s *stranger) address() *actor.PID {
	id := s.p.PID().Id
	local := s.system.NewLocalPID
	switch s.n(9) {
	case 1:
		return local(id + "/router")
	case 2:
		return local(id + "/worker-1")
	case 3:
		return local(id + "/worker-2")
	case 4:
		return s.result
	case 5:
		return local(id + "/results")
	case 6: // of a result that is not there yet
		return &actor.PID{Address: s.result.Address, Id: s.result.Id, RequestId: s.result.RequestId + 1}
	case 7:
		return local(id + "/worker-3")
	case 8:
		return local("nobody")
	}
	return s.p.PID()
}

func (s *stranger) maybeAddress() *actor.PID {
	if s.yes() {
		return s.address()
	}
	return nil
}

func (s *stranger) task() *messages.Task {
	if s.n(12) == 11 {
		return nil
	}
	return &messages.Task{
		Func: oneOf(s.draws,
			func(context.Context) (any, error) { return 1, nil },
			nil,
			func(context.Context) (any, error) { return nil, errors.New("mine") },
			func(context.Context) (any, error) { panic("boom") },
			func(context.Context) (any, error) { runtime.Goexit(); return nil, nil },
			func(ctx context.Context) (any, error) {
				select {
				case <-ctx.Done():
				case <-time.After(time.Minute): // else soon no worker is free
				}
				return nil, ctx.Err()
			},
			func(context.Context) (any, error) { time.Sleep(time.Second); return 1, nil },
			func(context.Context) (any, error) { var none *fs.PathError; return none, none },
			func(context.Context) (any, error) { panic(&pool.Failure{}) },
			func(context.Context) (any, error) { panic((*pool.Failure)(nil)) },
		),
		Key:        oneOf(s.draws, "", "a", "b"),
		Name:       oneOf(s.draws, "", "name", "a/b"),
		Timeout:    s.duration(),
		Priority:   oneOf(s.draws, 0, 0, 0, 1, math.MaxInt),
		RunTimeout: oneOf(s.draws, 0, 0, time.Second, -1),
		Context:    s.draws.context(),
	}
}

// message is anything; ends tells that it says to a pool that it shall end.
func (s *stranger) message() (message any, ends bool) {
	switch s.n(46) {
	case 1:
		return "hello", false
	case 2:
		return math.NaN(), false
	case 3:
		return nil, false
	case 4:
		return struct{ f func() }{}, false
	case 5:
		return messages.Task{}, false
	case 6:
		return &messages.Result{
			Value: oneOf[any](s.draws, nil, 7, "done", s), Err: oneOf[error](s.draws, nil, pool.ErrBroken, (*pool.PanicError)(nil), (*fs.PathError)(nil)),
			Outcome: messages.Outcome(s.n(256)),
		}, false
	case 7:
		return (*messages.Result)(nil), false
	case 8:
		return &messages.StartWorkers{Workers: []int{s.n(5) - 1, 1, 1, math.MaxInt, math.MinInt}}, false
	case 9:
		return (*messages.StartWorkers)(nil), false
	case 10:
		return oneOf(s.draws, &messages.Drained{}, nil), false
	case 11:
		return oneOf(s.draws, &messages.Terminate{}, nil), false
	case 12:
		return oneOf(s.draws, &messages.Drain{}, nil), true
	case 13:
		return oneOf(s.draws, &actor.PoisonPill{}, nil), true
	case 14:
		return oneOf(s.draws, &actor.Stop{}, nil), false
	case 15:
		return oneOf(s.draws, &actor.Restart{}, nil), false
	case 16:
		return oneOf(s.draws, &actor.Restarting{}, nil), false
	case 17:
		return oneOf(s.draws, &actor.Started{}, nil), false
	case 18:
		return oneOf(s.draws, &actor.Stopping{}, nil), false
	case 19:
		return oneOf(s.draws, &actor.Stopped{}, nil), false
	case 20:
		return &actor.Terminated{Who: s.maybeAddress()}, false
	case 21:
		return (*actor.Terminated)(nil), false
	case 22:
		return oneOf(s.draws, &actor.ReceiveTimeout{}, nil), false
	case 23:
		return &actor.Touch{}, false
	case 24:
		return &actor.Touched{Who: s.maybeAddress()}, false
	case 25:
		return &actor.Watch{Watcher: oneOf(s.draws, s.me, s.p.PID())}, false
	case 26:
		return &actor.Unwatch{Watcher: s.maybeAddress()}, false
	case 27:
		return &actor.Failure{Who: s.maybeAddress()}, false
	case 28:
		return oneOf(s.draws, &actor.SuspendMailbox{}, nil), false
	case 29:
		return oneOf(s.draws, &actor.ResumeMailbox{}, nil), false
	case 30:
		return &pool.Failure{Kind: pool.FailureKind(s.n(4)), Err: oneOf(s.draws, nil, pool.ErrGoexit)}, false
	case 31:
		return (*pool.Failure)(nil), false
	case 32:
		return &actor.DeadLetterEvent{PID: s.maybeAddress(), Message: "x"}, false
	case 33:
		return &actor.DeadLetterResponse{Target: s.maybeAddress()}, false
	case 34:
		return &actor.MessageEnvelope{}, false
	case 35:
		inner, ends := s.message()
		return &actor.MessageEnvelope{Message: inner, Sender: s.maybeAddress()}, ends
	case 36:
		return s.p, false
	case 37:
		return pool.ErrBroken, false
	case 38:
		return &pool.PanicError{}, false
	case 39:
		return pool.Terminated, false
	case 40:
		return []any{nil}, false
	case 41:
		return actor.PoisonPill{}, false
	case 42:
		return s.me, false
	case 43:
		return (*actor.Touched)(nil), false
	case 44:
		return &messages.Resize{Workers: oneOf(s.draws, 2, 3, 4, 0, -1, math.MaxInt, math.MinInt)}, false // one worker is kept by the first task
	case 45:
		return oneOf(s.draws, (*messages.Resize)(nil), &messages.Resize{}), false
	}
	return s.task(), false
}

// act sends something, or does what else an actor can do with an address.
func (s *stranger) act() {
	root := s.system.Root
	switch s.n(8) {
	case 0, 1:
		message, ends := s.message()
		s.mayEnd = s.mayEnd || ends
		root.Send(s.address(), message)
	case 2, 3:
		message, ends := s.message()
		s.mayEnd = s.mayEnd || ends
		request(s.system, s.address(), oneOf(s.draws, s.me, s.p.PID(), s.result), message)
	case 4, 5:
		s.answers = append(s.answers, root.RequestFuture(s.address(), s.task(), 1000*time.Hour))
	case 6:
		stop := oneOf(s.draws, root.Stop, root.Poison)
		s.mayEnd = true
		stop(s.address())
	case 7:
		root.Send(s.me, vigil{s.address(), s.yes()})
	}
}

// vigil has an actor watch another one.
type vigil struct {
	who *actor.PID
	not bool
}

func watcher(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case vigil:
		if m.not {
			ctx.Unwatch(m.who)
		} else {
			ctx.Watch(m.who)
		}
	}
}

// probe has the pool do a task; it may refuse only if somebody has ended it.
func (s *stranger) probe(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Hour)
	defer cancel()
	v, err := pool.Apply(ctx, s.p, value(42))
	if s.mayEnd && (errors.Is(err, pool.ErrClosed) || errors.Is(err, pool.ErrTerminated)) {
		return
	}
	require.NoError(t, err, "%+v", s.p.Stats())
	require.Equal(t, 42, v)
}

func FuzzMessages(f *testing.F) {
	for first := range byte(8) {
		for kind := range byte(46) {
			if kind%8 != first { // each kind, but not in every way
				continue
			}
			f.Add([]byte{0, first, kind, 0, 0, 1, 0, first, kind, 1, 1})
			f.Add([]byte{1, first, kind, 1, 0, 1, 1, first, kind, 2, 2, 2, 2, 2})
			f.Add([]byte{kind, first, kind, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, kind})
		}
	}
	system := pool.SharedSystem() // made outside of the bubbles
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if len(bytes) > 200 {
			return
		}
		inBubble(t, func(t *testing.T) {
			t.Cleanup(func() { time.Sleep(time.Minute) }) // timers of the actor system run out
			d := &draws{bytes}
			p := newPool(t, pool.WithWorkers(2), pool.WithUnboundedQueue(),
				pool.WithRouting(oneOf(d, pool.SharedQueue, pool.KeyOrdered)))
			s := &stranger{draws: d, system: system, p: p, me: system.Root.Spawn(actor.PropsFromFunc(watcher))}
			defer system.Root.Stop(s.me)
			g := newGate()
			running := pool.ApplyAsync(t.Context(), p, g.task)
			s.result = running.PID()
			for d.more() {
				s.act()
				if d.yes() {
					synctest.Wait()
				}
				s.probe(t)
			}
			if d.yes() {
				p.Close()
				time.Sleep(time.Hour)
			}
			p.Terminate()
			require.NoError(t, p.Join(hour(t)), "%+v", p.Stats())
			_, err := running.Outcome()
			require.NoError(t, err)
			for _, answer := range s.answers {
				got, err := answer.Result()
				if err == nil {
					require.IsType(t, &messages.Result{}, got)
				} else {
					require.ErrorIs(t, err, actor.ErrDeadLetter)
				}
			}
		})
	})
}
