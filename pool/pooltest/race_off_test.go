//go:build !race

package pooltest_test

const withRace = false
