package actors

import (
	"slices"
	"time"
)

// ages says how long the task that has waited longest has waited, without a look at the
// clock for each task: now and then it is noted how many have been submitted so far, and
// what was submitted before a note is at least as old. Guarded by the router's mutex.
type ages struct{ notes []ageNote } // the earliest first

type ageNote struct {
	submitted uint64 // so many by then
	at        time.Duration
}

// maxAgeNotes bounds the memory: beyond, every other note is dropped.
const maxAgeNotes = 64

func (a *ages) note(submitted uint64, at time.Duration) {
	if last := len(a.notes) - 1; last >= 0 && a.notes[last].submitted == submitted {
		return
	}
	if len(a.notes) == maxAgeNotes {
		for i := range maxAgeNotes / 2 {
			a.notes[i] = a.notes[2*i]
		}
		a.notes = a.notes[:maxAgeNotes/2]
	}
	a.notes = append(a.notes, ageNote{submitted, at})
}

// of is how old at least the task is that was submitted as such a one, and so is every
// earlier one; later ones are not asked about any more before it has been taken.
func (a *ages) of(submitted uint64, now time.Duration) time.Duration {
	first := slices.IndexFunc(a.notes, func(n ageNote) bool { return n.submitted >= submitted })
	if first < 0 {
		a.notes = a.notes[:0]
		return 0
	}
	a.notes = slices.Delete(a.notes, 0, first)
	return now - a.notes[0].at
}

// movedUp follows on tasks that left otherwise than by being taken.
func (a *ages) movedUp(gone []uint64) {
	for i := range slices.Backward(a.notes) {
		note := &a.notes[i]
		if note.submitted < gone[0] {
			return
		}
		note.submitted = movedUp(note.submitted, gone)
	}
}

// noteAge is called when the clock was looked at anyhow.
func (r *Router) noteAge(now time.Duration) { r.ages.note(r.submitted(), now) }

// submitted is how many have got a place in the queue so far.
func (r *Router) submitted() uint64 {
	if r.plain {
		return r.line.pushed
	}
	return r.queue.order
}

// age is how long the task that has waited longest has waited, at least.
func (r *Router) age(now time.Duration) time.Duration {
	_, first := r.oldestInLine()
	if t := r.queue.oldest; t != nil {
		at := t.linked().order
		if r.plain {
			at = t.linked().after + 1
		}
		if first == 0 || at < first {
			first = at
		}
	}
	if first == 0 {
		return 0
	}
	return r.ages.of(first, now)
}
