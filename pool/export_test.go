package pool

import "github.com/asynkron/protoactor-go/actor"

// SharedSystem is the actor system of the pools that were not given one.
var SharedSystem = sharedSystem

// PIDOf is the address of a pool, asked for by nobody.
func PIDOf(p *Pool) *actor.PID { return p.pid }
