package schema

import (
	"encoding/binary"
	"math"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// The quick way to see that a value fits. It says yes only where the other functions
// would; where it says no, they look again, and say what is wrong. In wasm as Go
// compiles it, calls and branches are what takes time, so a table answers for most
// values, and the name of a property is compared eight bytes at a time.

// accepts says, by the first byte of a value, how long the values are that begin with
// it, if a node accepts all of them; else 0.
type accepts [256]uint8

// accepted computes the table of a node that is plain or constant.
func (n *node) accepted() (table accepts) {
	if n.constant == never || n.constant == depends && (!n.isPlain || n.values != nil) {
		return
	}
	for c := range table {
		v := [1]byte{byte(c)}
		if n.constant == always || n.acceptsAll(msgpack.KindOf(v[:]), v[0]) {
			table[c] = uint8(msgpack.SizeBy(v[0]))
		}
	}
	return
}

// acceptsAll reports whether n accepts all values of a kind that begin with c, as far
// as that can be told.
func (n *node) acceptsAll(kind msgpack.Kind, c byte) bool {
	if n.types != 0 && n.types&(1<<kind) == 0 && !(kind == msgpack.Number && n.types&wholeBit != 0 && !msgpack.IsDouble([]byte{c})) {
		return false
	}
	switch kind {
	case msgpack.Number:
		r := n.number
		return r == nil || msgpack.SizeBy(c) == 1 && int64(int8(c)) >= r.low && int64(int8(c)) <= r.high
	case msgpack.String:
		r, size := n.text, msgpack.SizeBy(c)-1
		// A code point takes 1 to 4 bytes.
		return r == nil || r.pattern == nil && r.format == nil && (size+3)/4 >= r.minLength && (r.maxLength < 0 || size <= r.maxLength)
	case msgpack.Date, msgpack.Bytes:
		return n.text == nil
	case msgpack.Array:
		return n.array == nil
	case msgpack.Map:
		return n.object == nil
	}
	return true
}

// prepare fills in what this file needs. Tables are kept in tables, by their bytes.
func (n *node) prepare(tables map[string]*accepts, quick bool) {
	var table accepts
	if quick {
		table = n.accepted()
	}
	if n.accepts = tables[string(table[:])]; n.accepts == nil {
		n.accepts = &table
		tables[string(table[:])] = &table
	}
	o := n.object
	if o == nil {
		return
	}
	o.isPlain = quick && o.patterns == nil && o.names == nil && o.alsoRequired == nil && o.dependentRequired == nil
	for i := range o.properties {
		p := &o.properties[i]
		p.key, p.rule = keyOf(p.name), p.node
		if p.rule == nil {
			p.rule = o.additional
		}
		if i < 64 {
			p.bit = 1 << i
		}
	}
}

// fitsPlainly is valid for a node that isPlain and accepts not all such values, while no
// faults are noted. It counts no levels, and no steps but those of objects and arrays: it
// goes only into what the value holds.
func (c *checker) fitsPlainly(n *node, v []byte) bool {
	kind := msgpack.KindOf(v)
	if n.types&(1<<kind) == 0 && n.types != 0 && !(kind == msgpack.Number && n.types&wholeBit != 0 && isWhole(v)) {
		return false
	}
	if n.values != nil && !c.hasValue(n, v) {
		return false
	}
	switch kind {
	case msgpack.Number:
		return n.number == nil || c.numberFits(n.number, v)
	case msgpack.String:
		return n.text == nil || c.textFits(n.text, v, msgpack.Str(v))
	case msgpack.Date, msgpack.Bytes:
		return n.text == nil || c.textFits(n.text, v, c.textOf(v))
	case msgpack.Array:
		return n.array == nil || c.elementsFit(n.array, v)
	case msgpack.Map:
		return n.object == nil || c.fieldsFit(n.object, v)
	}
	return true
}

// fitsAny is fitsPlainly for any node.
func (c *checker) fitsAny(n *node, v []byte) bool {
	if n.isPlain {
		return c.fitsPlainly(n, v)
	}
	return c.valid(n, v, noMarks)
}

// elementsFit is arrayFits while no faults are noted and nothing is marked.
func (c *checker) elementsFit(a *arrayRules, v []byte) bool {
	count, pos := msgpack.Container(v)
	if a.items == nil || a.prefix != nil || a.contains != nil || a.unique || count < a.minItems || a.maxItems >= 0 && count > a.maxItems {
		return c.arrayFits(a, v, noMarks)
	}
	if !c.mayTake(count) {
		return false
	}
	n := a.items
	for ; count > 0; count-- {
		if size := int(n.accepts[v[pos]]); size > 0 {
			pos += size
			continue
		}
		end := pos + sizeOf(v[pos:])
		if !c.fitsAny(n, v[pos:end:end]) {
			return false
		}
		pos = end
	}
	return true
}

// fieldsFit is objectFits while no faults are noted and nothing is marked.
func (c *checker) fieldsFit(o *objectRules, v []byte) bool {
	isDocument := c.document == &v[0]
	if !o.isPlain || isDocument && o.namesID {
		return c.objectFits(o, v, noMarks)
	}
	count, pos := msgpack.Container(v)
	if !c.mayTake(count) {
		return false
	}
	left := count
	if isDocument {
		count--
		if left > 0 && string(str(v[pos:])) == "_id" {
			left--
			pos += sizeOf(v[pos:])
			pos += sizeOf(v[pos:])
		}
	}
	if count < o.minProperties || o.maxProperties >= 0 && count > o.maxProperties {
		return false
	}
	seen := uint64(0)
	next := &o.first
	for ; left > 0; left-- {
		n := o.additional
		field := v[pos:]
		if p := *next; p != nil && p.isWrittenIn(field) {
			seen |= p.bit
			n, next = p.rule, &p.next
			pos += p.size
		} else {
			if p = o.lookUp(field, next); p != nil {
				seen |= p.bit
				n, next = p.rule, &p.next
			}
			pos += sizeOf(field)
		}
		if n == nil {
			pos += sizeOf(v[pos:])
			continue
		}
		if size := int(n.accepts[v[pos]]); size > 0 {
			pos += size
			continue
		}
		end := pos + sizeOf(v[pos:])
		if n.constant != always && !c.fitsAny(n, v[pos:end:end]) {
			return false
		}
		pos = end
	}
	return o.required&^seen == 0
}

// A key is the name of a property as MessagePack has it. Its first byte tells how long
// it is, so that most names are one or two comparisons of eight bytes.
type key struct {
	size       int
	head, mask uint64 // the first eight bytes, and which of them there are
	tail       uint64 // the last eight, if there are more
	middle     string // what is between them, if there are more than 16
	room       int    // how many bytes must be there for these comparisons
}

func keyOf(name string) (k key) {
	text := encoded(name)
	k.size = len(text)
	k.room = max(k.size, 8)
	k.mask = math.MaxUint64 >> (8 * (8 - min(k.size, 8)))
	var word [8]byte
	copy(word[:], text)
	k.head = binary.LittleEndian.Uint64(word[:])
	if k.size > 8 {
		k.tail = binary.LittleEndian.Uint64(text[k.size-8:])
	}
	if k.size > 16 {
		k.middle = string(text[8 : k.size-8])
	}
	return k
}

// isWrittenIn reports whether a field begins with the key. It says no of one that
// MessagePack could say shorter.
func (k *key) isWrittenIn(field []byte) bool {
	return len(field) >= k.room && binary.LittleEndian.Uint64(field)&k.mask == k.head &&
		(k.size <= 8 || binary.LittleEndian.Uint64(field[k.size-8:]) == k.tail && (k.size <= 16 || string(field[8:k.size-8]) == k.middle))
}

// lookUp returns the property that a field is, if it is not *next, which is then what
// it expects the next time; nil if it is none.
func (o *objectRules) lookUp(field []byte, next **property) *property {
	if p := *next; p != nil && p.next != nil && p.next.isWrittenIn(field) {
		return p.next // an optional one is left out
	}
	at := o.search(str(field))
	if at < 0 {
		return nil
	}
	p := &o.properties[at]
	*next = p
	return p
}
