//go:build invariants

package sql

// invariants makes every SELECT check its answer against the executor that
// defines it.
const invariants = true
