package actors

import (
	"fmt"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// supervisor spawns the router actor and the workers, decides about failures,
// and runs the shutdown. Its fields are touched only inside Receive, and before
// its first message by attach.
//
// Its states:
//
//	serving  → stopping   the pool is drained or terminated: pills are sent
//	stopping → leaving    every worker has terminated and the pool is drained
//	leaving  final        it stops itself
//
// A Stop from outside, or from a parent that stops, skips the rest: Proto.Actor
// stops the children, and every task is terminated.
type supervisor struct {
	router    *Router
	voice     *mouthpiece // our own, for others; nil until attached
	routerPID *actor.PID
	routerBox *mailbox
	worker    *actor.Props      // of every worker
	hired     *mailbox          // of the worker that is being spawned
	workers   []*mailbox        // by number, as long as the worker has not terminated; [0] is unused; grows with the pool
	alive     int               // of those
	resting   map[int]*rest     // by number: workers that wait for their restart; nil until one does
	patience  map[int]*patience // by number; nil until a worker waits
	restarts  []time.Time       // of workers that failed, the latest last, as far as they count
	draining  bool              // a poison pill has come
	stopping  bool
	drained   bool
	leaving   bool
	replaced  bool // another incarnation comes when every child has terminated
	detached  bool
}

// Props describes a pool as an actor. newRouter is called once for each
// incarnation.
func Props(newRouter func() *Router) *actor.Props {
	return withOwnMailbox(
		func() actor.Actor {
			r := newRouter()
			return &supervisor{router: r, workers: make([]*mailbox, r.config.Workers+1)}
		},
		func() actor.Mailbox { return poolMailbox{newMailbox(nil, 0)} },
		// The addresses must be known before anybody can use the pool.
		actor.WithOnInit(func(ctx actor.Context) { ctx.Actor().(*supervisor).attach(ctx) }),
	)
}

// withOwnMailbox describes an actor that has a mailbox of ours, even if somebody who sets
// up all actors of a system, as a spawn middleware can, would give it another one.
func withOwnMailbox(producer actor.Producer, mailbox actor.MailboxProducer, opts ...actor.PropsOption) (own *actor.Props) {
	own = actor.PropsFromProducer(producer, append(opts,
		actor.WithMailbox(mailbox),
		actor.WithSpawnFunc(func(system *actor.ActorSystem, id string, props *actor.Props, parent actor.SpawnerContext) (*actor.PID, error) {
			if props != own {
				changed := *props
				props = changed.Configure(actor.WithMailbox(mailbox))
			}
			return actor.DefaultSpawner(system, id, props, parent)
		}))...)
	return own
}

// poolMailbox makes a poison pill mean what it means for a worker: finish what
// came before, then go. Proto.Actor would stop the pool at once.
type poolMailbox struct{ *mailbox }

func (m poolMailbox) PostUserMessage(message any) {
	if _, ok := actor.UnwrapEnvelopeMessage(message).(*actor.PoisonPill); ok {
		message = &messages.Drain{}
	}
	m.mailbox.PostUserMessage(message)
}

// drain closes the pool behind the tasks that were forwarded before. A router
// that has stopped is told again when it is back.
func (s *supervisor) drain(system *actor.ActorSystem) {
	if s.draining && s.routerPID != nil {
		system.Root.Send(s.routerPID, &messages.Drain{})
	}
}

func (s *supervisor) attach(ctx actor.Context) {
	s.voice = s.router.attach(ctx.ActorSystem(), ctx.Self())
}

// Receive handles the supervisor's own life, its children's, and what the
// router tells it; everything else is for the router.
func (s *supervisor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.started(ctx)
	case *actor.Stopping, *actor.Restarting:
		s.stopped(ctx)
	case *actor.Stopped:
		s.detach()
	case *actor.Terminated:
		s.childTerminated(ctx, m.Who)
	case *messages.StartWorkers:
		if m != nil { // anybody could have sent it
			s.startWorkers(ctx, m.Workers)
		}
	case *rest:
		s.rested(ctx, m)
	case *shrunk:
		s.dismissResting(ctx)
	case *messages.Drain:
		s.draining = true
		s.drain(ctx.ActorSystem())
	case *messages.Drained:
		s.poolDrained(ctx)
	case *messages.Terminate:
		s.poisonWorkers(ctx)
	case *actor.Touch: // Proto.Actor answers it
	default:
		s.forward(ctx)
	}
}

func (s *supervisor) forward(ctx actor.Context) {
	if s.routerPID == nil { // it could not be spawned; the pool is broken
		answerForeign(ctx)
		return
	}
	ctx.Forward(s.routerPID)
}

func (s *supervisor) started(ctx actor.Context) {
	if s.voice == nil { // a restart
		s.attach(ctx)
	}
	if s.router.used() { // a restart of a pool that a *Pool belongs to
		ctx.Stop(ctx.Self())
		return
	}
	s.spawnRouter(ctx)
	if s.router.config.Initializer != nil {
		s.router.StartAll()
	}
}

// routerName is how the router's address goes on behind that of its pool.
const routerName = "router"

func (s *supervisor) spawnRouter(ctx actor.Context) {
	s.routerBox = newMailbox(nil, 0)
	pid, err := ctx.SpawnNamed(withOwnMailbox(
		func() actor.Actor { return routerActor{s.router} },
		func() actor.Mailbox { return s.routerBox },
	), routerName)
	if err != nil {
		s.router.Break(fmt.Errorf("spawn router: %w", err))
		return
	}
	s.routerPID = pid
	s.drain(ctx.ActorSystem())
}

