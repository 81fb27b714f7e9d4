package engine

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A projection is the tree of the field paths that a query returns. Below a name,
// nil means all of the value.
type projection map[string]projection

// newProjection returns the projection of some paths: nil, everything, for none.
func newProjection(fields []string) projection {
	if len(fields) == 0 {
		return nil
	}
	root := projection{"_id": nil}
	for _, path := range fields {
		root.add(strings.Split(path, "."))
	}
	return root
}

func (p projection) add(path []string) {
	for i, name := range path {
		below, known := p[name]
		switch {
		case i == len(path)-1, known && below == nil:
			p[name] = nil // the whole value includes its parts
			return
		case !known:
			below = projection{}
			p[name] = below
		}
		p = below
	}
}

// append appends the part of v that p keeps. In an array it keeps that part of
// each element that is a map or an array. Of other values it keeps nothing.
func (p projection) append(dst, v []byte) []byte {
	if p == nil {
		return append(dst, v...)
	}
	count, pos := msgpack.Container(v)
	kind := msgpack.KindOf(v)
	if kind != msgpack.Map && kind != msgpack.Array {
		return dst
	}
	// How many are kept is not known yet: the header is as wide as that of v.
	start, kept := len(dst), 0
	dst = append(dst, v[:pos]...)
	for ; count > 0; count-- {
		below, wanted, key := p, true, []byte(nil)
		if kind == msgpack.Map {
			n := msgpack.Skip(v[pos:])
			key = v[pos : pos+n]
			below, wanted = p[string(msgpack.Str(key))]
			pos += n
		}
		n := msgpack.Skip(v[pos:])
		if wanted {
			before := len(dst)
			dst = append(dst, key...)
			if dst = below.append(dst, v[pos:pos+n]); len(dst) == before+len(key) {
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
