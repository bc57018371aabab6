//go:build race

package pooltest_test

// withRace says that the race detector is on.
const withRace = true
