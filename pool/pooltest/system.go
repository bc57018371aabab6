package pooltest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/actors"
)

// seat is an actor system that tests use one after another: to make one takes
// milliseconds, more than most tests. What runs in it is controlled by the kit whose
// turn it is.
type seat struct {
	system      *actor.ActorSystem
	plain       *actor.RootContext // without what the kit adds
	subscribers int32              // of the event stream, when nobody uses it
	processes   []string           // that are registered then

	mu  sync.Mutex
	kit *Kit
}

// deadLetterPause is for how long Proto.Actor keeps a goroutine after a dead letter.
const deadLetterPause = time.Nanosecond

func newSeat() *seat {
	s := &seat{}
	s.system = actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(seatLog{s}) }),
		actor.WithDeadLetterThrottleInterval(deadLetterPause),
	)
	s.narrow()
	s.processes = s.registered()
	s.plain = s.system.Root
	s.system.Root = s.plain.Copy().WithSpawnMiddleware(s.spawn).WithSenderMiddleware(s.send)
	// Before those of a test: if a handler panics the event does not reach those behind it.
	s.system.EventStream.Subscribe(func(event any) {
		if k := s.current(); k != nil {
			k.published(event)
		}
	})
	s.system.ProcessRegistry.RegisterAddressResolver(s.remote)
	s.subscribers = s.system.EventStream.Length()
	return s
}

// narrow has the registry hold its few processes in one map out of a thousand, so that
// they can be listed after each test.
func (s *seat) narrow() {
	maps := s.system.ProcessRegistry.LocalPIDs.LocalPIDs
	first := maps[0]
	for _, m := range maps[1:] {
		m.IterCb(first.Set) // Items starts a goroutine for each of 32 parts, 65,000 in all
	}
	s.system.ProcessRegistry.LocalPIDs.LocalPIDs = slices.Clone(maps[:1]) // the others can be collected
}

// registered lists the processes of a test.
func (s *seat) registered() (ids []string) {
	registry := s.system.ProcessRegistry.LocalPIDs.LocalPIDs[0]
	if registry.Count() == len(s.processes) {
		return nil
	}
	registry.IterCb(func(id string, _ any) {
		if !slices.Contains(s.processes, id) {
			ids = append(ids, id)
		}
	})
	slices.Sort(ids)
	return ids
}

// seats are those that nobody uses.
var seats struct {
	mu   sync.Mutex
	free []*seat
}

func takeSeat() *seat {
	seats.mu.Lock()
	defer seats.mu.Unlock()
	if n := len(seats.free); n > 0 {
		s := seats.free[n-1]
		seats.free = seats.free[:n-1]
		return s
	}
	return newSeat()
}

// giveSeat takes back a system in which nothing was left.
func giveSeat(s *seat) {
	if s.system.IsStopped() || s.system.EventStream.Length() != s.subscribers {
		return
	}
	seats.mu.Lock()
	defer seats.mu.Unlock()
	seats.free = append(seats.free, s)
}

// sit begins a test.
func (s *seat) sit(k *Kit) {
	s.mu.Lock()
	s.kit = k
	s.mu.Unlock()
	s.system.ProcessRegistry.SequenceID = 0 // the same names in each run
	if k.scheduler != nil {
		actors.UseScheduler(s.system, k.scheduler)
	} else {
		actors.UseScheduler(s.system, nil)
	}
	actors.UseInjector(s.system, injector{k.faults})
}

// rise ends a test, in whose bubble it is called.
func (s *seat) rise() {
	// For what dead letters have left; not synctest.Wait: the body may be in that, wrongly.
	// Else it is spared: a bubble in which a timer has fired costs the race detector some
	// 80 KB, which it keeps (Go 1.26: the race context of the bubble's timers is not ended).
	if s.current().deadLettered.Load() {
		time.Sleep(time.Millisecond)
	}
	s.mu.Lock()
	s.kit = nil
	s.mu.Unlock()
	actors.UseScheduler(s.system, nil)
	actors.UseInjector(s.system, nil)
}

func (s *seat) current() *Kit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kit
}

// spawn gives every actor a mailbox of the kit, and its children too. A pool, which has
// mailboxes of its own, keeps them: it makes its props itself.
func (s *seat) spawn(next actor.SpawnFunc) actor.SpawnFunc {
	return func(system *actor.ActorSystem, id string, props *actor.Props, parent actor.SpawnerContext) (*actor.PID, error) {
		controlled := *props
		controlled.Configure(
			actor.WithMailbox(func() actor.Mailbox { return newMailbox(s.current()) }),
			actor.WithSpawnMiddleware(s.spawn),
			actor.WithOnInit(func(ctx actor.Context) {
				if actors.IsPool(ctx.Actor()) {
					s.fronted(ctx)
				}
			}),
		)
		pid, err := next(system, id, &controlled, parent)
		if k := s.current(); k != nil && err == nil && parent.Self() == nil {
			k.mu.Lock()
			k.roots = append(k.roots, pid)
			k.mu.Unlock()
		}
		return pid, err
	}
}

// send lets others go on after a message that does not come from an actor.
func (s *seat) send(next actor.SenderFunc) actor.SenderFunc {
	return func(c actor.SenderContext, target *actor.PID, envelope *actor.MessageEnvelope) {
		next(c, target, envelope)
		if k := s.current(); k != nil {
			if k.scheduler != nil {
				k.scheduler.Yield("sent")
			}
		}
	}
}

// seatLog is the log of whoever uses the system.
type seatLog struct{ *seat }

func (l seatLog) Enabled(context.Context, slog.Level) bool { return l.current() != nil }

func (l seatLog) Handle(ctx context.Context, r slog.Record) error {
	if k := l.current(); k != nil {
		return k.log.Handle(ctx, r)
	}
	return nil
}

func (l seatLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	if k := l.current(); k != nil {
		return k.log.WithAttrs(attrs)
	}
	return l
}

func (l seatLog) WithGroup(string) slog.Handler { return l }
