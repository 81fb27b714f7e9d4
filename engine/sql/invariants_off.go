//go:build !invariants

package sql

// invariants is for builds with that tag; see invariants_on.go.
const invariants = false
