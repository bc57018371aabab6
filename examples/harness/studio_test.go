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
func slow(_ context.Context, image string) (string, error) {
	time.Sleep(time.Second)
	return "small " + image, nil
}

// small is what slow makes of an image, as an answer.
func small(image string) thumbnail { return thumbnail{image: image, content: "small " + image} }

// spawnStudio spawns one that makes thumbnails with a function of the test.
func spawnStudio(k *pooltest.Kit, shrink shrinker) *actor.PID {
	k.Helper()
	return k.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return newStudio(shrink) }), "studio")
}

func TestStudioMakesTwoThumbnailsAtATimeAndAnswersMeanwhile(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		studio, client := spawnStudio(k, slow), k.Probe("client")
		client.Request(studio, wanted{"cat"})
		client.Request(studio, wanted{"dog"})
		client.Request(studio, wanted{"owl"})
		client.Request(studio, status{})
		client.Expect(3)
		require.Zero(k, k.Elapsed())
		client.ExpectNothing(time.Second - 1)
		client.ExpectInAnyOrder(small("cat"), small("dog"))
		require.Equal(k, time.Second, k.Elapsed())
		client.Expect(small("owl"))
		require.Equal(k, 2*time.Second, k.Elapsed())
	})
}

func TestThumbnailIsMadeOnceForAllWhoWaitForIt(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 100}, func(k *pooltest.Kit) {
		made := 0
		studio := spawnStudio(k, func(ctx context.Context, image string) (string, error) {
			made++
			return slow(ctx, image)
		})
		ann, bob := k.Probe("ann"), k.Probe("bob")
		k.Go("bob asks", func() { bob.Request(studio, wanted{"cat"}) })
		ann.Request(studio, wanted{"cat"})
		ann.Expect(small("cat"))
		bob.Expect(small("cat"))
		require.Equal(k, 1, made)
	})
}

func TestPanicIsAnsweredAndItsWorkerReplaced(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		studio, client := spawnStudio(k, func(context.Context, string) (string, error) { panic("out of memory") }), k.Probe("client")
		client.Request(studio, wanted{"cat"})
		answer := pooltest.ExpectType[thumbnail](client)
		var panicked *pool.PanicError
		require.ErrorAs(k, answer.err, &panicked)
		require.Equal(k, "out of memory", panicked.Value)
		k.SupervisionEvents().ExpectCount(1, "restart of a worker", func(e *actor.SupervisorEvent) bool {
			return e.Directive == actor.RestartDirective
		})
	})
}

func TestImageThatCannotBeReadIsAnError(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		unreadable := errors.New("unreadable")
		studio, client := spawnStudio(k, func(context.Context, string) (string, error) { return "", unreadable }), k.Probe("client")
		client.Request(studio, wanted{"cat"})
		client.Expect(thumbnail{image: "cat", err: unreadable})
		client.Request(studio, status{})
		client.Expect(0)
	})
}

func TestStudioThatClosesTakesNoMore(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		studio, client, late := spawnStudio(k, slow), k.Probe("client"), k.Probe("late")
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
		closes(k, spawnStudio(k, uneven))
	})
}

// uneven takes longer for some images than for others: those that wake up in one moment run
// at the same time, in an order that no seed repeats.
func uneven(_ context.Context, image string) (string, error) {
	time.Sleep(time.Duration(image[0]) * time.Millisecond)
	return "small " + image, nil
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
