// Package harness measures contenders fairly: in one process, in turn, round by
// round, behind a canary that tells whether the machine is quiet.
//
// The vocabulary: a workload is a question ("what does a submission cost?"), a
// case is one setting of it ("64 producers"), a contender is one way to do the
// work, a sample is what one run of a contender cost, and a round runs every
// contender of a case once.
package harness
