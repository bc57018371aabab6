package pool_test

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

func (p *player) cancel(context.Context, int) {
	if w, ok := p.told.recent(p); ok && w.r.Cancel() {
		w.cancels.Add(1)
	}
}

// answerInPlace answers in the place of a task.
func (p *player) answerInPlace(context.Context, int) {
	if w, ok := p.told.recent(p); ok {
		w.answered.Store(true)
		p.system.Root.Send(w.r.PID(), &messages.Result{Value: byMessage})
	}
}

func (p *player) worker() *actor.PID {
	pid := p.p.PID()
	return actor.NewPID(pid.Address, fmt.Sprintf("%s/worker-%d", pid.Id, 1+p.n(max(p.workers, 4))))
}

// mostWorkers is how many places a pool may come to have.
const mostWorkers = 16

func (p *player) resize(context.Context, int) {
	if !p.resizes {
		return
	}
	if n := 1 + p.n(4); p.n(2) == 0 {
		_ = p.p.Resize(n)
	} else {
		p.system.Root.Send(p.p.PID(), &messages.Resize{Workers: n})
	}
}

func (p *player) killWorker(context.Context, int) { p.system.Root.Stop(p.worker()) }

func (p *player) poisonWorker(context.Context, int) { p.system.Root.Poison(p.worker()) }

func (p *player) pause(context.Context, int) {
	again := time.Duration(p.n(5)) * time.Second
	if p.n(2) == 0 {
		p.system.Root.Send(p.p.PID(), &messages.Pause{})
		p.after(again, func() { p.system.Root.Send(p.p.PID(), &messages.Resume{}) })
	} else if p.p.Pause() {
		p.after(again, p.p.Resume)
	}
}

func (p *player) cancelQueued(context.Context, int) {
	if p.n(4) == 0 {
		p.p.CancelQueued()
	}
}

func (p *player) look(context.Context, int) { _ = p.p.Report().String() }

// doom ends the pool while others are at it.
func (p *player) doom(ctx context.Context) {
	p.sleep(time.Duration(p.n(40)) * time.Second)
	switch p.n(6) {
	case 0:
		p.p.Close()
	case 1:
		p.p.Terminate()
	case 2:
		p.p.Close()
		p.p.CancelQueued()
	case 3:
		ctx, cancel := context.WithTimeout(ctx, time.Duration(p.n(10))*time.Second)
		defer cancel()
		_ = p.p.Shutdown(ctx)
	case 4:
		p.system.Root.Poison(p.p.PID())
	case 5:
		p.system.Root.Stop(p.p.PID())
	}
}
