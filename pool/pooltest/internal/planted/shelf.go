package planted

import "github.com/asynkron/protoactor-go/actor"

// Shelf holds goods. A customer asks for one, and, told that there is none, asks to be
// woken when there is.
//
// Kind: a lost wake-up. What is put on the shelf between the two questions wakes nobody:
// the customer is not waiting yet, and when it is, nothing more comes. The mended shelf
// looks once more when it is asked to wake somebody.
type Shelf struct {
	PID      *actor.PID
	Customer *actor.PID
	Got      int // what the customer has

	variant Variant
	goods   int
	waiting []*actor.PID
}

// Put brings one of the goods to the shelf.
type Put struct{}

// Fetch has the customer get one of the goods.
type Fetch struct{}

type (
	take   struct{} // customer → shelf: answered by taken or none
	taken  struct{}
	none   struct{}
	wakeMe struct{} // customer → shelf: answered by wakeUp when there are goods
	wakeUp struct{}
)

// StartShelf starts a shelf and its customer, who lives some hops away.
func StartShelf(root *actor.RootContext, v Variant) *Shelf {
	s := &Shelf{variant: v}
	s.PID = spawn(root, "shelf", func() actor.Actor { return actor.ReceiveFunc(s.serve) })
	s.Customer = line(root, "street", 2, spawn(root, "customer", func() actor.Actor { return actor.ReceiveFunc(s.shop) }))
	return s
}

func (s *Shelf) serve(ctx actor.Context) {
	switch ctx.Message().(type) {
	case Put:
		s.goods++
		for _, customer := range s.waiting {
			ctx.Send(customer, wakeUp{})
		}
		s.waiting = nil
	case take:
		if s.goods == 0 {
			ctx.Respond(none{})
			return
		}
		s.goods--
		ctx.Respond(taken{})
	case wakeMe:
		if s.variant == Mended && s.goods > 0 {
			ctx.Respond(wakeUp{})
			return
		}
		s.waiting = append(s.waiting, ctx.Sender())
	}
}

func (s *Shelf) shop(ctx actor.Context) {
	switch ctx.Message().(type) {
	case Fetch, wakeUp:
		ctx.Request(s.PID, take{})
	case none:
		ctx.Request(s.PID, wakeMe{})
	case taken:
		s.Got++
	}
}
