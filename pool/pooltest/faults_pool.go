package pooltest

import (
	"github.com/asynkron/protoactor-go/actor"
)

// poolProcess is the address of a pool as others see it: a pool has a mailbox of its own,
// so faults on messages to it strike before. It is registered in the place of the pool's
// own process before that handles anything, which the pool relies on: it takes itself for
// gone when another process has its address. What the pool's parts say to one another
// does not come by here.
type poolProcess struct {
	kit *Kit
	own actor.Process
}

// fronted is called when an actor has an address and before it has its first message.
func (s *seat) fronted(ctx actor.Context) {
	k := s.current()
	registry := s.system.ProcessRegistry
	own, ok := registry.GetLocal(ctx.Self().Id)
	if k == nil || !ok {
		return
	}
	registry.LocalPIDs.GetBucket(ctx.Self().Id).Set(ctx.Self().Id, &poolProcess{k, own})
}

func (p *poolProcess) SendUserMessage(pid *actor.PID, message any) {
	p.kit.faults.deliver(pid, message, func(message any) { p.now(pid).SendUserMessage(pid, message) })
}

func (p *poolProcess) SendSystemMessage(pid *actor.PID, message any) {
	p.now(pid).SendSystemMessage(pid, message)
}

func (p *poolProcess) Stop(pid *actor.PID) { p.now(pid).Stop(pid) }

// now is who has the address: a PID keeps a process of this kind after the pool has ended,
// where Proto.Actor would look for another one.
func (p *poolProcess) now(pid *actor.PID) actor.Process {
	process, ok := p.kit.seat.system.ProcessRegistry.GetLocal(pid.Id)
	if front, is := process.(*poolProcess); ok && is {
		return front.own
	}
	return process // the dead letters, if there is none
}
