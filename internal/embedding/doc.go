// Package embedding holds the tests that docs/embedding.md names: what it says of a pool in
// an actor system, shown as its user would, with package pool/pooltest and nothing that is
// not exported.
package embedding
