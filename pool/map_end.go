package pool

import (
	"context"
	"slices"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// This file is the side of a map that faces those who wait for it, or end it early.

// Run is never called: the root of a map is not queued.
func (j *mapJob[T, R]) Run(context.Context) {}

// Abandon ends the map early. Results of chunks that are under way are left out,
// for they may be written while the caller reads.
func (j *mapJob[T, R]) Abandon(outcome messages.Outcome, err error, _ bool) error {
	j.mu.Lock()
	if outcome != messages.Succeeded { // else a message brought all results
		which := j.whichCompleted()
		j.value = make([]R, j.length)
		for i, completed := range which {
			if completed {
				j.value[i] = j.work.out[i]
			}
		}
		err = &MapError{err, which}
	}
	runners := j.forget()
	j.mu.Unlock()
	for m := range runners.untied {
		m.task.Settle(outcome, err) // takes it out of the queue, or ends its context
	}
	return err
}

// forget lets go of what the map worked on and returns the runners. Those that
// are at work have copies; they find nothing more to take. Called with mu held.
func (j *mapJob[T, R]) forget() (runners *mapRunner[T, R]) {
	runners = j.runners
	j.over.Store(true)
	j.claims.cut()
	j.work, j.runners = mapWork[T, R]{}, nil
	return runners
}

// CancelUnstarted takes back the chunks that nobody has taken.
func (j *mapJob[T, R]) CancelUnstarted() bool {
	j.mu.Lock()
	if j.over.Load() {
		j.mu.Unlock()
		return false
	}
	unstarted := j.claims.cut()
	if j.pinned {
		for m := range j.all {
			if !m.had {
				m.had = true
				unstarted++
			}
		}
	}
	if unstarted > 0 {
		j.troubled(ErrCancelled)
	}
	if j.reported(unstarted) {
		j.completeAndUnlock(nil)
	} else {
		j.mu.Unlock()
	}
	return unstarted > 0
}

// Started reports whether a chunk was taken.
func (j *mapJob[T, R]) Started() bool {
	if !j.pinned {
		return j.claims.hasBegun()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for m := range j.all {
		if m.had {
			return true
		}
	}
	return false
}

// whichCompleted says which items have a result that nobody writes any more.
// Called with mu held.
func (j *mapJob[T, R]) whichCompleted() []bool {
	which := make([]bool, j.length)
	completed := func(low, high int) {
		for i := low; i < high; i++ {
			which[i] = true
		}
	}
	for c := range j.claims.chunks {
		if j.claims.hasEnded(c) {
			completed(j.bounds(c))
		}
	}
	if j.trouble != nil {
		for _, at := range j.trouble.early {
			completed(at-at%j.size, at)
		}
	}
	return which
}

// Accept takes all results from a message.
func (j *mapJob[T, R]) Accept(value any) (func(), error) { return j.accept(value) }

// Assist gives a task that waits for the map a runner to run in place: one that
// is queued, or a new one for the chunks that are left.
func (j *mapJob[T, R]) Assist(worker int, nudge *actors.Nudge) *actors.Task {
	j.mu.Lock()
	left := !j.over.Load() && (j.pinned || j.claims.left() > 0)
	runners := slices.Collect(j.all)
	j.mu.Unlock()
	if !left {
		return nil
	}
	for _, m := range runners {
		if piece := j.task.Router().ClaimFor(&m.task, worker, nudge); piece != nil {
			return piece
		}
	}
	if j.pinned {
		return nil
	}
	m := new(mapRunner[T, R])
	j.mu.Lock()
	j.add(m, false)
	j.mu.Unlock()
	m.task.Start(worker)
	return &m.task
}

// Blockers are the runners that have a chunk, and for the chunks that nobody has
// taken any other.
func (j *mapJob[T, R]) Blockers() (b actors.Blockers) {
	j.mu.Lock()
	defer j.mu.Unlock()
	left := j.claims.left() > 0
	for m := range j.all {
		switch {
		case m.busy || j.pinned:
			b.All = append(b.All, &m.task)
		case left:
			b.Any = append(b.Any, &m.task)
		}
	}
	if len(b.All) > 0 {
		b.Any = nil // those that are busy will take the rest
	}
	return b
}
