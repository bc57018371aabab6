// Harness is a small project of actors with its tests, to copy and begin with: a studio
// that makes thumbnails of images.
//
//	studio.go       the actor, with a pool as its child, and its messages
//	main.go         the program around it
//	studio_test.go  its tests, in virtual time and under many interleavings
//	draft_test.go   how the first version lost answers, and the test that shows it
//
// What to copy:
//
//   - The actor gets what it calls from outside (here the function that makes a thumbnail)
//     when it is made. A test gives it another one: that takes exactly a second
//     (k.Sleep), fails, or waits until the test lets it go on (pooltest.NewControlled).
//
//   - A test is a body within [pooltest.Run]. It spawns the actor with k.Spawn, asks it from
//     a probe, and says what the probe receives, and when: a second is exact, and takes no
//     time. What is left at the end, an actor, a pool, a goroutine, fails the test.
//
//   - A worker that fails does so on demand: k.Faults.
//
//   - Where an order matters (who asks first, what comes before the end), the body goes into
//     [pooltest.Explore], which runs it under one order after another, and prints a line that
//     repeats the one that fails.
//
//   - To see that a test would notice a mistake, have [pooltest.Search] look for it in a
//     version that makes it:
//
//     go test -v -run FirstVersion ./examples/harness
//
// Only the tests import pooltest: it is no part of the program.
//
// [pooltest.Run]: https://pkg.go.dev/github.com/greenroom-go/greenroom/pool/pooltest#Run
// [pooltest.Explore]: https://pkg.go.dev/github.com/greenroom-go/greenroom/pool/pooltest#Explore
// [pooltest.Search]: https://pkg.go.dev/github.com/greenroom-go/greenroom/pool/pooltest#Search
package main
