package pool_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
)

// ownContext is a context to Go, but its type is not context.Context.
type ownContext interface{ context.Context }

// shape is a function that the fuzzer has made up, and how it was called.
type shape struct {
	typ      reflect.Type
	ending   func() // instead of a return; nil: it returns
	returns  []reflect.Value
	received []reflect.Value // in the call
	calls    int
}

func (s *shape) fn() any {
	return reflect.MakeFunc(s.typ, func(in []reflect.Value) []reflect.Value {
		s.calls++
		s.received = in
		if s.ending != nil {
			s.ending()
		}
		return s.returns
	}).Interface()
}

func newShape(d *draws) *shape {
	types := []reflect.Type{
		reflect.TypeFor[int](), reflect.TypeFor[context.Context](), reflect.TypeFor[error](), reflect.TypeFor[any](),
		reflect.TypeFor[string](), reflect.TypeFor[*int](), reflect.TypeFor[[]int](), reflect.TypeFor[io.Reader](),
		reflect.TypeFor[ownContext](), reflect.TypeFor[chan int](), reflect.TypeFor[<-chan int](), reflect.TypeFor[func()](),
		reflect.TypeFor[struct{}](), reflect.TypeFor[[2]string](), reflect.TypeFor[map[string]any](), reflect.TypeFor[[]any](),
		reflect.TypeFor[*fs.PathError](), reflect.TypeFor[*shape](),
	}
	in, out := make([]reflect.Type, d.n(4)), make([]reflect.Type, d.n(4))
	for i := range in {
		in[i] = oneOf(d, types...)
	}
	variadic := d.yes() && len(in) > 0 && in[len(in)-1].Kind() == reflect.Slice
	s := &shape{ending: oneOf(d, nil, nil, nil, func() { panic("boom") }, runtime.Goexit)}
	for i := range out {
		out[i] = oneOf(d, types...)
		v := reflect.New(out[i]).Elem()
		for range 4 {
			if candidate := reflect.ValueOf(newArgument(d)); candidate.IsValid() && candidate.Type().AssignableTo(out[i]) {
				v.Set(candidate)
				break
			}
		}
		s.returns = append(s.returns, v)
	}
	s.typ = reflect.FuncOf(in, out, variadic)
	return s
}

func newArgument(d *draws) any {
	n := 5
	return oneOf[any](d, 1, nil, "x", errMine, context.Background(), &n, []int{1, 2}, []any{nil}, strings.NewReader("x"), make(chan int),
		func() {}, struct{}{}, [2]string{"a"}, map[string]any{}, (*fs.PathError)(nil), (*noContext)(nil), int64(1), (*int)(nil), []int(nil), 1.5)
}

// fits says whether a call fits, by what the documentation of CallAsync says, and
// with what the function must be called behind the task's context, if it gets that.
func (s *shape) fits(args []any) (getsContext, ok bool) {
	var params []reflect.Type
	for i := range s.typ.NumIn() {
		params = append(params, s.typ.In(i))
	}
	if len(params) > 0 && params[0] == reflect.TypeFor[context.Context]() {
		own := false
		if len(args) > 0 {
			_, own = args[0].(context.Context)
		}
		if getsContext = !own; getsContext {
			params = params[1:]
		}
	}
	if s.typ.IsVariadic() {
		last := params[len(params)-1]
		params = params[:len(params)-1]
		for len(params) < len(args) {
			params = append(params, last.Elem())
		}
	}
	if len(args) != len(params) {
		return getsContext, false
	}
	for i, param := range params {
		v := reflect.New(param).Elem()
		if args[i] == nil {
			switch v.Kind() {
			case reflect.Int, reflect.String, reflect.Struct, reflect.Array:
				return getsContext, false
			}
		} else if !reflect.TypeOf(args[i]).AssignableTo(param) {
			return getsContext, false
		}
	}
	return getsContext, true
}

