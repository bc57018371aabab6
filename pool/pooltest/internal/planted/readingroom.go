package planted

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// ReadingRoom is a lock that many readers may hold at once, or one writer.
//
// Kind: unfair starvation. A reader is let in while others read, though a writer waits; if
// the readers, each of whom comes again and again, overlap, the writer waits for as long
// as they come. In the mended room nobody overtakes a writer who waits.
type ReadingRoom struct {
	PID       *actor.PID
	Readers   []*actor.PID
	Writer    *actor.PID // comes a little late
	Overtaken int        // how often a reader was let in while the writer waited

	variant Variant
	reading int
	writing bool
	queue   []entry
}

// Come has a reader or a writer ask to be let in.
type Come struct{}

type (
	entry struct { // reader or writer → room: answered by letIn, sooner or later
		who   *actor.PID
		write bool
	}
	letIn struct{}
	leave struct{ write bool } // reader or writer → room
)

// StartReadingRoom starts a room, a writer who comes once, and two readers, each of whom
// comes so many times.
func StartReadingRoom(root *actor.RootContext, visits int, v Variant) *ReadingRoom {
	r := &ReadingRoom{variant: v}
	r.PID = spawn(root, "room", func() actor.Actor { return r })
	for n := range 2 {
		name := fmt.Sprintf("reader-%d", n+1)
		reader := &visitor{room: r.PID, visits: visits}
		pid := spawn(root, name, func() actor.Actor { return reader })
		reader.home = line(root, name+"-home", 1, pid)
		r.Readers = append(r.Readers, pid)
	}
	r.Writer = line(root, "post", 1, spawn(root, "writer", func() actor.Actor {
		return &visitor{room: r.PID, visits: 1, write: true}
	}))
	return r
}

// Receive is that of the room.
func (r *ReadingRoom) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case entry:
		r.queue = append(r.queue, m)
	case leave:
		if m.write {
			r.writing = false
		} else {
			r.reading--
		}
	default:
		return
	}
	r.admit(ctx)
}

// admit lets in who may come in now.
func (r *ReadingRoom) admit(ctx actor.Context) {
	var waiting []entry
	overtakes := false // those that come next do, in the queue
	for _, e := range r.queue {
		switch {
		case e.write && !r.writing && r.reading == 0 && !overtakes:
			r.writing = true
			ctx.Send(e.who, letIn{})
		case !e.write && !r.writing && (r.variant == Planted || !overtakes):
			if overtakes {
				r.Overtaken++
			}
			r.reading++
			ctx.Send(e.who, letIn{})
		default:
			overtakes = overtakes || e.write
			waiting = append(waiting, e)
		}
	}
	r.queue = waiting
}

// visitor is a reader or a writer, who comes again from home until it has had its visits.
type visitor struct {
	room, home *actor.PID
	visits     int
	write      bool
}

func (v *visitor) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case Come:
		ctx.Send(v.room, entry{ctx.Self(), v.write})
	case letIn:
		ctx.Send(v.room, leave{v.write})
		if v.visits--; v.visits > 0 {
			ctx.Send(v.home, Come{})
		}
	}
}
