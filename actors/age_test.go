package actors

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What ages says is never more than the truth, and no less than the last note allows.
func TestAgesIsNeverMoreThanTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a ages
		var now time.Duration
		var submittedAt []time.Duration
		taken := 0
		t.Repeat(map[string]func(*rapid.T){
			"submit": func(*rapid.T) { submittedAt = append(submittedAt, now) },
			"wait":   func(t *rapid.T) { now += time.Duration(rapid.IntRange(1, 100).Draw(t, "time")) },
			"note":   func(*rapid.T) { a.note(uint64(len(submittedAt)), now) },
			"take": func(t *rapid.T) {
				taken = min(len(submittedAt), taken+rapid.IntRange(1, 10).Draw(t, "tasks"))
			},
			"leave": func(t *rapid.T) {
				var gone []uint64
				at := uint64(taken)
				submittedAt = append(submittedAt[:taken:taken], slices.DeleteFunc(slices.Clone(submittedAt[taken:]), func(time.Duration) bool {
					at++
					if rapid.Bool().Draw(t, "gone") {
						gone = append(gone, at)
						return true
					}
					return false
				})...)
				if len(gone) > 0 {
					a.movedUp(gone)
				}
			},
			"": func(t *rapid.T) {
				require.LessOrEqual(t, len(a.notes), maxAgeNotes)
				if taken < len(submittedAt) {
					age := a.of(uint64(taken+1), now)
					require.LessOrEqual(t, age, now-submittedAt[taken])
				}
			},
		})
	})
}

func TestAgesForgetsSomeNotesButNotTheEarliest(t *testing.T) {
	var a ages
	for i := range 1000 {
		a.note(uint64(i+1), time.Duration(i))
	}
	require.LessOrEqual(t, len(a.notes), maxAgeNotes)
	require.Equal(t, 1000*time.Nanosecond, a.of(1, 1000))
	require.Positive(t, a.of(500, 1000))
	require.LessOrEqual(t, a.of(500, 1000), 501*time.Nanosecond)
	require.Zero(t, a.of(1001, 1000))
}
