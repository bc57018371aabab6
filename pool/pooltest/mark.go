package pooltest

import "unsafe"

// mark is what package pprof has set the labels of the calling goroutine to, or nil: the
// same for all goroutines of a strand, and for those that they have started. Go has no
// other way to ask who calls, except to read a number off a stack trace, which takes ten
// times as long as the step itself. The runtime keeps this name for those who need it
// (go.dev/issue/67401).
//
//go:linkname mark runtime/pprof.runtime_getProfLabel
func mark() unsafe.Pointer
