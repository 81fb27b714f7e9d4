package sql

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A tuple is what an expression is evaluated on: one document of each table,
// nil for a left join's missing partner, or the slots of a group.
type tuple struct {
	docs  [][]byte
	slots [][]byte
}

// eval returns the value of e, which is bound; nil or null if it has none. It
// may borrow from the tuple.
func (e *expr) eval(t *tuple) []byte {
	switch e.op {
	case opConst:
		return e.value
	case opField:
		return e.path.First(t.docs[e.table])
	case opSlot:
		return t.slots[e.index]
	case opColumn:
		return columnAt(t.docs[e.table], e.index)
	case opSubquery:
		return e.answer(t)
	case opChain:
		v := e.kids[0].eval(t)
		for i, kid := range e.kids[1:] {
			v = arithmetic(e.signs[i], v, kid.eval(t))
		}
		return v
	case opNegate:
		v := numericOf(e.kids[0].eval(t))
		if v == nil {
			return null
		}
		return negated(v)
	case opComplement:
		v := e.kids[0].eval(t)
		if numericOf(v) == nil {
			return null
		}
		return msgpack.AppendInt(nil, ^integerOf(v))
	case opCast:
		return castType(e.index).of(e.kids[0].eval(t))
	case opCollate:
		return e.kids[0].eval(t)
	case opKey:
		return collation(e.index).key(e.kids[0].eval(t))
	case opText:
		return asText(e.kids[0].eval(t))
	case opNumber:
		return asNumberValue(e.kids[0].eval(t))
	case opConcat:
		return e.concat(t)
	case opCase:
		return e.choose(t)
	case opCall:
		args := make([][]byte, len(e.kids))
		for i, kid := range e.kids {
			args[i] = kid.eval(t)
		}
		return e.function.call(args)
	}
	return e.ask(t).value()
}

// asNumberValue returns 1 for true, 0 for false, and any other value itself.
//
//go:noinline
func asNumberValue(v []byte) []byte {
	switch msgpack.KindOf(v) {
	case msgpack.True:
		return number(1)
	case msgpack.False:
		return number(0)
	}
	return v
}

// choose evaluates CASE.
func (e *expr) choose(t *tuple) []byte {
	pairs := e.kids[e.index:]
	var of []byte
	if e.index == 1 { // evaluated once: twice would double the time with each nested CASE
		of = e.kids[0].eval(t)
	}
	for ; len(pairs) > 1; pairs = pairs[2:] {
		if e.index == 1 && pairs[0].compared(t, equals, of) == yes || e.index == 0 && pairs[0].test(t) {
			return pairs[1].eval(t)
		}
	}
	if len(pairs) == 1 {
		return pairs[0].eval(t)
	}
	return null
}

// maxConcatBytes is how long a text may be that || makes. A statement may ask for
// the same long text thousands of times.
const maxConcatBytes = 64 << 20

func (e *expr) concat(t *tuple) []byte {
	var b strings.Builder
	room := maxConcatBytes
	for _, kid := range e.kids {
		text, ok := textOf(kid.eval(t))
		if !ok {
			return null
		}
		room = engine.CheckRoom(room, len(text), maxConcatBytes)
		b.WriteString(text)
	}
	return textValue(b.String())
}

// holds asks a filter whose leaves have the empty path about a value.
func holds(f *query.Filter, v []byte) bool {
	switch f.Op {
	case query.OpTrue:
		return true
	case query.OpFalse:
		return false
	case query.OpNot:
		return !holds(f.Kids[0], v)
	case query.OpAnd:
		for _, kid := range f.Kids {
			if !holds(kid, v) {
				return false
			}
		}
		return true
	case query.OpOr:
		for _, kid := range f.Kids {
			if holds(kid, v) {
				return true
			}
		}
		return false
	}
	return f.Holds(v)
}

// compare compares two values that are worked out. With null or a missing value the
// answer is unknown; values of different kinds are different, and neither is above the
// other.
//
//go:noinline
func compare(o *query.Operator, a, b []byte) truth {
	if isNull(a) || isNull(b) {
		return unknown
	}
	c, comparable := query.Compare(a, b)
	holds := false
	switch o.Op {
	case query.OpEq:
		holds = c == 0
	case query.OpLt:
		holds = c < 0
	case query.OpLte:
		holds = c <= 0
	case query.OpGt:
		holds = c > 0
	case query.OpGte:
		holds = c >= 0
	}
	return truthIf((holds && comparable) != o.Negates)
}

// isSame reports whether a IS b: null and a missing value are one.
//
//go:noinline
func isSame(a, b []byte) bool {
	if isNull(a) || isNull(b) {
		return isNull(a) && isNull(b)
	}
	return compare(equals, a, b) == yes
}
