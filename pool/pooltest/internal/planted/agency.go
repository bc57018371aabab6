package planted

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
)

// Agency lends its only worker to one client after another. A client that has waited too
// long gives up.
//
// Kind: a worker leaked at hand-over. The agency hands the worker to a client that has
// given up but whose cancellation is still under way; the client has no use for it, and
// nobody brings it back. The mended client returns a worker that comes too late.
//
// It happened to pools whose callers time out: https://github.com/devinus/poolboy/pull/70,
// https://github.com/general-CbIC/poolex/pull/210,
// https://github.com/inaka/worker_pool/issues/37.
type Agency struct {
	PID           *actor.PID
	First, Second *actor.PID // clients; what the first one does reaches it late
	Idle          int        // workers that can be lent

	queue []*actor.PID
}

type (
	// Hire has a client ask for a worker.
	Hire struct{}
	// Finish has a client return its worker.
	Finish struct{}
	// GiveUp has a client not wait any longer.
	GiveUp struct{}

	checkOut struct{} // client → agency: answered by handOver, sooner or later
	handOver struct{}
	checkIn  struct{} // client → agency
	cancel   struct{} // client → agency: takes a checkOut back
)

// StartAgency starts an agency with one worker, and two clients.
func StartAgency(root *actor.RootContext, v Variant) *Agency {
	a := &Agency{Idle: 1}
	a.PID = spawn(root, "agency", func() actor.Actor { return a })
	client := func() actor.Actor { return &client{variant: v, agency: a.PID} }
	a.First = line(root, "post", 6, spawn(root, "first", client))
	a.Second = spawn(root, "second", client)
	return a
}

// Receive is that of the agency.
func (a *Agency) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case checkOut:
		if a.Idle == 0 {
			a.queue = append(a.queue, ctx.Sender())
			return
		}
		a.Idle--
		ctx.Respond(handOver{})
	case checkIn:
		if len(a.queue) == 0 {
			a.Idle++
			return
		}
		ctx.Send(a.queue[0], handOver{})
		a.queue = a.queue[1:]
	case cancel:
		a.queue = slices.DeleteFunc(a.queue, func(waiting *actor.PID) bool { return waiting.Equal(ctx.Sender()) })
	}
}

type client struct {
	variant         Variant
	agency          *actor.PID
	working, gaveUp bool
}

func (c *client) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case Hire:
		ctx.Request(c.agency, checkOut{})
	case handOver:
		switch {
		case !c.gaveUp:
			c.working = true
		case c.variant == Mended:
			ctx.Send(c.agency, checkIn{})
		}
	case Finish:
		c.finish(ctx)
	case GiveUp:
		if c.working { // it came in time, but there is no use for it any more
			c.finish(ctx)
			return
		}
		c.gaveUp = true
		ctx.Request(c.agency, cancel{})
	}
}

func (c *client) finish(ctx actor.Context) {
	c.working = false
	ctx.Send(c.agency, checkIn{})
}
