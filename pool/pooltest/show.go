package pooltest

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
)

const (
	shownBytes    = 300 // of a message
	shownElements = 10  // of a list or a map
)

// show is a message in a line, with its type: what %#v writes, but for PIDs, which are
// their ids, errors, which are their texts, and pointers within, which are only their
// types: what they lead to may be large, and somebody may be changing it.
func show(message any) string {
	if message == nil {
		return "nil"
	}
	var b strings.Builder
	v := reflect.ValueOf(message)
	if v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct && v.Type().Elem() != pidType && !isError(v) {
		b.WriteByte('&')
		v = v.Elem()
	}
	write(&b, v, true)
	if s := b.String(); len(s) > shownBytes {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(s[:shownBytes], ""), len(s))
	}
	return b.String()
}

var errorType = reflect.TypeFor[error]()

// isError reports whether v is an error that may be asked for its text: one in an
// unexported field may not.
func isError(v reflect.Value) bool { return v.CanInterface() && v.Type().Implements(errorType) }

// write writes a value; typed says that its type is to be told where that is not plain.
func write(b *strings.Builder, v reflect.Value, typed bool) {
	t := v.Type()
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			if typed && t.Kind() != reflect.Interface {
				fmt.Fprintf(b, " %v", t)
			}
			return
		}
	}
	switch {
	case t == reflect.PointerTo(pidType):
		fmt.Fprintf(b, "PID(%s)", pidOf(v.Elem()))
		return
	case t == pidType:
		fmt.Fprintf(b, "PID(%s)", pidOf(v))
		return
	case isError(v):
		fmt.Fprintf(b, "%v(%q)", t, v.Interface().(error).Error())
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		write(b, v.Elem(), true)
	case reflect.Struct:
		writeStruct(b, v)
	case reflect.Slice, reflect.Array:
		writeList(b, v)
	case reflect.Map, reflect.Pointer, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		fmt.Fprint(b, t)
		if v.Kind() == reflect.Map {
			fmt.Fprintf(b, " of %d", v.Len())
		}
	default:
		verb := "%v"
		if v.Kind() == reflect.String {
			verb = "%q"
		}
		if plain := t.PkgPath() == "" && (v.Kind() == reflect.String || v.Kind() == reflect.Bool); typed && !plain {
			verb = t.String() + "(" + verb + ")"
		}
		fmt.Fprintf(b, verb, v)
	}
}

func writeStruct(b *strings.Builder, v reflect.Value) {
	fmt.Fprintf(b, "%v{", v.Type())
	comma := ""
	for i := range v.NumField() {
		if f := v.Type().Field(i); !cached(v.Type(), i) && f.Name != "unknownFields" {
			fmt.Fprintf(b, "%s%s: ", comma, f.Name)
			write(b, v.Field(i), false)
			comma = ", "
		}
	}
	b.WriteByte('}')
}

func writeList(b *strings.Builder, v reflect.Value) {
	fmt.Fprintf(b, "%v{", v.Type())
	for i := range min(v.Len(), shownElements) {
		if i > 0 {
			b.WriteString(", ")
		}
		write(b, v.Index(i), false)
	}
	if more := v.Len() - shownElements; more > 0 {
		fmt.Fprintf(b, ", and %d more", more)
	}
	b.WriteByte('}')
}

// pidOf reads a PID by its fields, for it may be in an unexported one.
func pidOf(v reflect.Value) string {
	return showPID(&actor.PID{
		Address:   v.FieldByName("Address").String(),
		Id:        v.FieldByName("Id").String(),
		RequestId: uint32(v.FieldByName("RequestId").Uint()),
	})
}

// localAddress is that of PIDs in a system without remote.
const localAddress = "nonhost"

// showPID is the id of a PID, with its address if that is remote.
func showPID(pid *actor.PID) string {
	if pid == nil {
		return "nobody"
	}
	s := pid.Id
	if pid.Address != localAddress && pid.Address != "" {
		s = pid.Address + "/" + s
	}
	if pid.RequestId != 0 {
		s += fmt.Sprintf("#%d", pid.RequestId)
	}
	return s
}
