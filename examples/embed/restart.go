package main

import (
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// printer loses its pool when it fails: Proto.Actor stops the children of an actor that
// restarts. Its next incarnation spawns another and submits again what was under way,
// which it finds in memory, for that outlives it.
type printer struct {
	memory *memory
	pool   *actor.PID
}

// memory is touched only by the printer, one incarnation after another.
type memory struct {
	stage    *stage
	lives    int
	underWay []int
	paper    chan struct{} // closed when there is some
}

func (p *printer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.memory.lives++
		p.pool = ctx.Spawn(pool.Props(pool.WithWorkers(1)))
		for _, page := range p.memory.underWay {
			fmt.Printf("life %d of the printer: page %d again\n", p.memory.lives, page)
			ctx.Request(p.pool, until(p.memory.paper, page))
		}
	case order:
		p.memory.underWay = append(p.memory.underWay, m.number)
		ctx.Request(p.pool, until(p.memory.paper, m.number))
	case error:
		panic(m)
	case *messages.Result:
		p.result(ctx, m)
	case *actor.Stopped:
		p.memory.stage.end()
	}
}

func (p *printer) result(ctx actor.Context, m *messages.Result) {
	i := slices.Index(p.memory.underWay, m.Correlation.(int))
	if m.Err != nil || i < 0 {
		return // of the pool before
	}
	p.memory.underWay = slices.Delete(p.memory.underWay, i, i+1)
	fmt.Println("page", m.Correlation, "is done")
	if len(p.memory.underWay) == 0 {
		ctx.Stop(ctx.Self())
	}
}

// paperJam has a printer fail with two pages under way.
func paperJam(s *stage) {
	m := &memory{stage: s, paper: make(chan struct{})}
	pid := s.root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &printer{memory: m} }))
	s.root.Send(pid, order{1})
	s.root.Send(pid, order{2})
	s.root.Send(pid, fmt.Errorf("paper jam"))
	close(m.paper)
}
