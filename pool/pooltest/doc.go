// Package pooltest tests message-driven code: code that uses a pool, and any Proto.Actor
// actor, in virtual time ([Run]) and under one interleaving after another, each of which
// can be repeated ([Explore]).
//
// [TestStrategy] and [TestMailbox] check routing strategies and mailboxes that somebody has
// written.
//
// Words:
//
//   - A kit has what a test works with; all of it ends with the test.
//   - Virtual time passes only when nobody has anything to do (testing/synctest).
//   - A strand is an actor or a goroutine that the kit knows of: what does one thing after
//     another. A step is what it does in one turn: handle a message, run a task, go on
//     after a wait.
//   - A probe is an address that records the messages that come to it, and says which are
//     expected ([Kit.Probe]). A recorder does so with events ([Recorder]).
//   - A controlled task does what the test says, when it says so; meanwhile it holds.
//   - A fault is what goes wrong because the test says so: it has a place, a trigger and an
//     effect, and strikes.
//   - A run is one execution of a test body by Explore. A seed, or a replay, says in which
//     order its steps come.
package pooltest
