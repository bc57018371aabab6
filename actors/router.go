package actors

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

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

// String returns the name of the policy, in lower case.
func (p Policy) String() string {
	return nameOf("policy", uint8(p), []string{"wait for room", "reject", "drop oldest", "caller runs"})
}

// Valid reports whether p is one of the policies.
func (p Policy) Valid() bool { return p < policies }

// Config is what a pool is made of. All fields are required, except Initializer,
// Cleanup and Unfetched, which may be nil.
type Config struct {
	Name                     string
	Workers                  int           // to begin with
	MinWorkers               int           // fewer do not remain; 0: 1
	IdleTimeout              time.Duration // of a worker before it leaves; 0: none
	Overrun                  time.Duration // how long a function may be at work after the end of its task; 0: DefaultOverrun
	Replacements             int           // how many overrun functions are replaced at a time
	Ageing                   int           // by how many submissions a level of priority counts; 0: priorities are not used
	Limit                    int           // of waiting tasks, or Unlimited
	Policy                   Policy
	ShedTarget, ShedInterval time.Duration // see codel; 0: nothing is shed
	Strategy                 Strategy
	Initializer              func(context.Context) (state any, err error)
	InitTimeout              time.Duration                              // of the initializer; 0: any time
	Cleanup                  func(ctx context.Context, state any) error // of a worker that was initialized and ends
	MaxTasks                 int                                        // that a worker runs before it is recycled; 0: any number
	MaxAge                   time.Duration                              // of a worker before it is recycled; 0: any
	Supervision              Supervision
	Unfetched                func(UnfetchedErrors)      // is told at the end; nil: they are logged
	Middleware               []actor.ReceiverMiddleware // around tasks that come as messages
	Publishes                bool                       // events, on the event stream of the actor system
	Logger                   *slog.Logger
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
	config    Config
	plain     bool      // tasks wait in the line: the strategy is the shared queue, and there are neither priorities nor shedding
	mayBatch  bool      // workers may take several tasks at once: who drops the oldest must find it in the line
	usesKeys  bool      // what the strategy says, asked once
	recycles  bool      // workers begin anew after a while
	lends     bool      // the places of idle workers: not of those that do something of their own between tasks, or begin anew because others do
	scheduler Scheduler // nil but under test; set by attach
	injector  Injector  // the same
	lane      lane
	desk      desk
	life      context.Context // ends with Terminate; the initializers' context
	kill      context.CancelCauseFunc
	ended     chan struct{}           // closed when nothing of the pool is left
	slots     atomic.Pointer[[]*slot] // by worker number; [0] belongs to none. Replaced under mu by a longer one
	workers   atomic.Int32            // how many of the places are open. Written under mu

	subscribers subscribers

	goroutines atomic.Int64 // how many a scheduler was told of

	late     atomic.Int64
	restarts atomic.Int64
	recycled atomic.Int64
	retried  atomic.Int64

	unfetched atomic.Int64                    // errors that nobody has asked for
	unasked   *unasked                        // those of them that are kept; nil: none are
	outcomes  [messages.Outcomes]atomic.Int64 // with those of the slots

	// held says that submitters wait for room and none of them has been let in
	// just now. Written under mu; workers read it between two tasks of a batch.
	held atomic.Bool
	// paused says that workers take up nothing new. Written under mu.
	paused atomic.Bool
	_      [64]byte // what follows changes with every task, what stands above is read with every task

	mu        shortMutex
	state     int
	broken    error
	line      line        // tasks that any worker may take and that need nothing else, if the strategy is the shared queue
	queue     queue       // all others
	ages      ages        // of what waits
	codel     codel       // which of those are shed
	outcast   []outcast   // that have been, and have to be told
	uncounted int         // places in the line or in batches that do not count towards the limit
	holes     int         // places that were left in the line though nothing waits there, since it was compacted; some may be gone
	loaned    int         // places in batches, beyond the first of each
	active    int         // workers that have a batch, or whose place is lent
	size      int         // how many tasks a worker takes at once
	idle      slotList    // workers that wait for tasks
	idleTimer *time.Timer // see idle.go
	idleWatch bool        // it is going to fire
	sharing   slotList    // workers whose batch may have places that they have not begun
	coming    int         // idle workers that have been woken for the line and have not come yet
	lingering *slot       // the one of them that was not asleep; nil: none
	starting  int         // workers that are being started for the line and have not come yet
	unstarted int         // every slot before this one has been started, or is closed
	overruns  int64       // ever
	replaced  int         // places of overrun functions in whose stead others were opened
	numbers   []int32     // of the open places; nil: as many as there are, from 1
	accepted  int64

	owner func() any // see KeepWhileBusy
	kept  any        // what owner returned, while there is work

	supervisor  *mouthpiece   // nil until attached
	want        []int         // the numbers of the workers that it has not been told to start
	asked       bool          // it has been told to start some and looks for more afterwards
	initialized int           // of the open places
	ready       chan struct{} // closed when every worker is initialized, or never will be
	readyErr    error
	readying    int // who waits for that; meanwhile a worker that leaves an open place has a successor
	waiters     submitters
	admitting   bool    // one of them has been let in and has not come back yet
	roots       taskSet // maps and streams under way, save those that a place is lent to
	parked      taskSet // tasks that are held back from the queue
	beside      taskSet // tasks run in place or by the caller
	outstanding int     // accepted and not yet ready, or not yet reported
	attendants  int     // goroutines that serve the pool: feeders, the lane
	drained     bool
	stopped     bool      // the supervisor has stopped
	closedAt    time.Time // when it was first closed or terminated
	endedAt     time.Time

	// initializing counts the goroutines of initializers that have a time limit: those
	// that were abandoned keep the pool from its end, but not its workers from theirs.
	initializing int
}

