package schema

import (
	"math/bits"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

const notAllowed = "is not allowed"

func (c *checker) objectFits(o *objectRules, v []byte, m marks) bool {
	count, pos := container(v)
	if !c.mayTake(count) {
		return false
	}
	isDocument := c.document == &v[0]
	seen := uint64(0)
	for i := range count {
		start := pos
		name, value, next := field(v, start)
		pos = next

		isID := isDocument && i == 0 && string(name) == "_id"
		if isID && !o.namesID {
			c.mark(m, i)
			continue
		}
		evaluated := false
		if at := o.search(name); at >= 0 {
			if at < 64 {
				seen |= 1 << at
			}
			if n := o.properties[at].node; n != nil {
				evaluated = true
				if n.constant != always && !c.validAt(name, 0, n, value) {
					return false
				}
			}
		}
		if isID {
			c.mark(m, i)
			continue
		}
		if !c.mayTake(len(o.patterns)) {
			return false
		}
		for j := range o.patterns {
			if p := &o.patterns[j]; c.matches(p.pattern, name) {
				evaluated = true
				if !c.validAt(name, 0, p.node, value) {
					return false
				}
			} else if c.gaveUp {
				return false
			}
		}
		if !evaluated && o.additional != nil {
			evaluated = true
			if o.additional.constant == never {
				if !c.refuseAt("additionalProperties", string(name), notAllowed) {
					return false
				}
			} else if !c.validAt(name, 0, o.additional, value) {
				return false
			}
		}
		if evaluated {
			c.mark(m, i)
		}
		if o.names != nil {
			key := v[start : start+sizeOf(v[start:])]
			if !c.test(o.names, key, noMarks) && !c.refuseName(o, name, key) {
				return false
			}
		}
	}
	if missing := o.required &^ seen; missing != 0 {
		if c.faults == nil {
			return false
		}
		for ; missing != 0; missing &= missing - 1 {
			c.refuseAt("required", o.properties[bits.TrailingZeros64(missing)].name, "is required")
		}
	}
	has := fieldsOf(v, len(o.alsoRequired)+o.lookups)
	for _, name := range o.alsoRequired {
		if !has.field(name) && !c.refuseAt("required", name, "is required") {
			return false
		}
	}
	if isDocument {
		count--
	}
	if count < o.minProperties && !c.refuseCount("minProperties", "at least ", o.minProperties, "property", count) {
		return false
	}
	if o.maxProperties >= 0 && count > o.maxProperties && !c.refuseCount("maxProperties", "at most ", o.maxProperties, "property", count) {
		return false
	}
	for i := range o.dependentRequired {
		d := &o.dependentRequired[i]
		if !has.field(d.name) {
			continue
		}
		for _, name := range d.needs {
			if !has.field(name) {
				if c.faults == nil {
					return false
				}
				c.refuseAt("dependentRequired", name, "is required, as "+d.name+" is there")
			}
		}
	}
	return true
}

// fields tells whether a map has a field of some name.
type fields struct {
	v   []byte
	all map[string]bool // nil: it is not worth it
}

// maxCompared is how many names are compared before a map is made of them.
const maxCompared = 1_000

// fieldsOf prepares for some lookups.
func fieldsOf(v []byte, lookups int) fields {
	f := fields{v: v}
	if count := msgpack.Count(v); lookups*count > maxCompared {
		f.all = make(map[string]bool, count)
		for name := range msgpack.Fields(v) {
			f.all[string(name)] = true
		}
	}
	return f
}

func (f *fields) field(name string) bool {
	if f.all != nil {
		return f.all[name]
	}
	return lookup(f.v, name) != nil
}

// sizeOf is msgpack.Skip without the call for what is most frequent.
func sizeOf(v []byte) int {
	switch c := v[0]; {
	case int8(c) >= -32: // 0 to 127, and -32 to -1
		return 1
	case c&0xe0 == 0xa0: // text of up to 31 bytes
		return 1 + int(c&0x1f)
	case c <= 0xc3: // null, false, true; the containers of up to 15 elements are below
		if c >= 0xc0 {
			return 1
		}
	case c == 0xcb: // a float
		return 9
	}
	return msgpack.Skip(v)
}

// refuseName notes that the name of a property does not fit propertyNames.
func (c *checker) refuseName(o *objectRules, name, keyValue []byte) bool {
	if c.faults == nil {
		return false
	}
	all, path := c.faults, c.path
	c.faults, c.path = &Faults{}, nil
	c.valid(o.names, keyValue, noMarks)
	why := "has a name that is not allowed"
	if len(c.faults.List) > 0 {
		why += ": it " + c.faults.List[0].Message
	}
	c.faults, c.path = all, path
	return c.refuseAt("propertyNames", string(name), why)
}

// othersFit applies unevaluatedProperties or unevaluatedItems to what no other keyword
// has marked.
func (c *checker) othersFit(other *node, kind msgpack.Kind, v []byte, m marks) bool {
	count, pos := container(v)
	for i := range count {
		var name, value []byte
		if kind == msgpack.Map {
			name, value, pos = field(v, pos)
		} else {
			end := pos + sizeOf(v[pos:])
			value, pos = v[pos:end:end], end
		}
		if c.isMarked(m, i) || i == 0 && c.document == &v[0] && string(name) == "_id" {
			continue
		}
		if other.constant != never {
			if !c.validAt(name, i, other, value) {
				return false
			}
			continue
		}
		keyword, text := "unevaluatedProperties", string(name)
		if kind == msgpack.Array {
			keyword, text = "unevaluatedItems", positionText(i)
		}
		if !c.refuseAt(keyword, text, notAllowed) {
			return false
		}
	}
	return true
}
