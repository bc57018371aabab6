package messages

// ToSupervisor is the closed set of messages that only a pool's own parts send
// to its supervisor.
type ToSupervisor interface{ toSupervisor() }

// ToRouter is the closed set of messages that only a pool's own parts send to
// its router.
type ToRouter interface{ toRouter() }

// StartWorkers asks the supervisor to spawn workers. The router's side sends it
// when tasks wait and none of the workers spawned so far is free. The supervisor
// then asks the router's side which others have come to be needed meanwhile. The
// answer is that the workers begin to pull. Lost only together with the
// supervisor, whose end gives every task its end.
type StartWorkers struct {
	// Workers are their numbers, from 1.
	Workers []int
}

// Drained tells the supervisor that a pool that is closed has nothing left to
// do: no task waits or runs, no iterator is being fed, no callback is due. The
// supervisor answers with a poison pill to every worker. It may come more than
// once; all but the first change nothing.
type Drained struct{}

// Terminate tells the supervisor that every task has been given its end and
// that workers shall go as soon as the function they are in returns. Sent once,
// by the pool's Terminate.
type Terminate struct{}

// Drain tells the router to close the pool: accept nothing more and finish what
// was accepted. The supervisor sends it when it receives a poison pill, behind
// all tasks that it forwarded before, so that those are still accepted.
type Drain struct{}

// Pause has the pool take up nothing new, behind the tasks sent before, until Resume
// comes. Anybody may send it to a pool's address. There is no answer; it may be
// repeated. Lost if the pool has ended.
type Pause struct{}

// Resume ends what Pause began. Anybody may send it to a pool's address. There is no
// answer; without a Pause it changes nothing.
type Resume struct{}

// Resize has the pool have that many workers, behind the tasks sent before. Anybody may
// send it to a pool's address; who requests it gets a Resized.
type Resize struct{ Workers int }

// Resized is the answer to a Resize.
type Resized struct {
	// Workers is how many the pool has now.
	Workers int
	// Err is why it could not be done, or nil: ErrInvalid, ErrClosed or ErrBroken.
	Err error
}

func (*StartWorkers) toSupervisor() {}
func (*Drained) toSupervisor()      {}
func (*Terminate) toSupervisor()    {}
func (*Drain) toRouter()            {}
