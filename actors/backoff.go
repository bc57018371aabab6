package actors

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Backoff is waits of which each is twice as long as the one before, from a shortest to a
// longest, longer or shorter by up to a part of it at random.
type Backoff struct {
	steps  backoff.ExponentialBackOff
	jitter float64
	intN   func(n int) int
}

// NewBackoff makes waits that draw on intN, which returns a number below n at random.
func NewBackoff(shortest, longest time.Duration, jitter float64, intN func(n int) int) *Backoff {
	return &Backoff{
		steps:  backoff.ExponentialBackOff{InitialInterval: shortest, Multiplier: 2, MaxInterval: longest},
		jitter: jitter,
		intN:   intN,
	}
}

// Next is the next wait.
func (b *Backoff) Next() time.Duration {
	const half = 1 << 30
	wait := b.steps.NextBackOff()
	return wait + time.Duration(b.jitter*float64(wait)*(float64(b.intN(2*half))/half-1))
}

// Reset has the shortest be the next.
func (b *Backoff) Reset() { b.steps.Reset() }

// IntN draws a number below n, of a Scheduler if there is one.
func (r *Router) IntN(n int) int {
	if r.scheduler != nil {
		return r.scheduler.IntN(n)
	}
	return rand.IntN(n)
}

// CheckBackoff says what is wrong with a user's MinBackoff, MaxBackoff and Jitter, or
// returns nil.
func CheckBackoff(shortest, longest time.Duration, jitter float64) error {
	var errs []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(shortest < 0, "MinBackoff is %v; it must not be negative", shortest)
	wrong(shortest >= 0 && longest < shortest, "MaxBackoff is %v, less than MinBackoff, %v", longest, shortest)
	wrong(shortest == 0 && longest > 0, "MaxBackoff is %v, but MinBackoff is not set", longest)
	wrong(!(jitter >= 0 && jitter <= 1), "Jitter is %v; it must be from 0 to 1", jitter)
	wrong(shortest == 0 && jitter > 0, "Jitter is %v, but MinBackoff is not set", jitter)
	return errors.Join(errs...)
}
