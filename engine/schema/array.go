package schema

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

func (c *checker) arrayFits(a *arrayRules, v []byte, m marks) bool {
	count, pos := container(v)
	if !c.mayTake(count) {
		return false
	}
	if count < a.minItems && !c.refuseCount("minItems", "at least ", a.minItems, "element", count) {
		return false
	}
	if a.maxItems >= 0 && count > a.maxItems && !c.refuseCount("maxItems", "at most ", a.maxItems, "element", count) {
		return false
	}
	contained := 0
	if a.prefix != nil || a.items != nil || a.contains != nil {
		for i := range count {
			end := pos + sizeOf(v[pos:])
			element := v[pos:end:end]
			pos = end
			n := a.items
			if i < len(a.prefix) {
				n = a.prefix[i]
			}
			if n != nil {
				c.mark(m, i)
				if n.constant == never && i >= len(a.prefix) {
					if !c.refuseAt("items", positionText(i), notAllowed) {
						return false
					}
				} else if !c.validAt(nil, i, n, element) {
					return false
				}
			}
			if a.contains != nil && c.test(a.contains, element, noMarks) {
				contained++
				c.mark(m, i)
			}
		}
	}
	if a.contains != nil {
		if contained < a.minContains && !c.refuseContained("contains", "at least ", a.minContains, contained) {
			return false
		}
		if a.maxContains >= 0 && contained > a.maxContains && !c.refuseContained("maxContains", "at most ", a.maxContains, contained) {
			return false
		}
	}
	if a.unique && count > 1 {
		return c.elementsDiffer(v)
	}
	return true
}

//go:noinline
func (c *checker) refuseContained(keyword, relation string, limit, n int) bool {
	if c.faults == nil {
		return false
	}
	return c.refuse(keyword, "must have "+relation+counted(limit, "element")+" that the schema of contains fits, has "+itoa(n))
}

// elementsDiffer checks uniqueItems: after sorting, equal elements are neighbours.
func (c *checker) elementsDiffer(v []byte) bool {
	list := c.order[:0]
	for element := range msgpack.Elements(v) {
		list = append(list, element)
	}
	c.steps -= len(list)
	slices.SortFunc(list, func(x, y []byte) int {
		return msgpack.Compare(x, y)
	})
	ok := true
	for i := 1; i < len(list) && ok; i++ {
		if msgpack.Equal(list[i-1], list[i]) {
			if ok = false; c.faults != nil {
				ok = c.refuse("uniqueItems", "must have no equal elements, has "+describe(list[i])+" more than once")
				break
			}
		}
	}
	clear(list) // they would keep the document in memory
	c.order = list[:0]
	return ok
}

func positionText(i int) string { return itoa(i) }
