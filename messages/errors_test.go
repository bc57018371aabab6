package messages_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
)

func TestPanicError(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		inner error
	}{
		{"unwraps to the error that was the panic's value", fs.ErrNotExist, fs.ErrNotExist},
		{"unwraps to what that error wraps", fmt.Errorf("read: %w", fs.ErrNotExist), fs.ErrNotExist},
		{"unwraps to nothing if the value is no error", "boom", nil},
		{"unwraps to nothing if the value is nil", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := error(&messages.PanicError{Value: c.value, Stack: []byte("the stack")})
			require.Equal(t, fmt.Sprintf("task panicked: %v\n\nthe stack", c.value), err.Error())
			if c.inner == nil {
				require.NoError(t, errors.Unwrap(err))
				return
			}
			require.ErrorIs(t, err, c.inner)
			var panicked *messages.PanicError
			require.ErrorAs(t, fmt.Errorf("wrapped: %w", err), &panicked)
			require.Equal(t, c.value, panicked.Value)
		})
	}
}

// Each error matches itself and, of everything else in this list, nothing but
// what its documentation says.
func TestErrorsMatchOnlyWhatTheySay(t *testing.T) {
	errs := []error{
		context.Canceled, context.DeadlineExceeded,
		messages.ErrClosed, messages.ErrTerminated, messages.ErrBroken, messages.ErrFull,
		messages.ErrDropped, messages.ErrCancelled, messages.ErrTimeout, messages.ErrGoexit,
		messages.ErrDeadlock, messages.ErrNoFunction, messages.ErrForeignMessage,
		messages.ErrKeysUnused, messages.ErrPrioritiesUnused, messages.ErrInvalid,
		messages.ErrRefused,
	}
	also := map[error]error{
		messages.ErrCancelled: context.Canceled,
		messages.ErrTimeout:   context.DeadlineExceeded,
	}
	for _, err := range errs {
		for _, target := range errs {
			want := err == target || also[err] == target
			require.Equal(t, want, errors.Is(err, target), "errors.Is(%q, %q)", err, target)
			require.Equal(t, want, errors.Is(fmt.Errorf("wrapped: %w", err), target), "wrapped: errors.Is(%q, %q)", err, target)
		}
	}
}
