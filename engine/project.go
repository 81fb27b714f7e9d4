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
	slices  *sliceTree
	whole   []byte // of a document before its arrays are cut; reused by append
}

// A Slice is a part of the array at a path: at most Limit of its elements from the one at
// Skip on, which counts from the end if it is below 0, but never before the start. Any
// other value stays whole.
type Slice struct {
	Path        string
	Skip, Limit int
}

// A sliceTree is slices by their paths.
type sliceTree struct {
	below map[string]*sliceTree
	cut   *Slice
}

// A fieldTree is field paths. Below a name, nil means all of the value.
type fieldTree map[string]fieldTree

// newProjection returns the projection of some paths and slices, which checkFields
// accepts: nil for none. With a dash before them, paths are left out. _id comes along
// unless it is. A slice is returned, too, where paths are.
func newProjection(fields []string, cuts []Slice) *projection {
	if len(fields) == 0 && len(cuts) == 0 {
		return nil
	}
	p := &projection{tree: fieldTree{}}
	for i := range cuts {
		if p.slices == nil {
			p.slices = &sliceTree{}
		}
		p.slices.add(query.SplitPath(cuts[i].Path), &cuts[i])
	}
	if len(fields) == 0 {
		p.without = true
		return p
	}
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
	if !p.without {
		for _, cut := range cuts {
			p.tree.add(query.SplitPath(cut.Path))
		}
	}
	return p
}

// checkFields refuses fields to return beside others to leave out. _id goes with both. It
// also refuses slices of what is within another slice, or named by a field.
func checkFields(op, name string, fields []string, cuts []Slice) error {
	var kept, left string
	for i, cut := range cuts {
		for _, other := range cuts[:i] {
			if overlaps(cut.Path, other.Path) {
				return Fail(CodeInvalid, op, name, "the paths "+other.Path+" and "+cut.Path+" collide")
			}
		}
		for _, path := range fields {
			if overlaps(cut.Path, strings.TrimPrefix(path, "-")) {
				return Fail(CodeInvalid, op, name, "the paths "+path+" and "+cut.Path+" collide")
			}
		}
	}
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

// overlaps reports whether one of two paths leads to a part of what the other leads to.
func overlaps(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(b, a+".")
}

func (t *sliceTree) add(path []string, cut *Slice) {
	for _, name := range path {
		if t.below == nil {
			t.below = map[string]*sliceTree{}
		}
		if t.below[name] == nil {
			t.below[name] = &sliceTree{}
		}
		t = t.below[name]
	}
	t.cut = cut
}

// append appends v with its arrays cut. In an array that a path crosses, the arrays of
// each element are.
func (t *sliceTree) append(dst, v []byte) []byte {
	kind := msgpack.KindOf(v)
	if t == nil || kind < msgpack.Array || t.cut != nil && kind != msgpack.Array {
		return append(dst, v...)
	}
	count, pos := msgpack.Container(v)
	if t.cut != nil {
		from, to := t.cut.bounds(count)
		dst = msgpack.AppendArray(dst, to-from)
		for at := range to {
			n := msgpack.Skip(v[pos:])
			if at >= from {
				dst = append(dst, v[pos:pos+n]...)
			}
			pos += n
		}
		return dst
	}
	dst = append(dst, v[:pos]...)
	for ; count > 0; count-- {
		below := t
		if kind == msgpack.Map {
			n := msgpack.Skip(v[pos:])
			below = t.below[string(msgpack.Str(v[pos:pos+n]))]
			dst = append(dst, v[pos:pos+n]...)
			pos += n
		}
		n := msgpack.Skip(v[pos:])
		dst = below.append(dst, v[pos:pos+n])
		pos += n
	}
	return dst
}

// bounds returns which elements of count s has: those from one up to another.
func (s *Slice) bounds(count int) (from, to int) {
	from = min(s.Skip, count)
	if s.Skip < 0 {
		from = max(count+s.Skip, 0)
	}
	return from, from + min(s.Limit, count-from)
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
	if p.slices == nil {
		return p.tree.append(dst, doc, p.without)
	}
	p.whole = p.tree.append(p.whole[:0], doc, p.without)
	return p.slices.append(dst, p.whole)
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
