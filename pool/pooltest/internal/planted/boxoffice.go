package planted

import "github.com/asynkron/protoactor-go/actor"

// BoxOffice sells the last seat of a show, at the counter and through an agent. The agent
// asks whether the seat is free, and then books it.
//
// Kind: check-then-act across two messages. If the seat is sold at the counter after the
// agent has asked and before it has booked, it is sold twice. The mended office checks in
// the message that acts.
type BoxOffice struct {
	PID   *actor.PID
	Agent *actor.PID // is reached late
	Sold  int        // tickets for the only seat

	variant Variant
}

type (
	// Buy has the office, or the agent, try to sell the seat.
	Buy struct{}

	isFree struct{} // agent → office: answered by free if it is
	free   struct{}
	book   struct{} // agent → office
)

// StartBoxOffice starts a box office and an agent.
func StartBoxOffice(root *actor.RootContext, v Variant) *BoxOffice {
	o := &BoxOffice{variant: v}
	o.PID = spawn(root, "office", func() actor.Actor { return o })
	o.Agent = line(root, "switchboard", 2, spawn(root, "agent", func() actor.Actor { return actor.ReceiveFunc(o.agent) }))
	return o
}

// Receive is that of the office.
func (o *BoxOffice) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case Buy:
		if o.Sold == 0 {
			o.Sold++
		}
	case isFree:
		if o.Sold == 0 {
			ctx.Respond(free{})
		}
	case book:
		if o.variant == Mended && o.Sold > 0 {
			return
		}
		o.Sold++
	}
}

func (o *BoxOffice) agent(ctx actor.Context) {
	switch ctx.Message().(type) {
	case Buy:
		ctx.Request(o.PID, isFree{})
	case free:
		ctx.Send(o.PID, book{})
	}
}
