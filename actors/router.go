package actors

import (
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// Unlimited is a queue limit that is never reached.
const Unlimited = -1

// Policy says what happens to a task that finds the queue full.
type Policy uint8

const (
	// WaitForRoom holds the submitter until there is room or its context ends.
	WaitForRoom Policy = iota
	// Reject refuses the new task with ErrFull.
	Reject
	// DropOldest ends the task that has waited longest with ErrDropped.
	DropOldest
	// CallerRuns runs the new task in the submitter's place, beside the workers.
	CallerRuns

	policies
)

// Valid reports whether p is one of the policies.
func (p Policy) Valid() bool { return p < policies }

// Config is what a pool is made of. All fields are required, except
// Initializer, which may be nil.
type Config struct {
	Name        string
	Workers     int
	Limit       int // of waiting tasks, or Unlimited
	Policy      Policy
	Strategy    Strategy
	Initializer func(context.Context) error
	Logger      *slog.Logger
}

// The states of a pool:
//
//	open       → closing, terminated
//	closing    → terminated
//	terminated final
//
// An open or closing pool may also be broken, which is final: it refuses tasks
// and ends those that wait, but goes through closing and terminated as usual.
const (
	open = iota
	closing
	terminated
)

// Router owns a pool's queue, its idle workers and its life cycle. Its methods
// may be called from any goroutine. Fields below mu are guarded by it.
type Router struct {
	config   Config
	usesKeys bool // what the strategy says, asked once
	lane     lane
	desk     desk
	life     context.Context // ends with Terminate; the initializers' context
	kill     context.CancelCauseFunc
	ended    chan struct{} // closed when nothing of the pool is left
	ready    chan struct{} // closed when every worker is initialized, or never will be

	late     atomic.Int64
	restarts atomic.Int64
	outcomes [messages.Outcomes]atomic.Int64

	mu          sync.Mutex
	supervisor  *mouthpiece // nil until attached
	state       int
	broken      error
	queue       queue
	slots       []slot // by worker number; [0] is unused
	idle        idleList
	unstarted   int   // every slot before this one has been started
	pendingRun  []int // slots to start as soon as there is a supervisor
	busy        int   // workers that run a task
	initialized int
	readyErr    error
	waiters     list.List          // submitters that wait for room, first come first served
	roots       map[*Task]struct{} // maps and streams under way
	beside      map[*Task]struct{} // tasks run in place or by the caller
	accepted    int64
	outstanding int // accepted and not yet ready
	attendants  int // goroutines that serve the pool: feeders, the lane
	drained     bool
	stopped     bool // the supervisor has stopped
}

// slot is a worker's place, which outlives the worker actors that fill it.
type slot struct {
	number      int
	started     bool
	initialized bool
	parked      bool     // in the idle list
	running     *Task    // the task it runs, not those run in place in it
	box         *mailbox // of the present worker
	prev, next  *slot    // in the idle list
}

// NewRouter makes the router of a pool that has no actors yet.
func NewRouter(c Config) *Router {
	r := &Router{
		config:    c,
		usesKeys:  c.Strategy.UsesKeys(),
		ended:     make(chan struct{}),
		ready:     make(chan struct{}),
		slots:     make([]slot, c.Workers+1),
		unstarted: 1,
		roots:     map[*Task]struct{}{},
		beside:    map[*Task]struct{}{},
	}
	r.queue = queue{own: make([]queueList, c.Workers+1), chains: map[string]*chain{}}
	for i := range r.slots {
		r.slots[i].number = i
	}
	r.lane.router, r.desk.router = r, r
	r.life, r.kill = context.WithCancelCause(context.Background())
	return r
}

// Name is the pool's name.
func (r *Router) Name() string { return r.config.Name }

// Workers is the number of workers.
func (r *Router) Workers() int { return r.config.Workers }

// WorkerName is the name of a worker, by number.
func (r *Router) WorkerName(number int) string {
	return fmt.Sprintf("%s/%s", r.config.Name, workerID(number))
}

// effects are what a change of state has to cause once the lock is released:
// sending a message can run subscribers of the event stream.
type effects struct {
	wake      []*mailbox
	start     []int
	drained   bool
	terminate bool
	answers   []answer
}

// answer tells a submitter that waited for room what became of its task.
type answer struct {
	*submitter
	err error
}

// unlock releases the lock and carries out what fx collected.
func (r *Router) unlock(fx *effects) {
	supervisor := r.supervisor
	if supervisor == nil {
		r.pendingRun = append(r.pendingRun, fx.start...)
		fx.start, fx.terminate = nil, false
	}
	r.mu.Unlock()

	for _, box := range fx.wake {
		box.schedule()
	}
	if len(fx.start) > 0 {
		supervisor.tell(&messages.StartWorkers{Workers: fx.start})
	}
	for _, a := range fx.answers {
		a.tell()
	}
	if fx.terminate {
		supervisor.tell(&messages.Terminate{})
	}
	if fx.drained {
		supervisor.tell(&messages.Drained{})
	}
}

// mouthpiece sends messages to the supervisor. They go to its process and not
// by way of the registry: a supervisor that is on its way out, which is not
// always known here, ignores them, where a send to its address would make dead
// letters of them.
type mouthpiece struct {
	process actor.Process
	pid     *actor.PID
}

func (m *mouthpiece) tell(message messages.ToSupervisor) { m.process.SendUserMessage(m.pid, message) }

// attach gives the router its actors' addresses. Called by the supervisor
// before it handles its first message.
func (r *Router) attach(system *actor.ActorSystem, self *actor.PID) {
	var fx effects
	r.mu.Lock()
	process, _ := system.ProcessRegistry.Get(self)
	r.supervisor = &mouthpiece{process, self}
	r.desk.open(system, self.Id)
	fx.start, r.pendingRun = r.pendingRun, nil
	fx.terminate = r.state == terminated
	r.checkDrained(&fx)
	r.unlock(&fx)
}
