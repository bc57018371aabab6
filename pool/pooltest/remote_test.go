package pooltest_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// watcher spawns an actor that watches what it is sent, or unwatches it for a nil, and
// notes why it ended.
func watcher(k *pooltest.Kit, name string) (*actor.PID, *[]*actor.Terminated) {
	var got []*actor.Terminated
	pid := k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case *actor.PID:
			c.Watch(m)
		case []*actor.PID:
			c.Unwatch(m[0])
		case *actor.Terminated:
			got = append(got, m)
		}
	}), name)
	return pid, &got
}

func TestLossOfAnAddress(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		var dead []any
		s := k.System().EventStream.Subscribe(func(e any) {
			if d, ok := e.(*actor.DeadLetterEvent); ok {
				dead = append(dead, d.Message)
			}
		})
		k.Cleanup(func() { k.System().EventStream.Unsubscribe(s) })
		store := listener(k, "store")
		r := k.Remote("far:8080")
		require.Same(k, r, k.Remote("far:8080"))
		there := r.PID("store")
		elsewhere := k.Remote("near:8080").PID("store")
		w1, got1 := watcher(k, "w1")
		w2, got2 := watcher(k, "w2")
		w3, got3 := watcher(k, "w3")
		k.Send(w1, there)
		k.Send(w1, there) // twice is once
		k.Send(w2, there)
		k.Send(w2, []*actor.PID{there})
		k.Send(w3, elsewhere)
		k.Send(there, 1)
		k.Idle()
		require.Equal(k, []any{1}, store.got)
		require.Empty(k, *got1)

		r.Lose()
		k.Idle()
		require.Len(k, *got1, 1)
		require.True(k, there.Equal((*got1)[0].Who))
		require.Equal(k, actor.TerminatedReason_AddressTerminated, (*got1)[0].Why)
		require.Empty(k, *got2, "it watches no more")
		require.Empty(k, *got3, "it watches at another address")
		require.Equal(k, 1, r.Told())
		k.Send(there, 2)
		k.Send(w2, there)
		k.Idle()
		require.Equal(k, []any{2}, dead)
		require.Equal(k, actor.TerminatedReason_AddressTerminated, (*got2)[0].Why, "who begins to watch is told at once")
		require.Equal(k, []any{1}, store.got, "the actor has not noticed")

		r.Restore()
		k.Send(there, 3)
		k.Idle()
		require.Equal(k, []any{1, 3}, store.got)
		require.Len(k, *got1, 1)
	})
}

func TestRemoteActorEnds(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		store := listener(k, "store")
		r := k.Remote("far:8080")
		w, got := watcher(k, "watcher")
		k.Send(w, r.PID("store"))
		k.Send(w, r.PID("nobody"))
		k.Idle()
		require.Len(k, *got, 1)
		require.Equal(k, "nobody", (*got)[0].Who.Id)
		require.Equal(k, actor.TerminatedReason_NotFound, (*got)[0].Why)
		k.Root().Stop(r.PID("store"))
		k.Idle()
		require.Len(k, *got, 2)
		require.True(k, r.PID("store").Equal((*got)[1].Who))
		require.Equal(k, actor.TerminatedReason_Stopped, (*got)[1].Why)
		_ = store
		r.Lose()
		k.Idle()
		require.Len(k, *got, 2, "nobody watches any more")
	})
}

// A fault on an actor strikes what comes by way of another address, and replies come back.
func TestFaultsOnARemoteActor(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		r := k.Remote("far:8080")
		k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
			if n, ok := c.Message().(int); ok {
				c.Respond(n * n)
			}
		}), "squares")
		h := listener(k, "client")
		fault := k.Faults().On(r.PID("squares")).Once().Drop()
		k.Root().RequestWithCustomSender(r.PID("squares"), 2, h.pid)
		k.Root().RequestWithCustomSender(r.PID("squares"), 3, h.pid)
		k.Advance(time.Second)
		require.Equal(k, []any{9}, h.got)
		require.Equal(k, 1, fault.Struck())
	})
}
