package pooltest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// logBook keeps what is logged in a test, to be shown if that fails. It is a
// slog.Handler.
type logBook struct {
	kit    *Kit
	prefix string // attributes of the logger
	shared *logLines
}

type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (b *logBook) add(line string) {
	s := b.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf("%10v   %s", b.kit.Elapsed(), line))
}

func (b *logBook) String() string {
	s := b.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// Enabled reports true: all is kept.
func (b *logBook) Enabled(context.Context, slog.Level) bool { return true }

// Handle keeps a record.
func (b *logBook) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	fmt.Fprintf(&line, "%v %s%s", r.Level, r.Message, b.prefix)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&line, " %s=%v", a.Key, a.Value)
		return true
	})
	b.add(line.String())
	return nil
}

// WithAttrs is the same log with attributes in each line.
func (b *logBook) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := &logBook{kit: b.kit, prefix: b.prefix, shared: b.shared}
	for _, a := range attrs {
		c.prefix += fmt.Sprintf(" %s=%v", a.Key, a.Value)
	}
	return c
}

// WithGroup is the same log: groups are not shown.
func (b *logBook) WithGroup(string) slog.Handler { return b }

// logWriter adds what is written to the log.
type logWriter struct{ kit *Kit }

func (w logWriter) Write(p []byte) (int, error) {
	w.kit.log.add(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
