package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestCallTakesAnyFunctionWithItsArguments(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		mine := errors.New("mine")
		type key struct{}
		ctx := context.WithValue(t.Context(), key{}, 7)
		for _, c := range []struct {
			fn   any
			args []any
			want any
			err  error
		}{
			{fn: func() {}, want: nil},
			{fn: func(a, b int) int { return a + b }, args: []any{1, 2}, want: 3},
			{fn: fmt.Sprintf, args: []any{"%d %s", 1, "x"}, want: "1 x"},
			{fn: fmt.Sprint, want: ""},
			{fn: func() error { return mine }, err: mine},
			{fn: func() (int, string, error) { return 1, "x", nil }, want: []any{1, "x"}},
			{fn: func(ctx context.Context, n int) any { return ctx.Value(key{}).(int) + n }, args: []any{1}, want: 8},
			{fn: func(ctx context.Context) any { return ctx.Value(key{}) }, args: []any{context.Background()}, want: nil},
			{fn: func(r io.Reader, e error) bool { return r == nil && e == nil }, args: []any{nil, nil}, want: true},
			{fn: func(xs ...*int) int { return len(xs) }, args: []any{nil, nil}, want: 2},
		} {
			got, err := pool.Call(ctx, p, c.fn, c.args...)
			require.Equal(t, c.err, err)
			require.Equal(t, c.want, got)
		}
	})
}

func TestCallThatDoesNotFitIsRefusedBeforeItIsQueued(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t)
		for _, c := range []struct {
			fn   any
			args []any
			want []string
		}{
			{42, nil, []string{"int is not a function"}},
			{func(int, string) {}, []any{1, 2}, []string{"argument 2 (type int) as string"}},
			{func(context.Context, string) {}, []any{2}, []string{"argument 1 (type int) as string"}},
			{func(int) {}, []any{nil}, []string{"argument 1 (nil) as int"}},
			{func(int) {}, []any{int64(1)}, []string{"argument 1 (type int64) as int"}},
			{func(int) {}, nil, []string{"arguments is 0", "takes 1"}},
			{func() {}, []any{1}, []string{"arguments is 1", "takes 0"}},
			{func(string, ...int) {}, nil, []string{"arguments is 0", "takes at least 1"}},
			{func(string, ...int) {}, []any{"x", 1, "y"}, []string{"argument 3 (type string) as int"}},
		} {
			r := pool.CallAsync(t.Context(), p, c.fn, c.args...)
			require.True(t, r.Ready())
			_, err := r.Get(t.Context())
			require.ErrorIs(t, err, pool.ErrInvalid)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		}
		require.Zero(t, p.Stats().Accepted)
	})
}
