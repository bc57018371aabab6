package pool

import (
	"fmt"

	"github.com/greenroom-go/greenroom/actors"
)

// Report says how a pool has ended, or how far it has come. Its String is a summary in
// a few lines. [actors.Report] has its fields.
type Report = actors.Report

// RunningTask is a function at work. [actors.RunningTask] has its fields.
type RunningTask = actors.RunningTask

// Report says how the pool has ended, or how far it has come: what became of its tasks,
// and which functions are at work, with their stacks. It may be called at any time. If
// functions are at work it stops the world, to find their stacks; to poll, use
// [Pool.Stats].
func (p *Pool) Report() Report { return p.router.Report() }

// UnfinishedError is what [Pool.Shutdown] returns when its context ends first.
type UnfinishedError struct {
	// Report is that of the moment after the pool was terminated; what it says is at
	// work was so when the context ended.
	Report Report
	// Cause is the error of the context.
	Cause error
}

// Error says how many functions were at work, and names them.
func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("shut down: %v with %d functions at work: %v", e.Cause, len(e.Report.Running), e.Report)
}

// Unwrap returns the error of the context.
func (e *UnfinishedError) Unwrap() error { return e.Cause }
