package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// errClosed is for those who want something of a studio that has been told to finish.
var errClosed = errors.New("the studio is closed")

// shrink stands for what takes time: it makes a thumbnail of the name of the image.
func shrink(ctx context.Context, image string) (string, error) {
	select {
	case <-time.After(10 * time.Millisecond):
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	name, isImage := strings.CutSuffix(image, ".png")
	if !isImage {
		return "", fmt.Errorf("%s is no image; its name must end in .png", image)
	}
	return name + "-64x64.png", nil
}

func main() {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	defer system.Shutdown()
	over := make(chan struct{})
	studio := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return newStudio(shrink) }))
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(studio)
			for _, image := range []string{"cat.png", "cat.png", "dog.png", "notes.txt"} {
				ctx.Request(studio, wanted{image})
			}
			ctx.Send(studio, finish{})
			ctx.Request(studio, wanted{"late.png"})
		case thumbnail:
			if m.err != nil {
				fmt.Printf("%s: %v\n", m.image, m.err)
			} else {
				fmt.Printf("%s: %s\n", m.image, m.content)
			}
		case *actor.Terminated:
			// Behind the thumbnails in the mailbox, which this has overtaken.
			ctx.Send(ctx.Self(), finish{})
		case finish:
			fmt.Println("the studio has closed")
			ctx.Stop(ctx.Self())
		case *actor.Stopped:
			close(over)
		}
	}))
	<-over
}
