package planted

import "github.com/asynkron/protoactor-go/actor"

// FileServer opens files for writers, who name them by handles from then on.
//
// Kind: stale state after a restart. The server begins to count its handles anew when it
// is restarted, but a writer still has one from before: it may name another's file now. The
// handles of the mended server say in which of its lives they were given, and a writer
// whose handle is refused opens its file again.
type FileServer struct {
	PID           *actor.PID
	First, Second *actor.PID // writers, who are reached late
	Disk          map[string]string

	variant Variant
	lives   int
}

type (
	// Begin has a writer write its file.
	Begin struct{}
	// Crash has the server panic, and restart.
	Crash struct{}

	openFile struct{ file string } // writer → server: answered by opened
	opened   struct{ handle handle }
	write    struct { // writer → server: answered by refused if the handle is unknown
		handle handle
		text   string
	}
	refused struct{}
)

type handle struct{ life, number int }

// StartFileServer starts a server and two writers, each with a file that has its name.
func StartFileServer(root *actor.RootContext, v Variant) *FileServer {
	s := &FileServer{variant: v, Disk: map[string]string{}}
	s.PID = spawn(root, "server", func() actor.Actor {
		s.lives++
		return &life{FileServer: s, files: map[handle]string{}}
	})
	writer := func(name string) *actor.PID {
		return spawn(root, name, func() actor.Actor { return &writer{name: name, server: s.PID} })
	}
	s.First = line(root, "post", 1, writer("first"))
	s.Second = line(root, "cable", 2, writer("second"))
	return s
}

// life is what is lost when the server restarts.
type life struct {
	*FileServer
	last  int
	files map[handle]string
}

func (l *life) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case openFile:
		l.last++
		h := handle{number: l.last}
		if l.variant == Mended {
			h.life = l.lives
		}
		l.files[h] = m.file
		ctx.Respond(opened{h})
	case write:
		file, ok := l.files[m.handle]
		if !ok {
			ctx.Respond(refused{})
			return
		}
		l.Disk[file] += m.text
	case Crash:
		panic("the server crashes")
	}
}

type writer struct {
	name   string
	server *actor.PID
}

func (w *writer) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case Begin, refused:
		ctx.Request(w.server, openFile{w.name})
	case opened:
		ctx.Request(w.server, write{m.handle, "by " + w.name})
	}
}
