//go:build !invariants

package jsbridge

const comparesTables = false // see invariants_on.go

// mangle does nothing: see invariants_on.go.
func (b *Bridge) mangle(n int) {}

// hiddenOp finds nothing: see invariants_on.go.
func hiddenOp(number uint32) *op { return nil }
