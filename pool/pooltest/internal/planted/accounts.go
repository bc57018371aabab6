package planted

import "github.com/asynkron/protoactor-go/actor"

// Accounts is an account that moves from one branch of a bank to another. A registrar
// tells both branches of it, the new one through its manager. The old branch sends on what
// is paid in there after the move.
//
// Kind: an order assumption between two senders. The old branch takes it that the new one
// has heard of the account from the registrar, who told them both at once. But messages
// arrive in order only if they have the same sender: what the old branch sends on may come
// first, and is lost. The mended branch keeps it until the account is opened.
type Accounts struct {
	Old, New  *Branch
	Registrar *actor.PID // is reached late
}

// Branch has the account, or has had it, or will have it.
type Branch struct {
	PID     *actor.PID
	Balance int

	variant Variant
	open    bool
	movedTo *actor.PID
	early   int
}

type (
	// Move has the registrar move the account.
	Move struct{}
	// Deposit pays money in.
	Deposit struct{ Cents int }

	openAccount  struct{}                // registrar → manager → new branch
	closeAccount struct{ to *actor.PID } // registrar → old branch
)

// StartAccounts starts two branches, the first of which has the account.
func StartAccounts(root *actor.RootContext, v Variant) *Accounts {
	a := &Accounts{Old: &Branch{variant: v, open: true}, New: &Branch{variant: v}}
	a.Old.PID = spawn(root, "old", func() actor.Actor { return a.Old })
	a.New.PID = spawn(root, "new", func() actor.Actor { return a.New })
	manager := line(root, "manager", 1, a.New.PID)
	a.Registrar = line(root, "post", 2, spawn(root, "registrar", func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(Move); ok {
				ctx.Send(manager, openAccount{})
				ctx.Send(a.Old.PID, closeAccount{a.New.PID})
			}
		})
	}))
	return a
}

// Receive is that of a branch.
func (b *Branch) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case openAccount:
		b.open = true
		b.Balance += b.early
		b.early = 0
	case closeAccount:
		b.open = false
		b.movedTo = m.to
	case Deposit:
		switch {
		case b.open:
			b.Balance += m.Cents
		case b.movedTo != nil:
			ctx.Send(b.movedTo, m)
		case b.variant == Mended:
			b.early += m.Cents
		}
	}
}
