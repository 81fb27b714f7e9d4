//go:build !invariants

package engine

// invariants is off: see invariants_on.go.
const invariants = false
