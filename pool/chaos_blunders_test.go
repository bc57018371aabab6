package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/greenroom-go/greenroom/pool"
)

// blunders is a log that fails the test if something panicked that the test did not
// make panic.
type blunders struct{ t testing.TB }

func (b blunders) Enabled(context.Context, slog.Level) bool { return true }
func (b blunders) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b blunders) WithGroup(string) slog.Handler            { return b }
func (b blunders) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			b.see(err)
		}
		return true
	})
	return nil
}

func (b blunders) see(err error) {
	var p *pool.PanicError
	ours := []any{"boom", "callback", "sequence", "decide", "cleanup"}
	if errors.As(err, &p) && !slices.Contains(ours, p.Value) {
		b.t.Errorf("not one of the test's panics: %v", err)
	}
}
