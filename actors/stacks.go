package actors

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// This file finds out where a function is that is at work. Nothing marks a goroutine
// that would cost a task less than being run; but the runtime prints the pointers that
// functions were given, and the objects they point to do not move.

// stackFrame is what a line of a stack says of a function that was called with a
// pointer. Of which functions it says so depends on how they were compiled.
type stackFrame struct {
	functions []string
	argument  string
}

// frameOfTask is one of those by which a task is run: it is their receiver, or the
// context that they are given.
func frameOfTask(t *Task) stackFrame {
	return stackFrame{[]string{"actors.(*Task).perform", ".Run("}, fmt.Sprintf("%p", t)}
}

// frameOfBatch is that of a worker.
func frameOfBatch(b *batch) stackFrame {
	return stackFrame{[]string{"actors.(*worker).run("}, fmt.Sprintf("%p", b)}
}

func (f stackFrame) isIn(stack string) bool {
	for line := range strings.Lines(stack) {
		for _, function := range f.functions {
			if _, arguments, ok := strings.Cut(line, function); ok && strings.Contains(arguments, f.argument) {
				return true
			}
		}
	}
	return false
}

// addStacks looks for the goroutine of each function.
func addStacks(running []RunningTask) {
	if len(running) == 0 {
		return
	}
	goroutines := strings.Split(string(allStacks()), "\n\n")
	for i := range running {
		for _, stack := range goroutines {
			if slices.ContainsFunc(running[i].frames, func(f stackFrame) bool { return f.isIn(stack) }) {
				running[i].Stack = strings.TrimSpace(stack)
				break
			}
		}
	}
}

// maxStacks bounds the memory that the stacks of all goroutines may take.
const maxStacks = 64 << 20

func allStacks() []byte {
	for size := 1 << 20; ; size *= 4 {
		stacks := make([]byte, size)
		if n := runtime.Stack(stacks, true); n < size || size >= maxStacks {
			return bytes.Clone(stacks[:n])
		}
	}
}
