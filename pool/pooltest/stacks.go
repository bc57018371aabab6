package pooltest

import (
	"bytes"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// allStacks are those of all goroutines.
func allStacks() string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return string(buf[:n])
		}
		buf = make([]byte, 2*len(buf))
	}
}

var bubbleHead = regexp.MustCompile(`^goroutine \d+ .*(synctest bubble \d+)\]:`)

// bubbleOf is how the stacks of the goroutines in the caller's bubble are marked, or "".
func bubbleOf() string {
	var buf [256]byte
	if m := bubbleHead.FindSubmatch(buf[:runtime.Stack(buf[:], false)]); m != nil {
		return string(m[1])
	}
	return ""
}

// ofHarness matches the stacks of goroutines that only wait for the others of a bubble.
var ofHarness = regexp.MustCompile(`(?m)testingSynctestTest\(|internal/synctest\.Run\(|pooltest\.\(\*scheduler\)\.loop\(`)

// stacksIn are the stacks of the goroutines in a bubble, except of those that the harness
// itself runs there.
func stacksIn(bubble string) (stacks []string) {
	for _, stack := range strings.Split(allStacks(), "\n\n") {
		head, _, _ := strings.Cut(stack, "\n")
		if strings.Contains(head, bubble+"]") && !ofHarness.MatchString(stack) {
			stacks = append(stacks, strings.TrimSpace(stack))
		}
	}
	return stacks
}

// goroutine is the number of the calling goroutine, read off its stack, which takes some
// microseconds.
func goroutine() uint64 {
	var buf [40]byte
	head := buf[len("goroutine "):runtime.Stack(buf[:], false)]
	n, _ := strconv.ParseUint(string(head[:bytes.IndexByte(head, ' ')]), 10, 64)
	return n
}
