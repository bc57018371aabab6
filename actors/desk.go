package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// desk is the one registered process that stands behind the reply-to addresses
// of a pool's results: the PID's RequestId says which result is meant. A result
// takes a place here when somebody asks for its address, and leaves when it is
// ready. Outcomes that come later are counted; messages that are no outcome, or
// have a value of the wrong type, are dead letters.
type desk struct {
	router *Router

	mu     sync.Mutex
	system *actor.ActorSystem
	pid    *actor.PID // without RequestId
	last   uint32
	round  bool // every number has been given once
	tasks  map[uint32]*Task
}

var _ actor.Process = (*desk)(nil)

func (d *desk) open(system *actor.ActorSystem, poolID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.system = system
	d.tasks = map[uint32]*Task{}
	d.pid, _ = system.ProcessRegistry.Add(d, poolID+"/results")
}

func (d *desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.system != nil {
		d.system.ProcessRegistry.Remove(d.pid)
	}
	d.tasks = nil
}

// assign gives a task a number. A task that is ready gets one that stands for
// nothing: whatever is sent there is late.
func (d *desk) assign(t *Task, ready bool) uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if d.last++; d.last == 0 {
			d.round = true
		}
		if _, taken := d.tasks[d.last]; !taken && d.last != 0 {
			break
		}
	}
	if !ready && d.tasks != nil {
		d.tasks[d.last] = t
	}
	return d.last
}

func (d *desk) forget(id uint32) {
	d.mu.Lock()
	delete(d.tasks, id)
	d.mu.Unlock()
}

func (d *desk) address(id uint32) *actor.PID {
	return &actor.PID{Address: d.pid.Address, Id: d.pid.Id, RequestId: id}
}

// SendUserMessage takes an outcome, on the goroutine of its sender.
func (d *desk) SendUserMessage(pid *actor.PID, message any) {
	result, ok := actor.UnwrapEnvelopeMessage(message).(*messages.Result)
	if !ok || result == nil || pid.RequestId == 0 {
		d.system.DeadLetter.SendUserMessage(pid, message)
		return
	}
	d.mu.Lock()
	t := d.tasks[pid.RequestId]
	known := d.round || pid.RequestId <= d.last
	d.mu.Unlock()
	switch {
	case t == nil && known:
		d.router.late.Add(1)
	case t == nil, !t.accept(result):
		d.system.DeadLetter.SendUserMessage(pid, message)
	}
}

// SendSystemMessage answers a Watch, for a result is no actor that could
// terminate; other system messages mean nothing to it.
func (d *desk) SendSystemMessage(pid *actor.PID, message any) {
	if watch, ok := message.(*actor.Watch); ok {
		watcher, _ := d.system.ProcessRegistry.Get(watch.Watcher)
		watcher.SendSystemMessage(watch.Watcher, &actor.Terminated{Who: pid, Why: actor.TerminatedReason_NotFound})
	}
}

// Stop does nothing: a result ends with its task.
func (d *desk) Stop(*actor.PID) {}
