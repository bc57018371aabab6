package pooltest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// logBook keeps what is logged in a test, to be shown if that fails. It is a
// slog.Handler.
type logBook struct {
	kit    *Kit
	prefix string // attributes of the logger
	*logLines
}

type logLines struct {
	mu    sync.Mutex
	lines []logLine
}

// logLine is put into words only if it is shown.
type logLine struct {
	at     time.Duration
	text   string
	record *slog.Record // nil: text is all there is
}

func (b *logBook) add(text string) { b.put(logLine{text: text}) }

func (b *logBook) put(l logLine) {
	l.at = b.kit.Elapsed()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, l)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s strings.Builder
	for _, l := range b.lines {
		fmt.Fprintf(&s, "%10v   ", l.at)
		if l.record != nil {
			fmt.Fprintf(&s, "%v %s", l.record.Level, l.record.Message)
			s.WriteString(l.text)
			l.record.Attrs(func(a slog.Attr) bool {
				fmt.Fprintf(&s, " %s=%v", a.Key, a.Value)
				return true
			})
		} else {
			s.WriteString(l.text)
		}
		s.WriteByte('\n')
	}
	return s.String()
}

// Enabled reports true: all is kept.
func (b *logBook) Enabled(context.Context, slog.Level) bool { return true }

// Handle keeps a record.
func (b *logBook) Handle(_ context.Context, r slog.Record) error {
	record := r.Clone()
	b.put(logLine{text: b.prefix, record: &record})
	return nil
}

// WithAttrs is the same log with attributes in each line.
func (b *logBook) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := &logBook{kit: b.kit, prefix: b.prefix, logLines: b.logLines}
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
