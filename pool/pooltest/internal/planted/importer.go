package planted

import (
	"context"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// Importer has a pool parse rows, counts what comes back, and writes a summary when it is
// told to finish and all is done that came before.
//
// Kind: a drain that misses what is in flight. The importer takes an empty queue for the
// end of the work; a row that a worker has in hand, or whose result is under way, is in no
// queue. The mended importer counts what it has handed out and not got back.
type Importer struct {
	PID     *actor.PID
	Far     *actor.PID // the importer, from far away
	Taken   int        // rows that came before it was told to finish
	Summary int        // rows that it had counted when it had finished

	variant  Variant
	pool     *pool.Pool
	rows     int
	inFlight int
	draining bool
	finished bool
}

type (
	// Row is what the importer has parsed.
	Row struct{ Text string }
	// Drain has the importer finish when all rows are parsed that came before.
	Drain struct{}
)

// StartImporter starts an importer that uses a pool.
func StartImporter(root *actor.RootContext, p *pool.Pool, v Variant) *Importer {
	i := &Importer{variant: v, pool: p}
	i.PID = spawn(root, "importer", func() actor.Actor { return actor.ReceiveFunc(i.receive) })
	i.Far = line(root, "post", 2, i.PID)
	return i
}

func (i *Importer) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case Row:
		if i.draining {
			return // it is for the next import
		}
		i.Taken++
		i.inFlight++
		ctx.Request(i.pool.PID(), &messages.Task{
			Func: func(context.Context) (any, error) { return strings.Split(m.Text, ","), nil },
		})
	case *messages.Result:
		i.inFlight--
		i.rows++
	case Drain:
		i.draining = true
	default:
		return
	}
	if i.draining && !i.finished && i.drained() {
		i.finished, i.Summary = true, i.rows
	}
}

func (i *Importer) drained() bool {
	if i.variant == Mended {
		return i.inFlight == 0
	}
	return i.pool.Stats().Waiting == 0
}
