package sql

import (
	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A list is rows that have been worked out.
type list struct {
	rows []byte
	ends []int // where each row ends
	next int
}

func (l *list) Len() int { return len(l.ends) - l.next }

func (l *list) Next(dst []byte, atLeast int) (out []byte, count, left int) {
	for l.next < len(l.ends) && (count == 0 || len(dst) < atLeast) {
		start := 0
		if l.next > 0 {
			start = l.ends[l.next-1]
		}
		dst = append(dst, l.rows[start:l.ends[l.next]]...)
		l.next++
		count++
	}
	return dst, count, l.Len()
}

// end ends the row that was appended to l.rows last.
func (l *list) end() { l.ends = append(l.ends, len(l.rows)) }

// one returns a single row of fields and values, given in turn.
func one(fields ...field) *list {
	l := &list{rows: msgpack.AppendMap(nil, len(fields))}
	for _, f := range fields {
		l.rows = append(msgpack.AppendString(l.rows, f.name), f.value...)
	}
	l.end()
	return l
}

// A field is a name in a row and its value.
type field struct {
	name  string
	value []byte
}

//go:noinline
func number(n int) []byte { return msgpack.AppendInt(nil, int64(n)) }

// A stream works out its rows as they are taken, from the documents of a
// result.
type stream struct {
	result     *engine.Result
	projection *projection
	tuple      tuple
	doc        []byte
}

func (s *stream) Len() int { return s.result.Len() }

func (s *stream) Next(dst []byte, atLeast int) (out []byte, count, left int) {
	for s.result.Len() > 0 && (count == 0 || len(dst) < atLeast) {
		taken := 0
		if s.doc, taken, _ = s.result.Next(s.doc[:0], 0); taken == 0 {
			break
		}
		s.tuple.docs[0] = s.doc
		dst = s.projection.append(dst, &s.tuple)
		count++
	}
	return dst, count, s.result.Len()
}
