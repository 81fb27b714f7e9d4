package schema

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

// marks are a set of the fields of a map, or of the elements of an array, by their
// places: those that a keyword has evaluated, which unevaluatedProperties and
// unevaluatedItems pass over. It is where in checker.marks the set begins.
//
// Only schemas in which one of these two applies keep marks. A schema that need not
// fit, as in anyOf, has a set of its own, which is added if it fits.
type marks int

const noMarks marks = -1

// newMarks makes an empty set for v, which lasts until checker.marks is cut.
//
//go:noinline
func (c *checker) newMarks(v []byte) marks {
	m := marks(len(c.marks))
	for words := (msgpack.Count(v) + 63) / 64; words > 0; words-- {
		c.marks = append(c.marks, 0)
	}
	return m
}

func (c *checker) mark(m marks, i int) {
	if m != noMarks {
		c.marks[int(m)+i/64] |= 1 << (i % 64)
	}
}

func (c *checker) isMarked(m marks, i int) bool {
	return c.marks[int(m)+i/64]&(1<<(i%64)) != 0
}

// markAll puts all of v into the set.
//
//go:noinline
func (c *checker) markAll(m marks, v []byte) {
	if m != noMarks {
		for i := range (msgpack.Count(v) + 63) / 64 {
			c.marks[int(m)+i] = ^uint64(0)
		}
	}
}

// addMarks adds the set of a branch, which is the last one, to m.
//
//go:noinline
func (c *checker) addMarks(m, branch marks) {
	for i, word := range c.marks[branch:] {
		c.marks[int(m)+i] |= word
	}
}
