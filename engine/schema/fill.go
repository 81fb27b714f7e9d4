package schema

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

// Fill returns doc, a map, with the default of each property that it lacks, and so for
// the objects in it that are properties. It follows properties and $ref alone: what
// other keywords would put in depends on what is there.
func (s *Schema) Fill(doc []byte) []byte { return fill(nil, s.root, doc, maxFilled) }

// maxFilled is how many levels of a document Fill looks at, and how many references it
// follows to one schema.
const maxFilled = 100

// fill appends v with its defaults to out.
func fill(out []byte, n *node, v []byte, levels int) []byte {
	for refs := 0; n != nil && n.object == nil && refs < maxFilled; refs++ {
		if n.inPlace == nil {
			n = nil
			break
		}
		n = n.inPlace.ref
	}
	if n == nil || n.object == nil || msgpack.KindOf(v) != msgpack.Map || levels == 0 {
		return append(out, v...)
	}
	o := n.object
	count, pos := container(v)
	fields := count
	has := fieldsOf(v, len(o.properties))
	for i := range o.properties {
		if p := o.properties[i].node; p != nil && p.fallback != nil && !has.field(o.properties[i].name) {
			count++
		}
	}
	out = msgpack.AppendMap(out, count)
	for range fields {
		name, value, next := field(v, pos)
		var inside *node
		if at := o.search(name); at >= 0 {
			inside = o.properties[at].node
		}
		out = fill(append(out, v[pos:next-len(value)]...), inside, value, levels-1)
		pos = next
	}
	for i := range o.properties {
		if p := &o.properties[i]; p.node != nil && p.node.fallback != nil && !has.field(p.name) {
			out = append(append(out, encoded(p.name)...), p.node.fallback...)
		}
	}
	return out
}
