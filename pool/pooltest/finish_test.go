package pooltest_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestFutureThatNobodyWaitsForRunsOutAtTheEnd(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		silent := k.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
		k.Root().RequestFuture(silent, "anybody?", time.Minute)
	})
}