// slot is a worker's place, which outlives the worker actors that fill it.
type slot struct {
	succeeded atomic.Int64        // tasks; written by the worker, read by anybody
	state     atomic.Pointer[any] // what the initializer made; written by the worker, read by tasks
	closed    atomic.Bool         // see resize.go. Written under router.mu

	// Touched only by the worker, or by whom its place is lent to, until it
	// reports to the router.
	ended int // tasks that have ended

	// Guarded by router.mu. The worker reads batch without it, for it is the only
	// one to change it.
	batch      *batch
	box        *mailbox // of the present worker
	lent       *Task    // the task whose submitter has the place
	in         *slotList
	parked     time.Duration // when the worker became idle, since the start of the process, if that matters
	prev, next *slot
	number     int32
	started    bool
	initialized,
	coming, starting bool // counted by the router, see there
	abandoned bool  // its function is overrun, and another place was opened in its stead
	rehired   bool  // it was opened while its worker left, whose successor is to come at once
	leaving   bool  // the worker has been idle for too long, and leaves unless there is something to do
	out       bool  // the worker fails or stops, and will call next when it or another one is there
	failing   bool  // whom its place was lent to has failed, and the worker has not heard of it yet
	lentTo    *Task // the map of which lent is the first piece; nil: none
}

// slotList is a stack of slots from which any can leave. As a list of the idle
// it lets the worker that worked last, whose memory is still in the cache, work
// next.
type slotList struct{ head, tail *slot }

func (l *slotList) push(s *slot) {
	if s.in != nil { // it is in one list at a time
		s.in.remove(s)
	}
	s.in = l
	s.next = l.head
	if l.head != nil {
		l.head.prev = s
	} else {
		l.tail = s
	}
	l.head = s
}

func (l *slotList) remove(s *slot) {
	if s.in != l {
		return
	}
	if s.prev == nil {
		l.head = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		l.tail = s.prev
	}
	s.prev, s.next, s.in = nil, nil, nil
}

