package main

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
)

// wanted asks the studio for the thumbnail of an image. It is answered by a thumbnail; after
// finish by one with errClosed.
type wanted struct{ image string }

// thumbnail is the answer to wanted.
type thumbnail struct {
	image   string
	content string
	err     error // nil: content is of use
}

// status asks how many thumbnails are being made. It is answered by an int, at once.
type status struct{}

// finish has the studio take no more, answer those who wait, and stop.
type finish struct{}

// shrinker makes a thumbnail. It may take long; the studio has two at work at a time.
type shrinker func(ctx context.Context, image string) (string, error)

// studio makes a thumbnail once for all who want it at the same time. Its fields are
// touched only inside Receive.
type studio struct {
	shrink  shrinker
	pool    *actor.PID
	clients map[string][]*actor.PID // by image: those who wait for its thumbnail
	closing bool
}

func newStudio(shrink shrinker) *studio {
	return &studio{shrink: shrink, clients: map[string][]*actor.PID{}}
}

// Receive handles the messages above, and the results of the pool.
func (s *studio) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		s.pool = ctx.Spawn(pool.Props(pool.WithWorkers(2), pool.WithName("studio")))
	case wanted:
		s.want(ctx, m.image)
	case *messages.Result:
		s.made(ctx, m)
	case status:
		ctx.Respond(len(s.clients))
	case finish:
		s.closing = true
		s.stopIfDone(ctx)
	}
}

func (s *studio) want(ctx actor.Context, image string) {
	if s.closing {
		ctx.Respond(thumbnail{image: image, err: errClosed})
		return
	}
	waiting := s.clients[image]
	s.clients[image] = append(waiting, ctx.Sender())
	if len(waiting) > 0 { // it is being made
		return
	}
	shrink := s.shrink // the function runs beside us, and leaves our fields alone
	ctx.Request(s.pool, &messages.Task{
		Func:        func(ctx context.Context) (any, error) { return shrink(ctx, image) },
		Correlation: image,
	})
}

func (s *studio) made(ctx actor.Context, m *messages.Result) {
	t := thumbnail{image: m.Correlation.(string), err: m.Err}
	if m.Err == nil {
		t.content = m.Value.(string)
	}
	for _, client := range s.clients[t.image] {
		ctx.Send(client, t)
	}
	delete(s.clients, t.image)
	s.stopIfDone(ctx)
}

// stopIfDone counts: that the pool has terminated would tell us nothing about results, which
// may wait in our mailbox then (draft_test.go).
func (s *studio) stopIfDone(ctx actor.Context) {
	if s.closing && len(s.clients) == 0 {
		ctx.Stop(ctx.Self()) // and the pool with us
	}
}
