package pooltest

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// This file is the Kit as a testing.TB. In Run a failure is one of the test; under Explore
// it is one of the run.

// failure is one that a test has reported.
type failure struct {
	where   string // file:line
	message string
}

// Helper marks the calling function as one whose line is not to be shown.
func (k *Kit) Helper() {
	var pc [1]uintptr
	if runtime.Callers(2, pc[:]) == 0 {
		return
	}
	k.mu.Lock()
	k.helpers[pc[0]] = true
	k.mu.Unlock()
}

// Error is Log and Fail.
func (k *Kit) Error(args ...any) { k.fail(fmt.Sprintln(args...)) }

// Errorf is Logf and Fail.
func (k *Kit) Errorf(format string, args ...any) { k.fail(fmt.Sprintf(format, args...)) }

// Fail marks the test as failed, and goes on.
func (k *Kit) Fail() { k.fail("Fail was called") }

// FailNow marks the test as failed and ends the goroutine.
func (k *Kit) FailNow() {
	if !k.Failed() {
		k.fail("FailNow was called")
	}
	k.end()
}

// Fatal is Log and FailNow.
func (k *Kit) Fatal(args ...any) {
	k.fail(fmt.Sprintln(args...))
	k.end()
}

// Fatalf is Logf and FailNow.
func (k *Kit) Fatalf(format string, args ...any) {
	k.fail(fmt.Sprintf(format, args...))
	k.end()
}

// end ends the goroutine of the body.
func (k *Kit) end() {
	if k.scheduler == nil {
		k.TB.FailNow()
	}
	runtime.Goexit()
}

// Skip is Log and SkipNow.
func (k *Kit) Skip(args ...any) {
	k.TB.Helper()
	k.TB.Log(args...)
	k.SkipNow()
}

// Skipf is Logf and SkipNow.
func (k *Kit) Skipf(format string, args ...any) {
	k.TB.Helper()
	k.TB.Logf(format, args...)
	k.SkipNow()
}

// SkipNow marks the test as skipped and ends the goroutine of the body. Under [Explore]
// there are no further runs then.
func (k *Kit) SkipNow() {
	if k.scheduler == nil {
		k.TB.SkipNow()
	}
	k.mu.Lock()
	k.skipped = true
	k.mu.Unlock()
	runtime.Goexit()
}

// Failed reports whether the test, or this run of it, has failed.
func (k *Kit) Failed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.failures) > 0
}

// Skipped reports whether the test, or this run of it, was skipped.
func (k *Kit) Skipped() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.skipped || k.scheduler == nil && k.TB.Skipped()
}

// Log adds a line to what is shown if the test fails.
func (k *Kit) Log(args ...any) { k.log.add(strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

// Logf adds a line to what is shown if the test fails.
func (k *Kit) Logf(format string, args ...any) { k.log.add(fmt.Sprintf(format, args...)) }

// Output is a writer to Log.
func (k *Kit) Output() io.Writer { return logWriter{k} }

// Cleanup has f called when the body has ended, before the actors stop; the last first.
func (k *Kit) Cleanup(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cleanups = append(k.cleanups, f)
}

// Context ends when the body has.
func (k *Kit) Context() context.Context { return k.context }

// fail notes a failure, with the line of the first caller that is no helper.
func (k *Kit) fail(message string) {
	k.note(failure{message: strings.TrimSuffix(message, "\n"), where: k.callerLine()})
}

// note notes a failure.
func (k *Kit) note(f failure) {
	k.mu.Lock()
	over := k.over
	k.failures = append(k.failures, f)
	k.mu.Unlock()
	if over { // nobody looks at failures any more
		k.TB.Errorf("pooltest: a failure was reported to a Kit after its test, %s, had ended: %s", k.Name(), f)
		return
	}
	if k.scheduler == nil { // Output, where Errorf would name our line
		fmt.Fprintln(k.TB.Output(), f)
		k.TB.Fail()
	}
}

// String is how package testing shows a failure.
func (f failure) String() string { return f.where + ": " + f.message }

// panicked notes a panic of the body. To be called while that is being recovered.
func (k *Kit) panicked(reason any) {
	hint := ""
	if k.scheduler != nil && fmt.Sprint(reason) == "wait already in progress" {
		hint = " (" + waitTaken + ")"
	}
	k.fail(fmt.Sprintf("panic: %v%s\n%s", reason, hint, debug.Stack()))
}

// callerLine is the first line outside of this package, testify, the runtime and what has
// called Helper.
func (k *Kit) callerLine() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	helpers := map[string]bool{}
	k.mu.Lock()
	defer k.mu.Unlock()
	for pc := range k.helpers {
		f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
		helpers[f.Function] = true
	}
	for {
		f, more := frames.Next()
		own := strings.HasPrefix(f.Function, "runtime.") || strings.HasPrefix(f.Function, ownPackage) && !strings.HasSuffix(f.File, "_test.go")
		if !own && !strings.Contains(f.Function, "github.com/stretchr/testify/") && !helpers[f.Function] {
			return fmt.Sprintf("%s:%d", base(f.File), f.Line)
		}
		if !more {
			return "?"
		}
	}
}

// ownPackage begins the names of the functions of this package, and of no other.
var ownPackage = func() string {
	var pc [1]uintptr
	runtime.Callers(1, pc[:])
	f, _ := runtime.CallersFrames(pc[:]).Next()
	return f.Function[:strings.LastIndex(f.Function, "/pooltest.")+len("/pooltest.")]
}()

func base(file string) string { return file[strings.LastIndexByte(file, '/')+1:] }
