package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// NewBackoff makes waits of which each is twice as long as the one before, from shortest
// to longest, longer or shorter by up to a part of it at random.
func NewBackoff(shortest, longest time.Duration, jitter float64) *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     shortest,
		RandomizationFactor: jitter,
		Multiplier:          2,
		MaxInterval:         longest,
	}
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
