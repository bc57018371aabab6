package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const clearLine = noWrap + "\x1b[2K\r" + wrap

// tick lets the time pass, in a bubble, after which the bar is drawn.
func tick() {
	time.Sleep(refresh)
	synctest.Wait()
}

// screen is a terminal, on which stdout and stderr meet.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
	seen int
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// news is what was written since the last look.
func (s *screen) news() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.text.String()[s.seen:]
	s.seen = s.text.Len()
	return text
}

func TestProgressStepsAsideForLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var screen screen
		c := &console{stdout: &screen, stderr: &screen, progress: startProgress(&screen)}
		c.progress.read(5_000_000)
		c.progress.file()
		tick()
		require.Contains(t, screen.news(), "files: 1 (5.0 MB")

		c.line("first")
		require.Equal(t, clearLine+"first\n", screen.news())
		c.line("second")
		require.Equal(t, "second\n", screen.news(), "the bar is still away")

		tick()
		require.Contains(t, screen.news(), "files: 1 (5.0 MB")
		c.fail("name", os.ErrNotExist)
		require.Equal(t, clearLine+"checksum: name: file does not exist\n", screen.news())

		tick()
		require.NotEmpty(t, screen.news())
		c.progress.end()
		require.Equal(t, clearLine, screen.news(), "the bar is gone at the end")
		tick()
		require.Empty(t, screen.news(), "and stays away")
	})
}

func TestProgressNeverWraps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var screen screen
		p := startProgress(&screen)
		tick()
		p.end()
		for drawn := range strings.SplitSeq(strings.TrimSuffix(screen.news(), wrap), wrap) {
			require.True(t, strings.HasPrefix(drawn, noWrap), "%q", drawn)
		}
	})
}

func TestProgressStaysWhenLinesGoElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var screen, file screen
		c := &console{stdout: &file, stderr: &screen, progress: startProgress(&screen), apart: true}
		tick()
		require.NotEmpty(t, screen.news())
		c.line("line")
		require.Equal(t, "line\n", file.news())
		require.Empty(t, screen.news())
		c.progress.end()
		require.Equal(t, clearLine, screen.news())
	})
}

func TestLinesThatMayReachTheTerminal(t *testing.T) {
	r, pipe, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer pipe.Close()
	file, err := os.Create(t.TempDir() + "/file")
	require.NoError(t, err)
	defer file.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	require.True(t, apart(file))
	require.True(t, apart(null))
	require.False(t, apart(pipe))
	require.False(t, apart(&bytes.Buffer{}))
}

func TestProgressOnATerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer terminal.Close()
	require.False(t, apart(terminal))
	p := progressOn(terminal)
	require.NotNil(t, p)
	p.end()
}

func TestProgressOfAQuickRunIsNeverSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var screen screen
		p := startProgress(&screen)
		p.file()
		p.end()
		require.Empty(t, screen.news())
	})
}

func TestNoProgressWithoutATerminal(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	for _, stderr := range []io.Writer{&bytes.Buffer{}, w} {
		p := progressOn(stderr)
		require.Nil(t, p)
		p.read(1)
		p.file()
		p.aside(func() {})
		p.end()
	}
}
