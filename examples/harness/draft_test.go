package main

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// draft is the first version of the studio. To finish, it had its pool finish, and stopped
// when that had: Terminated is a system message, and may overtake the last results, which
// nobody handles then. Its test passed, nearly always.
type draft struct{ *studio }

func (d *draft) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case finish:
		ctx.Poison(d.pool)
	case *actor.Terminated:
		ctx.Stop(ctx.Self())
	default:
		d.studio.Receive(ctx)
	}
}

func TestFirstVersionLostAnswers(t *testing.T) {
	f := pooltest.Search(t, pooltest.Options{}, func(k *pooltest.Kit) {
		closes(k, k.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return &draft{newStudio(slow(k))} }), "studio"))
	})
	require.NotNil(t, f, "no order was found in which it loses an answer")
	require.Contains(t, f.Failures[0], "expected 2 messages in any order, and nothing came")
	t.Log(f) // the order, and what repeats it: go test -v shows it
}
