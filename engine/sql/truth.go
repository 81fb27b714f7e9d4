package sql

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A truth is what a condition is of a row. AND is the least of its parts, OR the
// greatest, and NOT the opposite.
type truth int8

const (
	no truth = iota
	unknown
	yes
)

//go:noinline
func truthIf(holds bool) truth {
	if holds {
		return yes
	}
	return no
}

// value returns t as the value of an expression.
func (t truth) value() []byte {
	if t == unknown {
		return null
	}
	return msgpack.AppendBool(nil, t == yes)
}

// truthOf returns what a value is as a condition: true and numbers other than 0 hold.
// Text does not, whatever it says, so that a field as a condition is a range of values.
//
//go:noinline
func truthOf(v []byte) truth {
	switch msgpack.KindOf(v) {
	case msgpack.Missing, msgpack.Null:
		return unknown
	case msgpack.True:
		return yes
	case msgpack.Number:
		return truthIf(msgpack.Float(v) != 0)
	}
	return no
}

// ask returns what e is of a row as a condition.
func (e *expr) ask(t *tuple) truth {
	switch e.op {
	case opFilter:
		doc := orEmpty(t.docs[e.table])
		switch {
		case e.filter.Match(doc):
			return yes
		case e.denied.Match(doc):
			return no
		}
		return unknown
	case opLeaf:
		v := e.kids[0].eval(t)
		switch {
		case holds(e.filter, v):
			return yes
		case holds(e.denied, v):
			return no
		}
		return unknown
	case opNot:
		return yes - e.kids[0].ask(t)
	case opAnd:
		all := yes
		for _, kid := range e.kids {
			if all = min(all, kid.ask(t)); all == no {
				break
			}
		}
		return all
	case opOr:
		any := no
		for _, kid := range e.kids {
			if any = max(any, kid.ask(t)); any == yes {
				break
			}
		}
		return any
	case opCompare:
		return e.kids[1].compared(t, e.operator, e.kids[0].eval(t))
	case opIs:
		return truthIf(isSame(e.kids[0].eval(t), e.kids[1].eval(t)))
	case opIsTrue:
		return truthIf(e.kids[0].ask(t) == e.want)
	case opLike, opGlob:
		return e.isLike(t)
	case opIn:
		return e.among(t)
	case opBetween:
		v := e.kids[0].eval(t)
		return min(e.kids[1].compared(t, atLeast, v), e.kids[2].compared(t, atMost, v))
	}
	return truthOf(e.eval(t))
}

// compared compares a value with that of e.
func (e *expr) compared(t *tuple, o *query.Operator, v []byte) truth {
	if e.date != nil {
		return compare(o, v, e.ofKind(msgpack.KindOf(v)))
	}
	return compare(o, v, e.eval(t))
}

// ofKind returns what a constant is beside a value of a kind.
func (e *expr) ofKind(kind msgpack.Kind) []byte {
	if e.date != nil && kind == msgpack.Date {
		return e.date
	}
	return e.value
}

// test reports whether e holds as a condition.
func (e *expr) test(t *tuple) bool { return e.ask(t) == yes }

// among evaluates IN with a list of expressions.
func (e *expr) among(t *tuple) truth {
	v, found := e.kids[0].eval(t), no
	for _, kid := range e.kids[1:] {
		if found = max(found, kid.compared(t, equals, v)); found == yes {
			break
		}
	}
	return found
}
