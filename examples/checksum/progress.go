package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows on a terminal how much was hashed. There is no telling how much
// is left, for the walk is not ahead. A nil progress shows nothing.
type progress struct {
	bytes, files atomic.Int64 // so far; added to by workers

	done  chan struct{} // closed to end it
	ended chan struct{}

	mu    sync.Mutex // held while anything is written: the terminal may be that of stdout too
	bar   *progressbar.ProgressBar
	shown bool
}

const refresh = 100 * time.Millisecond

// progressOn returns nil if w is not a terminal.
func progressOn(w io.Writer) *progress {
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return startProgress(w)
}

// apart reports whether what is written to w stays away from the terminal, as in
// a file. In a pipe it may not: its reader may well write to the terminal.
func apart(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) == 0 && !term.IsTerminal(int(f.Fd()))
}

func startProgress(w io.Writer) *progress {
	p := &progress{
		done:  make(chan struct{}),
		ended: make(chan struct{}),
		bar: progressbar.NewOptions64(-1,
			progressbar.OptionSetWriter(oneLine{w}),
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(),
			progressbar.OptionUseANSICodes(true),
			// Otherwise it draws from a goroutine of its own, at times when
			// others write.
			progressbar.OptionSetSpinnerChangeInterval(0),
		),
	}
	p.bar.StartWithoutRender() // for the rate of the first seconds
	go p.run()
	return p
}

// oneLine turns wrapping off for the time of a write: in a narrow terminal a bar
// that wraps would leave a line behind at each drawing, for one line is erased.
type oneLine struct{ terminal io.Writer }

func (o oneLine) Write(b []byte) (int, error) {
	_, err := io.WriteString(o.terminal, noWrap+string(b)+wrap)
	return len(b), err
}

const noWrap, wrap = "\x1b[?7l", "\x1b[?7h"

func (p *progress) run() {
	defer close(p.ended)
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.show()
		case <-p.done:
			return
		}
	}
}

// show draws the bar. That stderr is gone is no reason to stop.
func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.bar.Set64(p.bytes.Load())
	p.bar.Describe(fmt.Sprintf("files: %d", p.files.Load()))
	p.shown = true
}

// read is told that so many bytes were hashed.
func (p *progress) read(n int) {
	if p != nil {
		p.bytes.Add(int64(n))
	}
}

// file is told that a file was hashed.
func (p *progress) file() {
	if p != nil {
		p.files.Add(1)
	}
}

// aside calls write with the bar out of its way.
func (p *progress) aside(write func()) {
	if p == nil {
		write()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hideLocked()
	write()
}

func (p *progress) hideLocked() {
	if p.shown {
		_ = p.bar.Clear()
		p.shown = false
	}
}

// end takes the bar off the screen.
func (p *progress) end() {
	if p == nil {
		return
	}
	close(p.done)
	<-p.ended
	p.aside(func() {})
}
