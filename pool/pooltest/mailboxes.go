package pooltest

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// TestMailbox checks, in a subtest for each requirement, that a mailbox does what
// Proto.Actor expects of one (actor.Mailbox) and what its own, actor.Unbounded, does: first
// with an actor that the suite plays, then in an actor system, with an actor that restarts
// and stops.
//
// newMailbox is what actor.WithMailbox would take: it returns a mailbox of its own for each
// actor. The mailbox must take any number of messages without blocking.
//
// Some requirements depend on what two processors do at the same time. Each is tried often,
// and finds more with the race detector (go test -race).
//
// It takes some seconds at most, and ends also if the mailbox blocks for ever. It must not
// be called in Run, Explore or synctest.Test.
func TestMailbox(t *testing.T, newMailbox func() actor.Mailbox) {
	t.Helper()
	if newMailbox == nil {
		t.Fatal("pooltest: TestMailbox needs a function that makes mailboxes; it is nil")
	}
	mailboxSuite.test(t, Options{Patience: suitePatience}, newMailbox, nil)
}

var mailboxSuite = suite[actor.Mailbox]{
	{
		{holds: "The constructor returns a mailbox", check: returnsAMailbox},
	},
	{
		{holds: "What was posted before Start is handled after it", check: handlesWhatCameBeforeStart},
		{holds: "It runs only when the dispatcher says so", check: runsByTheDispatcher},
		{holds: "A dispatcher may run it at once", check: runsInPost},
		{holds: "An actor may post to itself", check: postsToItself},
		{holds: "Messages are handled in the order in which they were posted", check: keepsOrder},
		{holds: "System messages are handled before user messages", check: prefersSystemMessages},
		{holds: "A suspended mailbox keeps user messages and handles system messages", check: suspends},
		{holds: "It may be suspended by what it handles", check: suspendsAtOnce},
		{holds: "A panic is escalated once, with its message, and the mailbox goes on", check: escalates},
		{holds: "An actor that failed waits until it is resumed", check: waitsAfterAFailure},
		{holds: "UserMessageCount is how many user messages wait", check: counts},
		{holds: "The messages of a batch are handled one by one", check: unpacks},
		{holds: "With many senders no message is lost, or handled twice, or before an earlier one", check: takesFromMany},
		{holds: "A message to an idle mailbox wakes it", check: wakes},
	},
	{
		{holds: "Messages that wait outlive a restart of the actor", check: outlivesARestart},
		{holds: "An actor stops after the messages before the pill", check: stopsAfterThePill},
	},
}
