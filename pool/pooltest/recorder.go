package pooltest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Recorder records things of one kind that happen in a test, in the order in which they
// do. [Kit.DeadLetters], [Kit.SupervisionEvents] and [Kit.PoolEvents] have one each.
//
// What begins with Expect waits until nothing can go on at this time, as [Kit.Idle] does,
// then looks, and ends the goroutine of the body if it fails, with the line of the caller
// and what was recorded last. It is for the body and what [Kit.Go] has started, as an actor
// would wait for itself. All and Count do not wait, and may be called by anybody.
type Recorder[E any] struct {
	kit      *Kit
	what     string // is recorded, in the plural
	describe func(E) string

	mu      sync.Mutex
	entries []entry[E]
	missed  int
}

// entry is something that was recorded.
type entry[E any] struct {
	event E
	at    time.Duration
}

func (r *Recorder[E]) record(e E, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, entry[E]{e, at})
}

// miss notes that n were not recorded.
func (r *Recorder[E]) miss(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missed += n
}

// All is what was recorded so far.
func (r *Recorder[E]) All() []E {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]E, len(r.entries))
	for i, e := range r.entries {
		all[i] = e.event
	}
	return all
}

// Count is how many there are so far for which match returns true.
func (r *Recorder[E]) Count(match func(E) bool) (n int) {
	mustHave(match != nil, "Recorder.Count", "match")
	for _, e := range r.All() {
		if match(e) {
			n++
		}
	}
	return n
}

// ExpectCount expects that there are, from when the recording began until now, exactly n
// for which match returns true. What says in a failure what they are: "restarts of worker
// 3".
func (r *Recorder[E]) ExpectCount(n int, what string, match func(E) bool) {
	mustHave(match != nil, "Recorder.ExpectCount", "match")
	r.kit.Idle()
	r.complete()
	if got := r.Count(match); got != n {
		r.kit.Fatalf("expected %d %s, and there were %d\n%s", n, what, got, r.history(match))
	}
}

// ExpectNone expects that there are none, from when the recording began until now.
func (r *Recorder[E]) ExpectNone() {
	r.kit.Idle()
	if got := len(r.All()); got != 0 {
		r.kit.Fatalf("expected no %s, and there were %d\n%s", r.what, got, r.history(func(E) bool { return true }))
	}
}

// complete fails the test if not all was recorded: nobody can say then how many there
// were.
func (r *Recorder[E]) complete() {
	r.mu.Lock()
	missed := r.missed
	r.mu.Unlock()
	if missed > 0 {
		r.kit.Fatalf("%d %s came faster than they could be recorded, and are missing: let others go on in between, by Kit.Idle or Kit.Yield", missed, r.what)
	}
}

// shownEntries is how many of the last entries a failure lists.
const shownEntries = 20

// history lists what was recorded last, and marks what counts.
func (r *Recorder[E]) history(match func(E) bool) string {
	r.mu.Lock()
	entries := slices.Clone(r.entries)
	r.mu.Unlock()
	if len(entries) == 0 {
		return "no " + r.what + " were recorded"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the last of %d %s that were recorded, those that count with +:", len(entries), r.what)
	for _, e := range entries[max(0, len(entries)-shownEntries):] {
		mark := ' '
		if match(e.event) {
			mark = '+'
		}
		fmt.Fprintf(&b, "\n  %c %s at %v", mark, r.describe(e.event), e.at)
	}
	return b.String()
}
