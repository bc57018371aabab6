//go:build !linux

package workloads

import "time"

// pacer wakes its goroutine at about a moment. Where it is late, several tasks
// are submitted together.
type pacer struct{}

func newPacer() (*pacer, error) { return &pacer{}, nil }

func (*pacer) sleep(d time.Duration) error {
	time.Sleep(d)
	return nil
}

func (*pacer) close() error { return nil }
