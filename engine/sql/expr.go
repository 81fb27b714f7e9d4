package sql

import (
	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// An op says what an expr is.
type op uint8

const (
	opConst op = iota // value
	opParam           // text is its name, or index its number from 0
	opPath            // text
	opNot
	opAnd
	opOr
	opCompare // operator, one with a sign, between two kids
	opChain   // kids[0] signs[0] kids[1] signs[1] …, from left to right
	opConcat
	opNegate
	opComplement // ~ kids[0]
	opCast       // kids[0] as the type of number index
	opCollate    // kids[0], to be compared by the collation of number index
	opKey        // the text of kids[0] as the collation of number index compares it
	opText       // kids[0] as text if it is a number
	opNumber     // kids[0] with 1 and 0 for true and false
	opIn         // kids[0] is one of the others
	opBetween    // kids[0] lies from kids[1] to kids[2]
	opLike       // kids[0] is like kids[1]; kids[2], if any, is the escape character
	opILike
	opGlob
	opIs        // kids[0] is kids[1], also where both are null
	opIsTrue    // the truth of kids[0] is want
	opAsk       // operator, any other, asks about kids[0]; its operand is kids[1] or kind, if it takes one
	opAny       // kids[1] is asked of the elements of kids[0]
	opCase      // what to compare, if index is 1; pairs of a condition, or of what it equals, and a value; the value of ELSE, if there is one
	opCall      // function
	opAggregate // aggregate of kids[0], if there is one
	opWindow    // window function index, or aggregate, of kids over over
	opRow       // several values in parentheses, which only comparisons take
	opSubquery  // sub; kids[0] is what an IN looks for. Bound, the others are what it asks of the queries around

	// What binding makes of them.
	opField  // the value at path in the document of table
	opFilter // holds where filter does for the document of table, and is false where denied holds
	opLeaf   // the same of the value of kids[0]; paths are empty
	opSlot   // the value at index in the row of a group
	opColumn // the value at index in the row of table, which is of a query
)

// An expr is an expression of a statement. Parsing makes one tree, and binding
// another, whose names and parameters are resolved.
type expr struct {
	op         op
	start, end int // where it stands in the text
	text       string
	quoted     bool // opPath: the first name is in quotes
	signs      string
	value      []byte
	date       []byte // opConst: what value, a text, also is in a comparison; see dateLiteral
	index      int
	operator   *query.Operator
	kind       query.Type
	kids       []*expr
	function   *function
	aggregate  aggregate
	distinct   bool
	table      int
	path       query.Path
	filter     *query.Filter
	sub        *subquery
	bound      *boundSubquery
	denied     *query.Filter
	want       truth
	over       *windowSpec
}

// isCondition reports whether e is true, false or unknown, and nothing else.
func (e *expr) isCondition() bool {
	switch e.op {
	case opNot, opAnd, opOr, opCompare, opIn, opBetween, opLike, opILike, opGlob, opIs, opIsTrue, opAsk, opAny, opFilter, opLeaf:
		return true
	}
	return false
}

// mayBeTruth reports whether e, as parsed or bound, may have a truth for its value, as
// COALESCE(a = 1, 0) has.
func (e *expr) mayBeTruth() bool {
	switch e.op {
	case opCase, opCall, opAggregate, opWindow:
		for _, kid := range e.kids {
			if kid.mayBeTruth() {
				return true
			}
		}
		return false
	case opSubquery:
		return e.sub.kind != subScalar
	}
	return e.isCondition()
}

// isConst reports whether e, which is bound, is a value known before the run.
func (e *expr) isConst() bool { return e.op == opConst }

//go:noinline
func constant(from *expr, value []byte) *expr {
	return &expr{op: opConst, start: from.start, end: from.end, value: value}
}

//go:noinline
func truthAt(from *expr, t truth) *expr { return constant(from, t.value()) }

// walk visits e and what it consists of.
func (e *expr) walk(visit func(*expr)) {
	visit(e)
	for _, kid := range e.kids {
		kid.walk(visit)
	}
	if e.over != nil {
		e.over.walk(visit)
	}
}

// size is how many expressions e consists of.
func (e *expr) size() (n int) {
	e.walk(func(*expr) { n++ })
	return n
}

// hasAggregate reports whether e, as parsed, asks for an aggregate.
func (e *expr) hasAggregate() (found bool) {
	e.walk(func(part *expr) { found = found || part.op == opAggregate })
	return found
}

// appendKey appends bytes that are the same for bound expressions that are the same.
func (e *expr) appendKey(b []byte) []byte {
	b = append(b, '(', byte(e.op), byte(e.kind), byte(e.aggregate), byte(e.want))
	for _, n := range [...]int{e.index, e.table, len(e.kids), len(e.value), len(e.date)} {
		b = append(b, number(n)...)
	}
	if e.distinct {
		b = append(b, 'd')
	}
	b = appendText(b, e.text)
	b = appendText(b, e.signs)
	b = appendText(b, e.path.String())
	b = append(append(b, e.value...), e.date...)
	if e.operator != nil {
		b = appendText(b, e.operator.Name)
		b = msgpack.AppendBool(b, e.operator.Negates)
	}
	if e.function != nil {
		b = appendText(b, e.function.name)
	}
	if e.sub != nil {
		b = append(b, number(e.start)...) // no other subquery starts there
	}
	if e.filter != nil {
		b = msgpack.AppendString(msgpack.AppendString(b, e.filter.String()), e.denied.String())
	}
	for _, kid := range e.kids {
		b = kid.appendKey(b)
	}
	return append(b, ')')
}

// same reports whether two bound expressions always have the same value.
func same(a, b *expr) bool {
	if a.op != b.op || a.text != b.text || a.signs != b.signs || a.index != b.index || a.operator != b.operator || a.kind != b.kind || a.want != b.want || a.table != b.table ||
		a.aggregate != b.aggregate || a.distinct != b.distinct || a.function != b.function || len(a.kids) != len(b.kids) {
		return false
	}
	switch {
	case a.sub != b.sub, a.path.String() != b.path.String(), string(a.value) != string(b.value), string(a.date) != string(b.date):
		return false
	case (a.filter == nil) != (b.filter == nil):
		return false
	case a.filter != nil && (a.filter.String() != b.filter.String() || a.denied.String() != b.denied.String()):
		return false
	}
	for i := range a.kids {
		if !same(a.kids[i], b.kids[i]) {
			return false
		}
	}
	return true
}

// An aggregate is a function over the documents of a group.
type aggregate uint8

const (
	aggCount aggregate = iota
	aggSum
	aggAvg
	aggMin
	aggMax
	aggFirst
	aggLast
	aggTotal
	aggConcat
	aggArray
	aggObject
)

// collects reports whether a is put together of all values of a group, one after the other.
func (a aggregate) collects() bool { return a >= aggConcat }

// aggregates are their names, and the engine's operators for them.
var aggregates = [...]struct {
	name string
	op   engine.AggregateOp
}{
	aggCount: {"count", engine.AggCount},
	aggSum:   {"sum", engine.AggSumOrNull},
	aggAvg:   {"avg", engine.AggAvg},
	aggMin:   {"min", engine.AggMin},
	aggMax:   {"max", engine.AggMax},
	aggFirst: {"first", engine.AggFirst},
	aggLast:  {"last", engine.AggLast},
	aggTotal: {"total", engine.AggSum},
	// The engine has none for these: it counts, and concat.go does the rest.
	aggConcat: {"group_concat", engine.AggCount},
	aggArray:  {"json_group_array", engine.AggCount},
	aggObject: {"json_group_object", engine.AggCount},
}
