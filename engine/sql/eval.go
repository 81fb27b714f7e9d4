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
		v := e.kids[0].eval(t)
		if msgpack.KindOf(v) != msgpack.Number {
			return null
		}
		return negated(v)
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
	return msgpack.AppendBool(nil, e.test(t))
}

// choose evaluates CASE.
func (e *expr) choose(t *tuple) []byte {
	pairs := e.kids[e.index:]
	var of []byte
	if e.index == 1 { // evaluated once: twice would double the time with each nested CASE
		of = e.kids[0].eval(t)
	}
	for ; len(pairs) > 1; pairs = pairs[2:] {
		if e.index == 1 && compare(query.OpEq, of, pairs[0].eval(t)) || e.index == 0 && pairs[0].test(t) {
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
	return appendText(nil, b.String())
}

// test reports whether e holds as a condition.
func (e *expr) test(t *tuple) bool {
	switch e.op {
	case opFilter:
		if doc := t.docs[e.table]; doc != nil {
			return e.filter.Match(doc)
		}
		return e.filter.Match(emptyMap)
	case opLeaf:
		return holds(e.filter, e.kids[0].eval(t))
	case opNot:
		return !e.kids[0].test(t)
	case opAnd:
		for _, kid := range e.kids {
			if !kid.test(t) {
				return false
			}
		}
		return true
	case opOr:
		for _, kid := range e.kids {
			if kid.test(t) {
				return true
			}
		}
		return false
	case opCompare:
		return compare(e.operator.Op, e.kids[0].eval(t), e.kids[1].eval(t)) != e.operator.Negates
	case opIn:
		v := e.kids[0].eval(t)
		for _, kid := range e.kids[1:] {
			if compare(query.OpEq, v, kid.eval(t)) {
				return true
			}
		}
		return false
	case opBetween:
		v := e.kids[0].eval(t)
		return compare(query.OpGte, v, e.kids[1].eval(t)) && compare(query.OpLte, v, e.kids[2].eval(t))
	}
	return isTrue(e.eval(t))
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

// compare compares two values that are worked out. Nothing compares with null
// or with a missing value, nor with a value of another kind.
func compare(op query.Op, a, b []byte) bool {
	if isNull(a) || isNull(b) {
		return false
	}
	c, comparable := query.Compare(a, b)
	switch op {
	case query.OpEq:
		return comparable && c == 0
	case query.OpLt:
		return comparable && c < 0
	case query.OpLte:
		return comparable && c <= 0
	case query.OpGt:
		return comparable && c > 0
	}
	return comparable && c >= 0
}
