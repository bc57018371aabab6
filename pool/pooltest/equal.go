package pooltest

import (
	"reflect"

	"github.com/asynkron/protoactor-go/actor"
)

// equal reports whether two messages say the same. It is reflect.DeepEqual but for two
// things, because of which messages that say the same are different to that:
//
//   - A PID caches the process that it leads to, once something was sent there. Only the
//     address, the id and the request id count.
//   - A protobuf message keeps state of its own, once it was printed or sent. Only its
//     fields count, and what it did not know how to read.
func equal(a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	return deepEqual(reflect.ValueOf(a), reflect.ValueOf(b), map[comparison]bool{})
}

// comparison is one of two pointers, maps or slices that is being made or has been.
type comparison struct {
	a, b uintptr
	len  int // of maps and slices
	of   reflect.Type
}

// deepEqual compares two values. To come to a comparison again that is in seen means that
// nothing differed since, or that the whole has failed already.
func deepEqual(a, b reflect.Value, seen map[comparison]bool) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		c := comparison{a: a.Pointer(), b: b.Pointer(), of: a.Type()}
		if a.Kind() != reflect.Pointer {
			if c.len = a.Len(); b.Len() != c.len {
				return false
			}
		}
		if c.a == c.b || seen[c] {
			return true
		}
		seen[c] = true
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		return deepEqual(a.Elem(), b.Elem(), seen)
	case reflect.Struct:
		for i := range a.NumField() {
			if !cached(a.Type(), i) && !deepEqual(a.Field(i), b.Field(i), seen) {
				return false
			}
		}
		return true
	case reflect.Slice, reflect.Array:
		for i := range a.Len() {
			if !deepEqual(a.Index(i), b.Index(i), seen) {
				return false
			}
		}
		return true
	case reflect.Map:
		for _, key := range a.MapKeys() {
			other := b.MapIndex(key)
			if !other.IsValid() || !deepEqual(a.MapIndex(key), other, seen) {
				return false
			}
		}
		return true
	case reflect.Func:
		return a.IsNil() && b.IsNil()
	}
	return a.Equal(b)
}

var pidType = reflect.TypeFor[actor.PID]()

// cached reports whether a field of a struct says nothing.
func cached(of reflect.Type, field int) bool {
	f := of.Field(field)
	if of == pidType {
		return !f.IsExported()
	}
	state := of.Field(0).Type
	return state.PkgPath() == "google.golang.org/protobuf/internal/impl" && state.Name() == "MessageState" &&
		(field == 0 || f.Name == "sizeCache")
}

func samePID(a, b *actor.PID) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b)
}
