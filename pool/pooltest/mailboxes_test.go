package pooltest_test

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestMailboxesConform(t *testing.T) {
	for name, newMailbox := range map[string]func() actor.Mailbox{
		"Proto.Actor's, unbounded":      actor.Unbounded(),
		"Proto.Actor's, without a lock": actor.UnboundedLockfree(),
		"that of a kit":                 func() actor.Mailbox { return pooltest.NewMailbox(t) },
	} {
		t.Run(name, func(t *testing.T) { pooltest.TestMailbox(t, newMailbox) })
	}
}