// check looks at what a call that fits has come to.
func (s *shape) check(t *testing.T, getsContext bool, args []any, got any, err error) {
	require.Equal(t, 1, s.calls)
	received := s.received
	if getsContext {
		ctx, ok := received[0].Interface().(context.Context)
		require.True(t, ok)
		require.Error(t, ctx.Err(), "the task's own context has ended with it")
		received = received[1:]
	}
	if s.typ.IsVariadic() {
		last := received[len(received)-1]
		received = received[: len(received)-1 : len(received)-1]
		for i := range last.Len() {
			received = append(received, last.Index(i))
		}
	}
	require.Len(t, received, len(args))
	for i, arg := range args {
		same(t, arg, received[i].Interface())
	}
	if s.ending != nil {
		var panicked *pool.PanicError
		require.True(t, errors.As(err, &panicked) || errors.Is(err, pool.ErrGoexit), "%v", err)
		return
	}
	want := s.returns
	var wantErr error
	if n := len(want); n > 0 && want[n-1].Type() == reflect.TypeFor[error]() {
		wantErr, _ = want[n-1].Interface().(error)
		want = want[:n-1]
	}
	require.True(t, err == wantErr, "%v", err)
	switch len(want) {
	case 0:
		require.Nil(t, got)
	case 1:
		same(t, want[0].Interface(), got)
	default:
		require.Len(t, got, len(want))
		for i := range want {
			same(t, want[i].Interface(), got.([]any)[i])
		}
	}
}

// same compares two values, functions by whether they are nil. A nil argument has the
// type of its parameter when it is received.
func same(t *testing.T, want, got any) {
	t.Helper()
	if v := reflect.ValueOf(got); want == nil && v.IsValid() {
		require.True(t, v.IsZero())
		return
	} else if v.Kind() == reflect.Func {
		require.Equal(t, reflect.ValueOf(want).IsNil(), v.IsNil())
		return
	}
	require.True(t, reflect.DeepEqual(want, got) || reflect.ValueOf(got).Kind() == reflect.Chan, "%#v instead of %#v", got, want)
}

func FuzzCall(f *testing.F) {
	for a := range byte(18) {
		for b := range byte(20) {
			if (a+b)%5 != 0 { // each of both, but not in every pair
				continue
			}
			f.Add([]byte{b, 1, 1, a, 0, 0, a, b, b, 1, b})
			f.Add([]byte{1, 2, 2, 1, a, 0, 0, a, b, 2, 2, b, 1, b})
			f.Add([]byte{2, 2, b, 6, 15, 1, a, 3, a, b, b, 3, b, b, b})
		}
	}
	pool.SharedSystem()
	f.Fuzz(func(t *testing.T, bytes []byte) {
		inBubble(t, func(t *testing.T) {
			d := &draws{bytes}
			p := newPool(t, pool.WithWorkers(1))
			noFunction := d.n(16) == 15
			s := newShape(d)
			fn := s.fn()
			args := make([]any, d.n(5))
			for i := range args {
				args[i] = newArgument(d)
			}
			if noFunction {
				if fn = newArgument(d); fn == nil || reflect.ValueOf(fn).Kind() == reflect.Func {
					return
				}
			}
			call := func() (any, error) { return pool.Call(hour(t), p, fn, args...) }
			if d.yes() {
				call = func() (any, error) { return pool.CallAsync(hour(t), p, fn, args...).Get(hour(t)) }
			}
			got, err := call()
			if getsContext, ok := s.fits(args); ok && !noFunction {
				s.check(t, getsContext, args, got, err)
			} else {
				require.ErrorIs(t, err, pool.ErrInvalid)
				require.Zero(t, s.calls)
				require.Zero(t, p.Stats().Accepted)
			}
			v, err := pool.Apply(hour(t), p, value(42))
			require.NoError(t, err)
			require.Equal(t, 42, v)
		})
	})
}
