package harness

import "time"

// NewTestCanary returns a canary whose computation takes as long as compute
// says, and which hands its pauses to sleep.
func NewTestCanary(tries int, patience time.Duration, compute func(threads int) time.Duration, sleep func(time.Duration)) *Canary {
	return &Canary{Tries: tries, Pause: time.Second, Patience: patience, compute: compute, sleep: sleep}
}
