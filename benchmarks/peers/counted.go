package peers

import "sync"

// counted is part of the runners that cannot tell by themselves when all is
// done. Their documentation has the tasks count down a WaitGroup, and so do we.
type counted struct {
	wg sync.WaitGroup
}

// expect raises the counter once for all tasks, which is the fastest way.
func (c *counted) expect(tasks int) { c.wg.Add(tasks) }

// Bind counts down after fn.
func (c *counted) Bind(fn func()) func() {
	return func() {
		fn()
		c.wg.Done()
	}
}

// uncounted is part of the runners that know by themselves when all is done.
type uncounted struct{}

// Bind adds nothing.
func (uncounted) Bind(fn func()) func() { return fn }
