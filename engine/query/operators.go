package query

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// An Operator is one question that a condition can ask about a path: a row of
// the table below. Every spelling reads and prints conditions by these rows.
// So does the condition builder in JavaScript: npm/src/query/operators.ts is
// written from the table. What an operator means is in match.go.
type Operator struct {
	Op Op
	// Negates marks an operator that holds exactly where Op does not.
	Negates bool

	Name   string // in the condition builder and in its tree
	Text   string // in text and in SQL: a sign, or a word in any case
	Also   string // another sign for the same in text and in SQL; "" if there is none
	Filter string // in MongoDB-style filters; "" if they do not have it

	Takes Takes
	leaf  func(Path, Operands) (*Filter, error) // asks for Op
}

// Takes says which operands follow the path. An operator that takes what
// another one takes is read and printed without any code of its own.
type Takes uint8

// What operators take.
const (
	TakesValue     Takes = iota // a value of any type
	TakesEnds                   // two values, the low one first
	TakesList                   // a list of values
	TakesText                   // text
	TakesPattern                // a regular expression
	TakesYes                    // true or false; in text and SQL nothing, which is true
	TakesType                   // the name of a type
	TakesSize                   // how many elements
	TakesCondition              // a condition on an element
)

// Operands are what follows the path. Takes says which of the fields count.
type Operands struct {
	Value   []byte // TakesValue; TakesEnds: the low one
	High    []byte // TakesEnds
	Values  [][]byte
	Text    string // TakesText, TakesPattern
	Yes     bool
	Type    Type
	Size    int
	Element *Filter
}

// operators is the table. Errors list the operators in its order.
var operators = [...]Operator{
	{Op: OpEq, Name: "eq", Text: "=", Also: "==", Filter: "$eq", Takes: TakesValue, leaf: ofValue(Eq)},
	{Op: OpEq, Name: "ne", Text: "!=", Also: "<>", Filter: "$ne", Takes: TakesValue, leaf: ofValue(Eq), Negates: true},
	{Op: OpGt, Name: "gt", Text: ">", Filter: "$gt", Takes: TakesValue, leaf: ofValue(Gt)},
	{Op: OpGte, Name: "gte", Text: ">=", Filter: "$gte", Takes: TakesValue, leaf: ofValue(Gte)},
	{Op: OpLt, Name: "lt", Text: "<", Filter: "$lt", Takes: TakesValue, leaf: ofValue(Lt)},
	{Op: OpLte, Name: "lte", Text: "<=", Filter: "$lte", Takes: TakesValue, leaf: ofValue(Lte)},
	{Op: OpBetween, Name: "between", Text: "between", Takes: TakesEnds, leaf: func(p Path, o Operands) (*Filter, error) { return Between(p, o.Value, o.High), nil }},
	{Op: OpIn, Name: "in", Text: "in", Filter: "$in", Takes: TakesList, leaf: ofList(In)},
	{Op: OpIn, Name: "notIn", Text: "not in", Filter: "$nin", Takes: TakesList, leaf: ofList(In), Negates: true},
	{Op: OpMatches, Name: "matches", Text: "matches", Filter: "$regex", Takes: TakesPattern, leaf: func(p Path, o Operands) (*Filter, error) { return Matches(p, o.Text) }},
	{Op: OpStartsWith, Name: "startsWith", Text: "startsWith", Takes: TakesText, leaf: func(p Path, o Operands) (*Filter, error) { return StartsWith(p, o.Text), nil }},
	{Op: OpContains, Name: "contains", Text: "contains", Takes: TakesValue, leaf: ofValue(Contains)},
	{Op: OpExists, Name: "exists", Text: "exists", Filter: "$exists", Takes: TakesYes, leaf: func(p Path, o Operands) (*Filter, error) { return exists(p, o.Yes), nil }},
	{Op: OpType, Name: "type", Text: "type", Filter: "$type", Takes: TakesType, leaf: func(p Path, o Operands) (*Filter, error) { return IsType(p, o.Type), nil }},
	{Op: OpMod, Name: "mod", Text: "mod", Filter: "$mod", Takes: TakesValue, leaf: func(p Path, o Operands) (*Filter, error) { return Mod(p, o.Value) }},
	{Op: OpBitsAllSet, Name: "bitsAllSet", Text: "bitsAllSet", Filter: "$bitsAllSet", Takes: TakesValue, leaf: ofBits(OpBitsAllSet)},
	{Op: OpBitsAnySet, Name: "bitsAnySet", Text: "bitsAnySet", Filter: "$bitsAnySet", Takes: TakesValue, leaf: ofBits(OpBitsAnySet)},
	{Op: OpBitsAllClear, Name: "bitsAllClear", Text: "bitsAllClear", Filter: "$bitsAllClear", Takes: TakesValue, leaf: ofBits(OpBitsAllClear)},
	{Op: OpBitsAnyClear, Name: "bitsAnyClear", Text: "bitsAnyClear", Filter: "$bitsAnyClear", Takes: TakesValue, leaf: ofBits(OpBitsAnyClear)},
	{Op: OpAny, Name: "any", Text: "any", Filter: "$elemMatch", Takes: TakesCondition, leaf: func(p Path, o Operands) (*Filter, error) { return Any(p, o.Element), nil }},
	{Op: OpSize, Name: "size", Text: "size", Filter: "$size", Takes: TakesSize, leaf: func(p Path, o Operands) (*Filter, error) { return HasSize(p, o.Size), nil }},
}

