package engine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A projection is what of a document a query returns; nil is all of it.
type projection struct {
	tree    fieldTree
	without bool // it returns everything but what is in the tree
}

// A fieldTree is field paths. Below a name, nil means all of the value.
type fieldTree map[string]fieldTree

// newProjection returns the projection of some paths, which checkFields accepts: nil for
// none. With a dash before them, they are left out. _id comes along unless it is.
func newProjection(fields []string) *projection {
	if len(fields) == 0 {
		return nil
	}
	p := &projection{tree: fieldTree{}}
	withID := true
	for _, path := range fields {
		if path == "-_id" {
			withID = false
		} else if path != "_id" {
			bare, dashed := strings.CutPrefix(path, "-")
			p.without = dashed
			p.tree.add(query.SplitPath(bare))
		}
	}
	if !withID && len(p.tree) == 0 {
		p.without = true
	}
	if withID != p.without {
		p.tree["_id"] = nil
	}
	return p
}

// checkFields refuses fields to return beside others to leave out. _id goes with both.
func checkFields(op, name string, fields []string) error {
	var kept, left string
	for _, path := range fields {
		switch {
		case path == "_id", path == "-_id":
		case path[:min(1, len(path))] == "-":
			left = path
		default:
			kept = path
		}
	}
	both := slices.Contains(fields, "_id") && slices.Contains(fields, "-_id")
	if both || kept != "" && left != "" {
		return Fail(CodeInvalid, op, name, "fields are returned or, with a dash, left out, not both: "+cmp.Or(kept, "_id")+" and "+cmp.Or(left, "-_id"))
	}
	return nil
}

func (t fieldTree) add(path []string) {
	for i, name := range path {
		below, known := t[name]
		switch {
		case i == len(path)-1, known && below == nil:
			t[name] = nil // the whole value includes its parts
			return
		case !known:
			below = fieldTree{}
			t[name] = below
		}
		t = below
	}
}

// append appends the part of doc that p returns.
func (p *projection) append(dst, doc []byte) []byte {
	if p == nil {
		return append(dst, doc...)
	}
	return p.tree.append(dst, doc, p.without)
}

// append appends the part of v that is in t, or the part that is not. Of an array
// that is that part of each element; those that are neither map nor array have no
// part that is in t.
func (t fieldTree) append(dst, v []byte, without bool) []byte {
	kind := msgpack.KindOf(v)
	if t == nil || without && kind < msgpack.Array {
		return append(dst, v...)
	}
	if kind < msgpack.Array {
		return dst
	}
	count, pos := msgpack.Container(v)
	// How many are kept is not known yet: the header is as wide as that of v.
	start, kept := len(dst), 0
	dst = append(dst, v[:pos]...)
	for ; count > 0; count-- {
		below, wanted, key := t, true, []byte(nil)
		if kind == msgpack.Map {
			n := msgpack.Skip(v[pos:])
			key = v[pos : pos+n]
			below, wanted = t[string(msgpack.Str(key))]
			wanted = wanted != without || below != nil
			pos += n
		}
		n := msgpack.Skip(v[pos:])
		if wanted {
			before := len(dst)
			dst = append(dst, key...)
			if dst = below.append(dst, v[pos:pos+n], without); len(dst) == before+len(key) {
				dst = dst[:before]
			} else {
				kept++
			}
		}
		pos += n
	}
	setCount(dst[start:], kept)
	return dst
}

// setCount changes the count in the header of a container without changing the
// width of the header.
func setCount(v []byte, count int) {
	switch _, header := msgpack.Container(v); header {
	case 1:
		v[0] = v[0]&0xf0 | byte(count)
	case 3:
		v[1], v[2] = byte(count>>8), byte(count)
	case 5:
		v[1], v[2], v[3], v[4] = byte(count>>24), byte(count>>16), byte(count>>8), byte(count)
	}
}
