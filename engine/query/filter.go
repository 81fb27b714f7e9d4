package query

// Op says what a Filter asks.
type Op uint8

// The operators. From OpEq on they are leaves: they ask about one path, or, as
// OpExpr, about the document.
const (
	OpTrue  Op = iota // every document
	OpFalse           // none
	OpAnd             // all of Kids, of which there are two or more
	OpOr              // one of Kids, of which there are two or more
	OpNot             // not Kids[0]

	OpEq         // equal to Value
	OpGt         // above Value and of its kind
	OpGte        // Value or above
	OpLt         // below Value and of its kind
	OpLte        // Value or below
	OpBetween    // Value to High, both included
	OpIn         // equal to one of Values, of which an empty one stands for a missing field
	OpMatches    // a string in which Pattern is found
	OpStartsWith // a string that starts with the string Value
	OpType       // a value of Type
	OpMod        // a number that leaves a remainder: Value is the divisor and the remainder
	OpBitsAllSet // an integer or bytes in which all bits of the mask Value are set
	OpBitsAnySet
	OpBitsAllClear
	OpBitsAnyClear

	// From here on, what is asked of an array is not asked of its elements.
	OpContains // an array with an element equal to Value, or a string with the substring Value
	OpExists   // any value, null too
	OpAny      // an array with an element that Kids[0] matches
	OpSize     // an array of Size elements
	OpExpr     // the whole document, for which the expression Value is true; Path is empty
)

// A Filter is a condition on documents: a tree whose leaves ask about paths.
// The fields are for reading; only the constructors make filters, because
// they bring every spelling of a condition to one form:
//
//   - And and Or have no kids of their own operator, no constants, and two kids
//     or more. Not has no Not, True or False under it.
//   - Values are owned by the Filter and in canonical encoding: a whole number
//     is an integer if it fits one, and everything is as short as it can be.
//   - The operands of Gt, Gte, Lt, Lte and Between are never NaN, and Between
//     has two different ones of one kind, the lower first.
//   - In has two values or more, sorted by msgpack.Compare, all different. The first
//     may be empty, for a missing field, and then it may be the only one.
//
// A Filter does not change, so it may be shared.
type Filter struct {
	Op      Op
	Path    Path      // leaves: where to look; inside Any, relative to the element
	Value   []byte    // Eq, Gt, Gte, Lt, Lte, Between (the low end), StartsWith, Contains, Mod, Bits…, Expr
	High    []byte    // Between: the high end
	Values  [][]byte  // In
	Pattern string    // Matches: RE2
	Type    Type      // Type
	Size    int       // Size
	Kids    []*Filter // And, Or, Not, Any

	given              []byte          // Eq: Value as it was given, if that is other bytes; nil: it is Value
	operand            operand         // Value, taken apart
	high               operand         // High, taken apart
	text               []byte          // StartsWith, Contains: the bytes of the string Value
	regexp             *pattern        // Matches
	divisor, remainder int64           // Mod
	mask               uint64          // Bits…: of integers
	expr               *expr           // Expr
	spend              func(units int) // of a Stoppable Expr
}
