package query

import (
	"math"
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// An expr is a value that is worked out of a document: one of MongoDB's aggregation
// expressions, as $expr takes them. It is a constant, the value of a field, an array,
// or what an operator makes of its operands.
//
// A missing value is nil. An operand of a kind that the operator does not know makes
// null, where MongoDB stops the query with an error: one document that is unlike the
// others must not make all others unreachable.
type expr struct {
	operator *exprOperator
	operands []*expr
	isArray  bool     // its elements are operands
	names    []string // of a field path
	value    []byte   // a constant, unless one of the others is set
}

// Expr returns the condition that holds where an expression is true: neither false nor
// 0, null or missing. The error is an [*Error].
func (p parser) expr(v []byte) (*Filter, error) {
	if p.inAny {
		return nil, p.fail("$expr is about a whole document, so it cannot stand under $elemMatch")
	}
	if msgpack.KindOf(v) != msgpack.Map { // as text, an expression is an object
		one := msgpack.AppendArray(msgpack.AppendString(msgpack.AppendMap(nil, 1), "$and"), 1)
		v = append(one, v...)
	}
	if err := p.checkValue(v); err != nil {
		return nil, err
	}
	f := &Filter{Op: OpExpr, Value: canonical(v)}
	var err error
	if f.expr, err = p.expression(f.Value); err != nil {
		return nil, err
	}
	return f, nil
}

// expression reads one expression. The value that it is read from stays in use.
func (p parser) expression(v []byte) (*expr, error) {
	if err := p.count(1); err != nil {
		return nil, err
	}
	switch msgpack.KindOf(v) {
	case msgpack.String:
		if text := msgpack.Str(v); len(text) > 0 && text[0] == '$' {
			return p.field(string(text[1:]))
		}
	case msgpack.Array:
		operands, err := p.expressions(msgpack.List(v))
		array := &expr{isArray: true, operands: operands}
		if err == nil && !slices.ContainsFunc(operands, func(e *expr) bool { return e.value == nil }) {
			array = &expr{value: array.valueIn(nil, nil)} // once, not for each document
		}
		return array, err
	case msgpack.Map:
		if msgpack.Count(v) > 0 {
			return p.operation(v)
		}
	}
	return &expr{value: v}, nil
}

func (p parser) expressions(list [][]byte) ([]*expr, error) {
	all := make([]*expr, len(list))
	for i, v := range list {
		var err error
		if all[i], err = p.at(strconv.Itoa(i)).expression(v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// field reads a field path, of which the dollar has been read. Its numbers are names.
func (p parser) field(text string) (*expr, error) {
	if len(text) > 0 && text[0] == '$' {
		return nil, p.fail("expected a field path such as '$age', found the variable '$" + token.Clipped(text) + "'; variables are not known")
	}
	if why := BadPath(text); why != "" {
		return nil, p.fail("expected a field path after $; " + why + "; a text that begins with $ is {$literal: text}")
	}
	return &expr{names: ParsePath(text).Names()}, nil
}

// operation reads {operator: operands}, in which a single operand needs no array.
func (p parser) operation(v []byte) (*expr, error) {
	key := firstKey(v)
	if msgpack.Count(v) > 1 || !isOperator(key) {
		return nil, p.fail("expected one operator, found an object of fields; a constant object is {$literal: {…}}")
	}
	name := string(key)
	operand := msgpack.Lookup(v, name)
	p = p.at(name)
	if name == "$literal" {
		return &expr{value: operand}, nil
	}
	o := exprOperatorNamed(name)
	if o == nil {
		return nil, p.fail("unknown operator " + token.Clipped(name) + "; known in $expr are " + knownExprOperators() + " $literal; a function as the condition does the rest")
	}
	operands := [][]byte{operand}
	switch {
	case msgpack.KindOf(operand) == msgpack.Array:
		operands = msgpack.List(operand)
	case name == "$cond" && msgpack.KindOf(operand) == msgpack.Map && !isOperator(firstKey(operand)):
		operands = operands[:0]
		for _, part := range []string{"if", "then", "else"} {
			if of := msgpack.Lookup(operand, part); of != nil {
				operands = append(operands, of)
			}
		}
		if msgpack.Count(operand) != len(operands) {
			operands = nil // it has other parts
		}
	}
	if len(operands) < o.least || len(operands) > o.most {
		return nil, p.fail("expected operands: " + o.counts() + ", found: " + strconv.Itoa(len(operands)))
	}
	kids, err := p.expressions(operands)
	return &expr{operator: o, operands: kids}, err
}

// valueIn works e out of a document. spend, if it is not nil, is told of the work.
func (e *expr) valueIn(doc []byte, spend func(units int)) []byte {
	switch {
	case e.names != nil:
		return fieldIn(doc, e.names)
	case e.operator == nil && !e.isArray:
		return e.value
	}
	var few [3][]byte
	values, size := few[:0], 0
	for _, operand := range e.operands {
		v := operand.valueIn(doc, spend)
		values = append(values, v)
		size += len(v)
	}
	if spend != nil {
		spend(1 + size>>9)
	}
	if e.operator != nil {
		return e.operator.apply(values)
	}
	array := msgpack.AppendArray(make([]byte, 0, 5+size), len(values))
	for _, v := range values {
		array = append(array, orNull(v)...)
	}
	return array
}

// parts counts the operators and operands of e.
func (e *expr) parts() int {
	n := 1
	for _, operand := range e.operands {
		n += operand.parts()
	}
	return n
}

// fieldIn returns the value at names; through an array, the array of the values that
// its elements have there.
func fieldIn(v []byte, names []string) []byte {
	for i, name := range names {
		if msgpack.KindOf(v) == msgpack.Array {
			count := 0
			var values []byte
			for element := range msgpack.Elements(v) {
				if kind := msgpack.KindOf(element); kind < msgpack.Array {
					continue
				}
				if found := fieldIn(element, names[i:]); found != nil {
					values = append(values, found...)
					count++
				}
			}
			return append(msgpack.AppendArray(nil, count), values...)
		}
		if v = msgpack.Lookup(v, name); v == nil {
			return nil
		}
	}
	return v
}

var null = msgpack.AppendNil(nil)

func orNull(v []byte) []byte {
	if v == nil {
		return null
	}
	return v
}

func boolean(yes bool) []byte { return msgpack.AppendBool(nil, yes) }

// A number is an integer of 64 bits as long as it can be one.
type number struct {
	whole bool
	n     int64
	x     float64
}

func numberOf(v []byte) (n number, ok bool) {
	if msgpack.KindOf(v) != msgpack.Number {
		return n, false
	}
	n.x = msgpack.Float(v)
	if n.n, n.whole = msgpack.Int(v); !n.whole && n.x == math.Trunc(n.x) && math.Abs(n.x) < 1<<53 {
		n.n, n.whole = int64(n.x), true
	}
	return n, true
}

// wholeOr returns n where ok says that it is exact, and otherwise x.
func wholeOr(n int64, ok bool, x float64) number {
	if !ok {
		return number{x: x}
	}
	return number{whole: true, n: n, x: float64(n)}
}

func (n number) value() []byte {
	if n.whole {
		return msgpack.AppendInt(nil, n.n)
	}
	return msgpack.AppendFloat(nil, n.x)
}