// NewRouter makes the router of a pool that has no actors yet.
func NewRouter(c Config) *Router {
	_, plain := c.Strategy.(sharedQueue)
	if c.Overrun == 0 {
		c.Overrun = DefaultOverrun
	}
	c.Limit = min(c.Limit, math.MaxInt-MaxWorkers) // the two are added
	r := &Router{
		config:    c,
		plain:     plain && c.Ageing == 0 && c.ShedTarget == 0,
		codel:     codel{target: c.ShedTarget, interval: c.ShedInterval},
		mayBatch:  c.Policy != DropOldest,
		usesKeys:  c.Strategy.UsesKeys(),
		recycles:  c.MaxTasks > 0 || c.MaxAge > 0,
		lends:     c.MaxTasks == 0 && c.MaxAge == 0 && c.Cleanup == nil && (c.Initializer == nil || c.Supervision.Scope == OneForOne),
		ended:     make(chan struct{}),
		ready:     make(chan struct{}),
		unstarted: 1,
		size:      1,
		roots:     newTaskSet(),
		parked:    newTaskSet(),
		beside:    newTaskSet(),
	}
	r.queue = queue{chains: map[string]*chain{}, ageing: int64(c.Ageing)}
	r.slots.Store(&[]*slot{nil})
	r.addPlaces(c.Workers)
	r.lane.router, r.desk.router = r, r
	if c.Unfetched != nil {
		r.unasked = new(unasked)
	}
	r.life, r.kill = context.WithCancelCause(context.Background())
	return r
}

// KeepWhileBusy has the router refer to what owner returns while there are tasks
// that have not ended. A function given to Go, and a task that runs in the place
// that it borrowed, do not count: their submitters must see to it.
func (r *Router) KeepWhileBusy(owner func() any) {
	r.mu.Lock()
	r.owner = owner
	r.mu.Unlock()
}

// Name is the pool's name.
func (r *Router) Name() string { return r.config.Name }

// WorkerName is the name of a worker, by number.
func (r *Router) WorkerName(number int) string {
	return fmt.Sprintf("%s/%s", r.config.Name, workerID(number))
}

// effects are what a change of state has to cause once the lock is released:
// sending a message can run subscribers of the event stream.
type effects struct {
	wake      *mailbox
	wakeToo   []*mailbox
	ask       bool // for workers
	drained   bool
	terminate bool
	shrunk    bool  // there are workers that wait for their restart at closed places
	recheck   bool  // the waits of the tasks at work
	filed     *Task // see there
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
		fx.terminate = false
	}
	var start []int
	if fx.ask {
		start = r.ask()
	}
	outcasts := r.outcast
	r.outcast = nil
	r.mu.Unlock()

	if fx.wake != nil {
		fx.wake.schedule()
		for _, box := range fx.wakeToo {
			box.schedule()
		}
	}
	if len(start) > 0 {
		supervisor.tell(&messages.StartWorkers{Workers: start})
	}
	for _, a := range fx.answers {
		a.tell()
	}
	for _, o := range outcasts {
		o.end(r)
	}
	if (fx.recheck || fx.filed != nil) && !waitGraph.isEmpty() {
		r.search(fx)
	}
	if fx.terminate {
		supervisor.tell(&messages.Terminate{})
	}
	if fx.drained {
		supervisor.tell(&messages.Drained{})
	}
	if fx.shrunk && supervisor != nil {
		supervisor.tell(&shrunk{})
	}
}

// search breaks the cycles that a change has closed.
func (r *Router) search(fx *effects) {
	if fx.filed != nil {
		waitGraph.filed(fx.filed)
	}
	if fx.recheck {
		r.recheckWaits()
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

func (m *mouthpiece) tell(message any) { m.process.SendUserMessage(m.pid, message) }

// attach gives the router its actors' addresses, and returns the way to the
// supervisor. Called by that before it handles its first message.
func (r *Router) attach(system *actor.ActorSystem, self *actor.PID) *mouthpiece {
	var fx effects
	process, _ := system.ProcessRegistry.Get(self)
	if r.scheduler = schedulerOf(system); r.scheduler != nil {
		r.repeatable()
	}
	r.injector = injectorOf(system)
	supervisor := &mouthpiece{process, self}
	if r.config.Publishes {
		r.forwardEvents(system)
	}
	r.mu.Lock()
	r.supervisor = supervisor
	r.desk.open(system, self.Id)
	fx.ask = true
	fx.terminate = r.state == terminated
	r.checkDrained(&fx)
	r.unlock(&fx)
	return supervisor
}
