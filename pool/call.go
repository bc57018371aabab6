package pool

import (
	"context"
	"fmt"
	"reflect"
)

// Call calls fn with args on a worker and returns what it returns: CallAsync
// and Get in one.
func Call(ctx context.Context, p *Pool, fn any, args ...any) (any, error) {
	bound, err := bind("Call", fn, args)
	if err != nil {
		return nil, err
	}
	return Apply(ctx, p, bound)
}

// CallAsync has fn, which may be any function, called with args on a worker. If
// the first parameter of fn is a context.Context and args has none for it, fn
// receives the task's context there.
//
// If the last result of fn is an error, it becomes the task's error. Of the
// other results, the value is nil if there is none, the result itself if there
// is one, and a []any if there are several.
//
// The arguments are checked before anything is queued: their number, and that
// each can be assigned to its parameter. The result of a call that does not fit
// carries ErrInvalid with the argument's position, from 1, its type and the
// parameter's. A nil fn or p panics. For a call that the compiler checks, use
// ApplyAsync with a closure.
func CallAsync(ctx context.Context, p *Pool, fn any, args ...any) *AsyncResult[any] {
	bound, err := bind("CallAsync", fn, args)
	if err != nil {
		return refused[any](p, "CallAsync", err)
	}
	return ApplyAsync(ctx, p, bound)
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// bind checks that fn can be called with args and returns that call.
func bind(name string, fn any, args []any) (func(context.Context) (any, error), error) {
	mustHave(fn != nil, name, "function")
	f := reflect.ValueOf(fn)
	if f.Kind() != reflect.Func {
		return nil, fmt.Errorf("%w: %s: %T is not a function", ErrInvalid, name, fn)
	}
	mustHave(!f.IsNil(), name, "function")
	t := f.Type()
	first := 0 // the parameter that takes args[0]
	if t.NumIn() > 0 && t.In(0) == contextType && !startsWithContext(args) {
		first = 1
	}
	if fixed := t.NumIn() - first; !t.IsVariadic() && len(args) != fixed {
		return nil, fmt.Errorf("%w: %s: the number of arguments is %d, but %v takes %d", ErrInvalid, name, len(args), t, fixed)
	} else if t.IsVariadic() && len(args) < fixed-1 {
		return nil, fmt.Errorf("%w: %s: the number of arguments is %d, but %v takes at least %d", ErrInvalid, name, len(args), t, fixed-1)
	}
	in := make([]reflect.Value, first+len(args))
	for i, arg := range args {
		want := parameter(t, first+i)
		value, ok := assignable(arg, want)
		if !ok {
			return nil, fmt.Errorf("%w: %s: cannot use argument %d (%s) as %v in a call of %v", ErrInvalid, name, i+1, typeName(arg), want, t)
		}
		in[first+i] = value
	}
	return func(ctx context.Context) (any, error) {
		if first == 1 {
			in[0] = reflect.ValueOf(&ctx).Elem()
		}
		return results(t, f.Call(in))
	}, nil
}

func startsWithContext(args []any) bool {
	if len(args) == 0 {
		return false
	}
	_, ok := args[0].(context.Context)
	return ok
}

// parameter is the type of the i-th argument, spread if t is variadic.
func parameter(t reflect.Type, i int) reflect.Type {
	if last := t.NumIn() - 1; t.IsVariadic() && i >= last {
		return t.In(last).Elem()
	}
	return t.In(i)
}

func assignable(arg any, want reflect.Type) (reflect.Value, bool) {
	if arg == nil {
		return reflect.Zero(want), canBeNil(want)
	}
	value := reflect.ValueOf(arg)
	return value, value.Type().AssignableTo(want)
}

func canBeNil(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.UnsafePointer:
		return true
	}
	return false
}

func typeName(arg any) string {
	if arg == nil {
		return "nil"
	}
	return "type " + reflect.TypeOf(arg).String()
}

func results(t reflect.Type, out []reflect.Value) (any, error) {
	var err error
	if n := t.NumOut(); n > 0 && t.Out(n-1) == errorType {
		err, _ = out[n-1].Interface().(error)
		out = out[:n-1]
	}
	switch len(out) {
	case 0:
		return nil, err
	case 1:
		return out[0].Interface(), err
	}
	values := make([]any, len(out))
	for i := range out {
		values[i] = out[i].Interface()
	}
	return values, err
}