func ofValue(leaf func(Path, []byte) *Filter) func(Path, Operands) (*Filter, error) {
	return func(p Path, o Operands) (*Filter, error) { return leaf(p, o.Value), nil }
}

func ofList(leaf func(Path, [][]byte) *Filter) func(Path, Operands) (*Filter, error) {
	return func(p Path, o Operands) (*Filter, error) { return leaf(p, o.Values), nil }
}

func exists(p Path, yes bool) *Filter {
	if !yes {
		return Not(Exists(p))
	}
	return Exists(p)
}

// Of returns the condition that o asks of p. The error says what is wrong with
// the operands, where a value of any kind is not enough.
func (o *Operator) Of(p Path, operands Operands) (*Filter, error) {
	f, err := o.leaf(p, operands)
	if err == nil && o.Negates {
		f = Not(f)
	}
	return f, err
}

// logic are the names of the operators before OpEq, which ask about conditions.
var logic = [...]string{OpTrue: "true", OpFalse: "false", OpAnd: "and", OpOr: "or", OpNot: "not"}

// expression is what text calls OpExpr. It is in no row, because it asks about no path.
const expression = "expr"

// String returns the operator's name in the condition builder.
func (op Op) String() string {
	switch {
	case op < OpEq:
		return logic[op]
	case op == OpExpr:
		return expression
	}
	return OperatorOf(op, false).Name
}

// OperatorOf returns the operator that asks for op, or for its opposite; nil if
// there is none.
func OperatorOf(op Op, negates bool) *Operator {
	for i := range operators {
		if o := &operators[i]; o.Op == op && o.Negates == negates {
			return o
		}
	}
	return nil
}

// The table by what the spellings call its operators.
var (
	byName   = map[string]*Operator{}
	bySign   = map[string]*Operator{}
	byFilter = map[string]*Operator{}
	words    []*Operator // those that text can say with or without a "not" before them
)

// How errors list the operators.
var knownNames, knownSigns, knownWords, knownFilters []string

func init() {
	knownNames = append(knownNames, logic[:]...)
	for i := range operators {
		o := &operators[i]
		byName[o.Name] = o
		knownNames = append(knownNames, o.Name)
		if o.Filter != "" {
			byFilter[o.Filter] = o
			knownFilters = append(knownFilters, o.Filter)
		}
		switch {
		case o.Text[0] < 'A':
			bySign[o.Text] = o
			knownSigns = append(knownSigns, o.Text)
			if o.Also != "" {
				bySign[o.Also] = o
			}
		case !o.Negates:
			words = append(words, o)
			knownWords = append(knownWords, o.Text)
		}
	}
}

// TakeSign consumes the sign of an operator and returns the operator; nil if
// something else comes next.
func TakeSign(r *token.Reader) *Operator {
	if r.Token.Kind != token.Sign {
		return nil
	}
	o := bySign[r.Token.Text]
	if o != nil {
		r.Next()
	}
	return o
}

// TakeWord consumes the word of an operator and returns the operator; nil if
// something else comes next.
func TakeWord(r *token.Reader) *Operator {
	if r.Token.Kind != token.Name || r.Token.Quoted {
		return nil
	}
	for _, o := range words {
		if token.SameWord(r.Token.Text, o.Text) {
			r.Next()
			return o
		}
	}
	return nil
}

// KnownWords lists the operators that are words, for an error.
func KnownWords() string { return strings.Join(knownWords, ", ") }
