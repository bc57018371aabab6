package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// slow makes a thumbnail in exactly a second.
func slow(k *pooltest.Kit) shrinker {
	return func(_ context.Context, image string) (string, error) {
		k.Sleep(time.Second)
		return "small " + image, nil
	}
}

// small is what slow makes of an image, as an answer.
func small(image string) thumbnail { return thumbnail{image: image, content: "small " + image} }

// spawnStudio spawns one that makes thumbnails with a function of the test.
func spawnStudio(k *pooltest.Kit, shrink shrinker) *actor.PID {
	k.Helper()
	return k.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return newStudio(shrink) }), "studio")
}

func TestStudioMakesTwoThumbnailsAtATime(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		studio, client := spawnStudio(k, slow(k)), k.Probe("client")
		for _, image := range []string{"cat", "dog", "owl"} {
			client.Request(studio, wanted{image})
		}
		client.ExpectNothing(time.Second - 1)
		client.ExpectInAnyOrder(small("cat"), small("dog"))
		require.Equal(k, time.Second, k.Elapsed())
		client.Expect(small("owl"))
		require.Equal(k, 2*time.Second, k.Elapsed())
	})
}

func TestStudioAnswersWhileItWorks(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		shrinking := pooltest.NewControlled[string](k, "shrinking")
		studio := spawnStudio(k, func(ctx context.Context, _ string) (string, error) { return shrinking.Func(ctx) })
		client, other := k.Probe("client"), k.Probe("other")
		client.Request(studio, wanted{"cat"})
		shrinking.AwaitHolding()
		other.Request(studio, status{})
		other.Expect(1)
		shrinking.Release("small cat")
		client.Expect(small("cat"))
		other.Request(studio, status{})
		other.Expect(0)
	})
}

func TestThumbnailIsMadeOnceForAllWhoWaitForIt(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		made := 0
		studio := spawnStudio(k, func(ctx context.Context, image string) (string, error) {
			made++
			return slow(k)(ctx, image)
		})
		ann, bob := k.Probe("ann"), k.Probe("bob")
		k.Go("bob asks", func() { bob.Request(studio, wanted{"cat"}) })
		ann.Request(studio, wanted{"cat"})
		ann.Expect(small("cat"))
		bob.Expect(small("cat"))
		require.Equal(k, 1, made)
	})
}

func TestImageThatCannotBeReadIsAnError(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		unreadable := errors.New("unreadable")
		studio, client := spawnStudio(k, func(context.Context, string) (string, error) { return "", unreadable }), k.Probe("client")
		client.Request(studio, wanted{"cat"})
		client.Expect(thumbnail{image: "cat", err: unreadable})
	})
}

func TestWorkerThatPanicsCostsOneThumbnail(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		k.Faults().OnWorkers("studio").InTask().Nth(2).Panic("out of memory")
		studio, client := spawnStudio(k, slow(k)), k.Probe("client")
		client.Request(studio, wanted{"cat"})
		client.Expect(small("cat"))
		client.Request(studio, wanted{"dog"})
		var panicked *pool.PanicError
		require.ErrorAs(k, pooltest.ExpectType[thumbnail](client).err, &panicked)
		require.Equal(k, "out of memory", panicked.Value)
		client.Request(studio, wanted{"dog"})
		client.Expect(small("dog"))
		k.SupervisionEvents().ExpectCount(1, "restart of a worker", func(e *actor.SupervisorEvent) bool {
			return e.Directive == actor.RestartDirective
		})
	})
}

func TestStudioThatClosesTakesNoMore(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		studio, client, late := spawnStudio(k, slow(k)), k.Probe("client"), k.Probe("late")
		client.Request(studio, wanted{"cat"})
		k.Send(studio, finish{})
		late.Request(studio, wanted{"owl"})
		late.Expect(thumbnail{image: "owl", err: errClosed})
		require.Zero(k, k.Elapsed())
		client.Expect(small("cat"))
		k.DeadLetters().ExpectNone()
	})
}

// closes has a studio finish that is at work.
func closes(k *pooltest.Kit, studio *actor.PID) {
	client, watcher := k.Probe("client"), k.Probe("watcher")
	watcher.Watch(studio)
	client.Request(studio, wanted{"cat"})
	client.Request(studio, wanted{"dog"})
	k.Send(studio, finish{})
	client.ExpectInAnyOrder(small("cat"), small("dog"))
	watcher.ExpectTerminated(studio)
}

func TestEverybodyIsAnsweredWhenTheStudioCloses(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 200}, func(k *pooltest.Kit) {
		closes(k, spawnStudio(k, slow(k)))
	})
}

func TestShrinkTakesOnlyImages(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		small, err := shrink(k.Context(), "cat.png")
		require.NoError(k, err)
		require.Equal(k, "cat-64x64.png", small)
		_, err = shrink(k.Context(), "notes.txt")
		require.EqualError(k, err, "notes.txt is no image; its name must end in .png")
	})
}
