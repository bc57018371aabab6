package pool_test

import (
	"context"
	"errors"
	"math"
	"time"
)

// draws are the decisions of a fuzz target, taken from the fuzzer's bytes. When these
// are used up every further decision is the first choice.
type draws struct{ bytes []byte }

func (d *draws) more() bool { return len(d.bytes) > 0 }

func (d *draws) n(n int) int {
	if len(d.bytes) == 0 {
		return 0
	}
	b := d.bytes[0]
	d.bytes = d.bytes[1:]
	return int(b) % n
}

func (d *draws) yes() bool { return d.n(2) == 1 }

func oneOf[T any](d *draws, choices ...T) T { return choices[d.n(len(choices))] }

// duration is one that nobody would ask for, or an ordinary one.
func (d *draws) duration() time.Duration {
	return oneOf(d, 0, time.Second, time.Nanosecond, -1, time.Hour, math.MaxInt64, math.MinInt64)
}

// noContext is a context that panics whatever it is asked.
type noContext struct{ context.Context }

// context is one that nobody would pass, or an ordinary one.
func (d *draws) context() context.Context {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	return oneOf[context.Context](d, nil, context.Background(), over, (*noContext)(nil), noContext{}, brokenContext{context.Background()})
}

var errMine = errors.New("mine")
