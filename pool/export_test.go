package pool

import "github.com/asynkron/protoactor-go/actor"

// SharedSystem is the actor system of the pools that were not given one.
var SharedSystem = sharedSystem

// PIDOf is the address of a pool, asked for by nobody.
func PIDOf(p *Pool) *actor.PID { return p.pid }

// GroupIsEmpty reports whether nothing is left in the books of a group.
func GroupIsEmpty(g *Group) bool {
	g.tree.mu.Lock()
	defer g.tree.mu.Unlock()
	return g.pending == 0 && g.heldBelow == 0 && g.held.Len() == 0 && g.active.Len() == 0 &&
		len(g.places) == 0 && g.members == memberList{} && g.inActive == nil
}

// StreamOutcome is how a stream has ended, or why it was refused.
func StreamOutcome[R any](s *Stream[R]) (Outcome, error) {
	if !s.state.root.Ready() {
		return 0, ErrNotReady
	}
	return s.state.root.Outcome(), s.state.root.Err()
}

// SystemOf is the actor system in which a pool lives.
func SystemOf(p *Pool) *actor.ActorSystem { return p.system }
