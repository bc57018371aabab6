package pooltest

import (
	"bytes"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// FailuresOfRun are the failures of a body that runs as in Run, which fail the test itself
// there.
func FailuresOfRun(t *testing.T, body func(*Kit)) (failures []string) {
	s := takeSeat()
	inBubble(t, func(t *testing.T) {
		k := newKit(&lenient{TB: t}, s, nil)
		over := make(chan struct{})
		go func() {
			defer close(over)
			defer func() {
				if reason := recover(); reason != nil {
					k.panicked(reason)
				}
				k.finish()
				time.Sleep(deadLetterPause)
				s.rise()
			}()
			body(k)
		}()
		<-over
		synctest.Wait()
		for _, f := range k.failures {
			failures = append(failures, f.String())
		}
	})
	giveSeat(s)
	return failures
}

// FailuresOfExplore are those of a run under Explore.
func FailuresOfExplore(t *testing.T, body func(*Kit)) []string {
	f := Search(t, Options{Seeds: 1, Strategy: RandomWalk}, body)
	if f == nil {
		return nil
	}
	return f.Failures
}

// Equal and Show are the comparison and the description of messages.
var Equal, Show = equal, show

// lenient is a test that does not fail.
type lenient struct {
	testing.TB
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *lenient) Fail()    {}
func (l *lenient) FailNow() { runtime.Goexit() }
func (l *lenient) Output() io.Writer {
	return l
}
func (l *lenient) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}
