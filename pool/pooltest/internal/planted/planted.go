// Package planted has small actor programs, each with one concurrency bug of a kind that
// public issues report, and the same program without it. They show what a search for
// interleavings finds, and after how many runs; the tests have the table written. The
// programs know nothing of the harness.
//
// Their fields are touched only inside Receive, and may be read by others when no message
// is under way.
package planted

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// Variant says which of the two versions of a program is meant.
type Variant int

const (
	// Planted is the version with the bug.
	Planted Variant = 1 + iota
	// Mended is the version without it.
	Mended
)

// String is the name of the variant, in lower case.
func (v Variant) String() string {
	switch v {
	case Planted:
		return "planted"
	case Mended:
		return "mended"
	}
	return fmt.Sprintf("Variant(%d)", int(v))
}

// spawn starts an actor whose producer makes its state anew at each restart. It panics if
// the name is taken.
func spawn(root *actor.RootContext, name string, producer actor.Producer) *actor.PID {
	pid, err := root.SpawnNamed(actor.PropsFromProducer(producer), name)
	if err != nil {
		panic(fmt.Sprintf("planted: spawn %q: %v", name, err))
	}
	return pid
}

// line spawns middlemen, each of which passes on what it gets, the last one to an actor,
// and returns the first: what goes through them takes longer than what goes directly, and
// so usually comes later.
func line(root *actor.RootContext, name string, hops int, to *actor.PID) *actor.PID {
	for hop := hops; hop > 0; hop-- {
		next := to
		to = spawn(root, fmt.Sprintf("%s-%d", name, hop), func() actor.Actor { return &middleman{next} })
	}
	return to
}

type middleman struct{ next *actor.PID }

func (m *middleman) Receive(ctx actor.Context) {
	switch message := ctx.Message().(type) {
	case actor.SystemMessage, actor.AutoReceiveMessage:
	default:
		ctx.Send(m.next, message)
	}
}
