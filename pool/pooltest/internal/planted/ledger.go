package planted

import "github.com/asynkron/protoactor-go/actor"

// Ledger writes amounts into a book. When a page is full it asks the archive for a new
// one, and keeps the amounts that come in the meantime. An amount that makes no sense has
// it panic; its supervisor restarts it.
//
// Kind: messages dropped by a restart. What the ledger keeps is lost with its state,
// though the sender was right to think that it had arrived. The mended ledger sends itself
// what it has kept before it is restarted.
type Ledger struct {
	PID  *actor.PID
	Far  *actor.PID // the ledger, from far away
	Book []int

	variant Variant
	archive *actor.PID
}

type (
	// TurnPage has the ledger begin a new page.
	TurnPage struct{}
	// Amount is what the ledger writes down. It panics if it is negative.
	Amount struct{ Cents int }

	newPage struct{} // ledger → archive: answered by page
	page    struct{}
)

// StartLedger starts a ledger and its archive.
func StartLedger(root *actor.RootContext, v Variant) *Ledger {
	l := &Ledger{variant: v}
	l.archive = spawn(root, "archive", func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(newPage); ok {
				ctx.Respond(page{})
			}
		})
	})
	l.PID = spawn(root, "ledger", func() actor.Actor { return &scribe{Ledger: l} })
	l.Far = line(root, "post", 2, l.PID)
	return l
}

// scribe is what is lost when the ledger restarts.
type scribe struct {
	*Ledger
	open bool  // there is a page to write on
	kept []int // until there is
}

func (s *scribe) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, TurnPage:
		s.open = false
		ctx.Request(s.archive, newPage{})
	case page:
		s.open = true
		s.Book = append(s.Book, s.kept...)
		s.kept = nil
	case Amount:
		s.write(m)
	case *actor.Restarting:
		if s.variant == Mended {
			for _, cents := range s.kept {
				ctx.Send(ctx.Self(), Amount{cents})
			}
		}
	}
}

func (s *scribe) write(m Amount) {
	switch {
	case m.Cents < 0:
		panic("a negative amount")
	case s.open:
		s.Book = append(s.Book, m.Cents)
	default:
		s.kept = append(s.kept, m.Cents)
	}
}
