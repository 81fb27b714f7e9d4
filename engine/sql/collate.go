package sql

import (
	"bytes"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A collation says which texts are the same to a comparison or to ORDER BY.
type collation int

const (
	collateNone collation = iota
	collateBinary
	collateNoCase // of ASCII letters
	collateRTrim  // but for spaces at the end
)

func collationNamed(name string) collation {
	switch strings.ToLower(name) {
	case "binary":
		return collateBinary
	case "nocase":
		return collateNoCase
	case "rtrim":
		return collateRTrim
	}
	return collateNone
}

// key returns a text that is the same for the same texts. Other values are themselves.
func (c collation) key(v []byte) []byte {
	if msgpack.KindOf(v) != msgpack.String {
		return v
	}
	switch c {
	case collateNoCase:
		return textValue(lowerASCII(msgpack.Str(v)))
	case collateRTrim:
		return textValue(bytes.TrimRight(msgpack.Str(v), " "))
	}
	return v
}

func lowerASCII(text []byte) []byte { return mapASCII(text, 'A', 'Z') }
func upperASCII(text []byte) []byte { return mapASCII(text, 'a', 'z') }

// mapASCII returns text with the letters from first to last in the other case.
func mapASCII(text []byte, first, last byte) []byte {
	mapped := bytes.Clone(text)
	for i, c := range mapped {
		if c >= first && c <= last {
			mapped[i] = c ^ 0x20
		}
	}
	return mapped
}

// collated makes e, which is bound, compare keys if one of its kids, as parsed, has a
// COLLATE; the first one counts, and of IN only that of the value before it.
func collated(e, from *expr) collation {
	found := collateNone
	for i, kid := range from.kids {
		if kid.op != opCollate {
			continue
		}
		if found == collateNone && (i == 0 || e.op != opIn) {
			found = collation(kid.index)
		}
		if e.kids[i].op == opCollate {
			e.kids[i] = e.kids[i].kids[0]
		}
	}
	return found
}

// keyed returns e, which is bound, as c compares it.
func keyed(e *expr, c collation) *expr {
	if c <= collateBinary {
		return e
	}
	return folded(&expr{op: opKey, index: int(c), start: e.start, end: e.end, kids: []*expr{e}})
}

// uncollated refuses a COLLATE where it would change nothing.
func (b *binder) uncollated(e *expr) error {
	if e.op == opCollate && collation(e.index) > collateBinary {
		return b.fault(e, "expected no COLLATE here; it goes with comparisons and ORDER BY, and lower(…) groups texts without case")
	}
	return nil
}

// allUncollated refuses a COLLATE in the columns of a SELECT DISTINCT.
func (b *binder) allUncollated(p *projection) (err error) {
	for _, c := range p.columns {
		if !c.star && err == nil {
			err = b.uncollated(c.expr)
		}
	}
	return err
}

// orderedBy returns what a term of ORDER BY, which is bound, sorts by.
func orderedBy(e *expr) *expr {
	if e.op == opCollate {
		return keyed(e.kids[0], collation(e.index))
	}
	return e
}
