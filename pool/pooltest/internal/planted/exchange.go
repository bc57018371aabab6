package planted

import "github.com/asynkron/protoactor-go/actor"

// Exchange has one telephone line, and a call on it. Whoever hangs up first ends the
// call: it tells the other end, and the exchange, which has the line free again.
//
// Kind: a double terminate. If both ends hang up before they hear of each other the call
// ends twice, and the exchange has more free lines than it has lines. The mended exchange
// remembers which calls have ended.
type Exchange struct {
	PID  *actor.PID
	A, B *actor.PID // the ends; what B is told reaches it late
	Free int        // lines

	variant Variant
	ended   map[int]bool // by number of the call
}

type (
	// HangUp has an end of a call end it.
	HangUp struct{}

	bye       struct{} // end → other end
	callEnded struct{ call int }
	connected struct{ other *actor.PID } // exchange → end
)

// StartExchange starts an exchange, and a call between two ends.
func StartExchange(root *actor.RootContext, v Variant) *Exchange {
	e := &Exchange{variant: v, ended: map[int]bool{}}
	e.PID = spawn(root, "exchange", func() actor.Actor { return e })
	end := func() actor.Actor { return &end{exchange: e.PID, call: 1} }
	a, b := spawn(root, "a", end), spawn(root, "b", end)
	root.Send(a, connected{b})
	root.Send(b, connected{a})
	e.A, e.B = a, line(root, "hook", 7, b)
	return e
}

// Receive is that of the exchange.
func (e *Exchange) Receive(ctx actor.Context) {
	if m, ok := ctx.Message().(callEnded); ok {
		if e.variant == Mended && e.ended[m.call] {
			return
		}
		e.ended[m.call] = true
		e.Free++
	}
}

// end is one of the two of a call.
type end struct {
	exchange, other *actor.PID
	call            int
	over            bool
}

func (e *end) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case connected:
		e.other = m.other
	case HangUp:
		if !e.over {
			e.over = true
			ctx.Send(e.other, bye{})
			ctx.Send(e.exchange, callEnded{e.call})
		}
	case bye:
		e.over = true
	}
}
