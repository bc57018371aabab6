package pooltest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// patience is how long, in virtual time, the kit waits at the end of a test for pools and
// actors to stop.
const patience = time.Hour

// finish ends what the body has left, and reports what does not end. It is called on the
// goroutine of the body.
func (k *Kit) finish() {
	k.cancel()
	for {
		k.mu.Lock()
		n := len(k.cleanups)
		if n == 0 {
			k.mu.Unlock()
			break
		}
		f := k.cleanups[n-1]
		k.cleanups = k.cleanups[:n-1]
		k.mu.Unlock()
		k.cleanUp(f)
	}
	if k.scheduler != nil {
		k.scheduler.calm()
	}
	k.stopPools()
	k.stopActors()
	k.awaitGoroutines()
	k.leaveRemotes()
	k.awaitProcesses()
	k.faults.conclude()
	k.mu.Lock()
	k.over = true
	k.mu.Unlock()
}

func (k *Kit) cleanUp(f func()) {
	defer func() {
		if reason := recover(); reason != nil {
			k.panicked(reason)
		}
	}()
	f()
}

func (k *Kit) stopPools() {
	k.mu.Lock()
	pools := k.pools
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, p := range pools {
		p.Terminate()
		if err := p.Join(ctx); err != nil {
			k.leak("pool %s has not ended %v after it was terminated: %v", p.Name(), patience, err)
			for _, t := range p.Report().Running {
				k.leak("  %s %s: %s", t.Worker, t.Name, t.Stack)
			}
			continue
		}
		s := p.Stats()
		var ended int64
		for _, n := range s.Outcomes {
			ended += n
		}
		if ended != s.Accepted {
			k.leak("pool %s accepted %d tasks and %d of them ended", p.Name(), s.Accepted, ended)
		}
	}
}

// stopActors stops what was spawned from the root; children stop with their parents.
func (k *Kit) stopActors() {
	k.mu.Lock()
	roots := k.roots
	k.mu.Unlock()
	for _, pid := range roots {
		if k.registered(pid) {
			k.seat.plain.Stop(pid)
		}
	}
	k.Idle()
	for until := patience; until > 0 && k.someRegistered(roots); until -= time.Minute {
		k.Advance(time.Minute)
	}
	for _, pid := range roots {
		if k.registered(pid) {
			k.leak("actor %s has not stopped %v after it was told to", pid.Id, patience)
		}
	}
}

func (k *Kit) registered(pid *actor.PID) bool {
	_, ok := k.seat.system.ProcessRegistry.GetLocal(pid.Id)
	return ok
}

func (k *Kit) someRegistered(pids []*actor.PID) bool {
	for _, pid := range pids {
		if k.registered(pid) {
			return true
		}
	}
	return false
}

// awaitGoroutines waits for those that Go has started.
func (k *Kit) awaitGoroutines() {
	k.Idle()
	for until := patience; until > 0; until -= time.Minute {
		k.mu.Lock()
		left := k.goes
		k.mu.Unlock()
		if left == 0 {
			return
		}
		k.Advance(time.Minute)
	}
	k.leak("goroutines that Kit.Go has started have not returned %v after the end of the test", patience)
}

// awaitProcesses waits until nothing of the test is registered: a future that is still
// waited for, say, or what the body has registered itself.
func (k *Kit) awaitProcesses() {
	for until := patience; until > 0 && len(k.seat.registered()) > 0; until -= time.Minute {
		k.Advance(time.Minute)
	}
	for _, id := range k.seat.registered() {
		if !slices.ContainsFunc(k.roots, func(pid *actor.PID) bool { return pid.Id == id }) { // else it has been reported
			k.leak("process %s is still registered %v after the end of the test", id, patience)
		}
	}
}

// leak reports something that is left at the end.
func (k *Kit) leak(format string, args ...any) {
	k.failAt("left at the end", fmt.Sprintf(format, args...))
}

// failAt notes a failure that is not of a line that calls.
func (k *Kit) failAt(where, message string) {
	f := failure{where: where, message: strings.TrimSuffix(message, "\n")}
	k.mu.Lock()
	k.failures = append(k.failures, f)
	k.mu.Unlock()
	if k.scheduler == nil {
		fmt.Fprintln(k.TB.Output(), f)
		k.TB.Fail()
	}
}
