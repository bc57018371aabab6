package planted

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
)

// SearchBox shows the results for what was typed last. It has a pool look them up, so that
// it can go on while somebody types.
//
// Kind: a reply overwritten by a late one. The result for what was typed before may come
// after that for what was typed last, and takes its place on the screen. The mended box
// compares what a result is about with what was typed last.
//
// A second reply to a future of Proto.Actor overwrites the first in the same way; the
// write is reported as a data race in https://github.com/asynkron/protoactor-go/issues/1145.
type SearchBox struct {
	PID   *actor.PID
	Far   *actor.PID // the box, from far away
	Last  string     // what was typed last
	Shown any

	variant Variant
	pool    *actor.PID
}

// Typed is a text for which a search box is to show the results.
type Typed struct{ Text string }

// StartSearchBox starts a search box that has a pool at an address look up its results.
func StartSearchBox(root *actor.RootContext, pool *actor.PID, v Variant) *SearchBox {
	b := &SearchBox{variant: v, pool: pool}
	b.PID = spawn(root, "search-box", func() actor.Actor { return actor.ReceiveFunc(b.receive) })
	b.Far = line(root, "cable", 7, b.PID)
	return b
}

func (b *SearchBox) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case Typed:
		b.Last = m.Text
		ctx.Request(b.pool, &messages.Task{
			Func:        func(context.Context) (any, error) { return "results for " + m.Text, nil },
			Correlation: m.Text,
		})
	case *messages.Result:
		if b.variant == Mended && m.Correlation != b.Last {
			return
		}
		b.Shown = m.Value
	}
}