// startWorkers spawns those that a message names, and those that the router has
// come to want since.
//
// Model: hire.
func (s *supervisor) startWorkers(ctx actor.Context, numbers []int) {
	for ; len(numbers) > 0; numbers = s.router.wanted() {
		for _, number := range numbers {
			if s.mayStart(number) {
				s.startWorker(ctx, number)
			}
		}
	}
}

func (s *supervisor) startWorker(ctx actor.Context, number int) {
	if s.worker == nil {
		s.worker = s.workerProps()
	}
	box := newMailbox(s.router, number)
	s.router.installed(number, box)
	s.hired = box
	if _, err := ctx.SpawnNamed(s.worker, workerID(number)); err != nil {
		s.router.Break(fmt.Errorf("spawn worker %d: %w", number, err))
		return
	}
	if missing := number + 1 - len(s.workers); missing > 0 {
		s.workers = append(s.workers, make([]*mailbox, missing)...)
	}
	s.workers[number] = box
	s.alive++
}

// workerProps describes all workers. Each finds its place when it has started; its
// mailbox, which outlives restarts, is made for it. A worker that was stopped is
// replaced with a new mailbox.
func (s *supervisor) workerProps() *actor.Props {
	r := s.router
	return withOwnMailbox(
		func() actor.Actor { return &worker{router: r} },
		func() actor.Mailbox { return s.hired },
	)
}

// mayStart refuses what the router never asks for: anybody could have sent it.
func (s *supervisor) mayStart(number int) bool {
	return !s.stopping && s.router.known(number) && (number >= len(s.workers) || s.workers[number] == nil)
}

// childTerminated replaces what has stopped, or counts it during the shutdown.
//
// Model: gone.
func (s *supervisor) childTerminated(ctx actor.Context, who *actor.PID) {
	number := s.numberOf(ctx, who)
	isWorker := number > 0 && s.workers[number] != nil
	if isWorker {
		s.workers[number] = nil
		s.alive--
		s.wakeUp(number)
		s.router.emitOf(WorkerStopped, number)
	}
	switch {
	case s.stopping:
		s.router.gone(number)
		s.leaveIfDone(ctx)
		s.detachIfReplaced()
	case isWorker && s.router.isBroken():
		s.router.gone(number)
	case isWorker:
		if s.router.vacated(number) {
			s.router.restarts.Add(1)
			s.startWorker(ctx, number)
		}
	case s.routerPID != nil && who.Id == s.routerPID.Id:
		s.spawnRouter(ctx)
	}
}

// numberOf is the number of a worker by its address, or 0.
func (s *supervisor) numberOf(ctx actor.Context, who *actor.PID) int {
	name, ok := strings.CutPrefix(who.Id, ctx.Self().Id)
	if !ok {
		return 0
	}
	number := workerNumber(name)
	if number >= len(s.workers) {
		return 0
	}
	return number
}

func (s *supervisor) poolDrained(ctx actor.Context) {
	if !s.router.isDrained() { // nothing that the router sent
		return
	}
	s.drained = true
	s.poisonWorkers(ctx)
	s.leaveIfDone(ctx)
}

// poisonWorkers broadcasts the poison pill, once. A worker takes it when the
// function it runs has returned; one that is idle takes it here and now, and what
// all of them report then comes to a supervisor that is awake. The pills go
// straight to the mailboxes: for a worker that has stopped by itself, of which we
// have not heard yet, a pill sent to its address would be a dead letter.
//
// Model: poisonWorkers.
func (s *supervisor) poisonWorkers(ctx actor.Context) {
	if s.stopping || !s.drained && !s.router.used() {
		return
	}
	s.stopping = true
	for number, box := range s.workers {
		switch {
		case box == nil:
		case s.wakeUp(number): // it takes no pill while it waits
			ctx.Stop(box.self())
		default:
			box.poison()
		}
	}
	s.leaveIfDone(ctx)
}

// leaveIfDone stops the supervisor, and the router with it, once every worker
// has terminated and the pool has nothing left to do.
//
// Model: leaveIfDone.
func (s *supervisor) leaveIfDone(ctx actor.Context) {
	if s.stopping && s.drained && !s.leaving && s.alive == 0 {
		s.leaving = true
		if s.routerPID != nil {
			s.routerBox.stopIdle() // else it is stopped with us
		}
		ctx.Stop(ctx.Self())
	}
}

// stopped is where a Stop from outside arrives, and our own.
func (s *supervisor) stopped(ctx actor.Context) {
	s.stopping, s.leaving = true, true
	for number := range s.resting {
		s.wakeUp(number)
	}
	s.router.Terminate()
	if _, restarting := ctx.Message().(*actor.Restarting); restarting {
		s.router.desk.close() // the next incarnation opens its own
		s.replaced = true
		s.detachIfReplaced()
	}
}

// detachIfReplaced is the end of the pool of an incarnation that is restarted: it does
// not hear that it has stopped.
func (s *supervisor) detachIfReplaced() {
	if s.replaced && s.alive == 0 {
		s.detach()
	}
}

// detach tells the router, once, that no worker is left.
func (s *supervisor) detach() {
	if !s.detached {
		s.detached = true
		s.router.detach()
	}
}

func (r *Router) used() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state == terminated
}

func (r *Router) isDrained() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.drained
}

func (r *Router) isBroken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken != nil
}
