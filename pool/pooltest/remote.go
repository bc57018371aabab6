package pooltest

import (
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// Remote stands for another machine, at an address of its own. Its actors are local ones:
// what is sent to [Remote.PID] of an id arrives at the actor with that id in the system
// of the test, and whoever watches it is told of its end, as by Proto.Actor's remote.
// Messages are not serialized. Faults on such a PID are those of the actor.
//
// [Remote.Lose] is what happens when that machine dies, or the way to it does.
type Remote struct {
	kit     *Kit
	address string
	agent   *actor.PID // watches the actors, for those who watch their remote PIDs

	mu      sync.Mutex
	lost    bool
	losses  int
	told    int // watchers of a loss
	watches []watch
}

// watch is that an actor here watches one there.
type watch struct{ watcher, watchee *actor.PID }

// Remote is the machine at an address. The test fails if that is empty or the one of the
// system itself.
func (k *Kit) Remote(address string) *Remote {
	k.Helper()
	k.inUse("Remote")
	if address == "" || address == k.seat.system.Address() {
		k.Fatalf("Kit.Remote(%q): the address must be that of another machine, as host:port", address)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.remotes {
		if r.address == address {
			return r
		}
	}
	r := &Remote{kit: k, address: address}
	r.agent, _ = k.seat.system.ProcessRegistry.Add(&remoteAgent{r}, "remote/"+address)
	k.remotes = append(k.remotes, r)
	return r
}

// PID is the address of an actor there.
func (r *Remote) PID(id string) *actor.PID { return actor.NewPID(r.address, id) }

// Lose loses the address: whoever watches an actor there gets *actor.Terminated with
// TerminatedReason_AddressTerminated, also if it begins to later, and what is sent there
// is a dead letter. The actors do not notice. The events of package remote are not
// published.
func (r *Remote) Lose() {
	r.kit.inUse("Remote")
	r.mu.Lock()
	watches := r.watches
	r.lost, r.watches = true, nil
	r.losses++
	r.told += len(watches)
	r.mu.Unlock()
	r.kit.Logf("fault: the address %s is lost, and %d watches end", r.address, len(watches))
	for _, w := range watches {
		r.tell(w, actor.TerminatedReason_AddressTerminated)
	}
	r.kit.yield("lost an address")
}

// Restore has the address be reached again. Watches that have ended do not come back.
func (r *Remote) Restore() {
	r.kit.inUse("Remote")
	r.mu.Lock()
	r.lost = false
	r.mu.Unlock()
	r.kit.Logf("the address %s is reached again", r.address)
}

// Told is how many watches have ended because the address was lost.
func (r *Remote) Told() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told
}

// tell tells a watcher that a watch has ended.
func (r *Remote) tell(w watch, why actor.TerminatedReason) {
	if process, ok := r.kit.seat.system.ProcessRegistry.GetLocal(w.watcher.Id); ok {
		process.SendSystemMessage(w.watcher, &actor.Terminated{Who: w.watchee, Why: why})
	}
}

// remoteProcess is a Remote as Proto.Actor sees it: the process of all its addresses.
type remoteProcess struct{ *Remote }

func (r *remoteProcess) SendUserMessage(pid *actor.PID, message any) {
	r.reach(pid).SendUserMessage(pid, message)
}

// reach is who has the id there: the dead letters, if nobody does or the address is lost.
func (r *remoteProcess) reach(pid *actor.PID) actor.Process {
	r.mu.Lock()
	lost := r.lost
	r.mu.Unlock()
	system := r.kit.seat.system
	if process, ok := system.ProcessRegistry.GetLocal(pid.Id); ok && !lost {
		return process
	}
	return system.DeadLetter
}

func (r *remoteProcess) SendSystemMessage(pid *actor.PID, message any) {
	switch m := message.(type) {
	case *actor.Watch:
		r.watch(watch{m.Watcher, pid})
	case *actor.Unwatch:
		r.forget(func(w watch) bool { return w.watcher.Id == m.Watcher.Id && w.watchee.Id == pid.Id })
	default:
		r.reach(pid).SendSystemMessage(pid, message)
	}
}

func (r *remoteProcess) Stop(pid *actor.PID) { r.reach(pid).Stop(pid) }

func (r *remoteProcess) watch(w watch) {
	r.mu.Lock()
	lost := r.lost
	known := slices.ContainsFunc(r.watches, func(o watch) bool { return o.watcher.Id == w.watcher.Id && o.watchee.Id == w.watchee.Id })
	if lost {
		r.told++
	} else if !known {
		r.watches = append(r.watches, w)
	}
	r.mu.Unlock()
	switch process, ok := r.kit.seat.system.ProcessRegistry.GetLocal(w.watchee.Id); {
	case lost:
		r.tell(w, actor.TerminatedReason_AddressTerminated)
	case ok:
		process.SendSystemMessage(w.watchee, &actor.Watch{Watcher: r.agent})
	default:
		r.ended(w.watchee.Id, actor.TerminatedReason_NotFound)
	}
}

// forget ends watches silently, and returns them.
func (r *Remote) forget(which func(watch) bool) (gone []watch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watches = slices.DeleteFunc(slices.Clone(r.watches), func(w watch) bool {
		if which(w) {
			gone = append(gone, w)
			return true
		}
		return false
	})
	return gone
}

// ended tells those who watch an actor there that it has ended.
func (r *Remote) ended(id string, why actor.TerminatedReason) {
	for _, w := range r.forget(func(w watch) bool { return w.watchee.Id == id }) {
		r.tell(w, why)
	}
}

// remoteAgent is told by Proto.Actor when an actor has ended that stands for a remote one.
type remoteAgent struct{ *Remote }

func (a *remoteAgent) SendUserMessage(*actor.PID, any) {}
func (a *remoteAgent) Stop(*actor.PID)                 {}
func (a *remoteAgent) SendSystemMessage(_ *actor.PID, message any) {
	if t, ok := message.(*actor.Terminated); ok {
		a.ended(t.Who.Id, t.Why)
	}
}

// remote resolves the PIDs of the machines of a test.
func (s *seat) remote(pid *actor.PID) (actor.Process, bool) {
	k := s.current()
	if k == nil {
		return nil, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.remotes {
		if r.address == pid.Address {
			return &remoteProcess{r}, true
		}
	}
	return nil, false
}

// leaveRemotes is called when no actor is left.
func (k *Kit) leaveRemotes() {
	k.mu.Lock()
	remotes := k.remotes
	k.mu.Unlock()
	for _, r := range remotes {
		k.seat.system.ProcessRegistry.Remove(r.agent)
	}
}
