//go:build invariants

package engine

// invariants makes every query check its fast path against the slow one. It is
// a build tag, so that what users download carries none of it.
const invariants = true
