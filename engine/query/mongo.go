package query

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

const knownLogic = "$and $or $nor $expr"

// instead says what does the same as operators of MongoDB's that are left out.
var instead = map[string]string{
	"$where":      "a function stands alone, in JavaScript: {$where: (document) => …}, or the function as the condition",
	"$jsonSchema": "documents of one shape are what createCollection's schema is for",
	"$text":       "$regex and the builder's contains search texts",
}

// knownOperators lists the operators that stand under a field name.
func knownOperators() string { return strings.Join(knownFilters, " ") + " $options $all $not" }

// isOperator reports whether a name in a filter is no field's name.
func isOperator(name []byte) bool { return len(name) > 0 && name[0] == '$' }

// filter reads a MongoDB-style filter: {"age": {"$gte": 18}, "city": "Oslo"}.
func (p parser) filter(v []byte) (*Filter, error) {
	var few [4]*Filter // on the stack
	kids := few[:0]
	for key, value := range msgpack.Fields(v) {
		name := string(key)
		kid, err := p.at(name).filterField(name, value)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return And(kids...), nil
}

func (p parser) filterField(name string, v []byte) (*Filter, error) {
	if err := p.count(1); err != nil {
		return nil, err
	}
	switch name {
	case "$and":
		return p.conditions(And, v)
	case "$or":
		return p.conditions(Or, v)
	case "$nor":
		return complement(p.conditions(Or, v))
	case "$expr":
		return p.expr(v)
	case "$comment":
		return True(), nil
	}
	if hint := instead[name]; hint != "" {
		return nil, p.fail(name + " is not known; " + hint)
	}
	if strings.HasPrefix(name, "$") {
		if hasWord(knownOperators(), name) {
			return nil, p.fail("expected a field name around this operator: {field: {" + name + ": …}}")
		}
		return nil, p.fail("unknown operator " + token.Clipped(name) + "; known are " + knownLogic + " and, under a field name, " + knownOperators())
	}
	if name == "" {
		return nil, p.fail("expected a field name, found an empty one")
	}
	path, err := p.fieldPath(name)
	if err != nil {
		return nil, err
	}
	return p.fieldCondition(path, v)
}

// conditions reads the array of filters under $and, $or and $nor.
func (p parser) conditions(join func(...*Filter) *Filter, v []byte) (*Filter, error) {
	if msgpack.KindOf(v) != msgpack.Array || msgpack.Count(v) == 0 {
		return nil, p.expected("an array of filters, at least one", v)
	}
	return p.join(join, msgpack.List(v))
}

// fieldCondition reads what stands under a field name: an object of operators,
// or the value to be equal to.
func (p parser) fieldCondition(path Path, v []byte) (*Filter, error) {
	operators := 0
	var plain []byte
	for name := range msgpack.Fields(v) {
		if isOperator(name) {
			operators++
		} else {
			plain = name
		}
	}
	switch operators {
	case 0:
		return p.equal(path, v)
	case msgpack.Count(v):
		return p.operators(path, v)
	}
	return nil, p.fail("expected only operators or only fields, found both; " + strconv.Quote(string(plain)) + " is no operator; known are " + knownOperators())
}

var equals = OperatorOf(OpEq, false)

// equal holds where path reaches value.
func (p parser) equal(path Path, value []byte) (*Filter, error) {
	return orMissing(p.leaf(equals, path, [][]byte{value}))
}

// orMissing adds the missing field to the leaves of f that ask for null: to MongoDB,
// a field that is not there is null. f is a leaf, a list with patterns, or the
// opposite of one. $gte and $lte ask for null, too, if that is their value.
func orMissing(f *Filter, err error) (*Filter, error) {
	if err != nil {
		return nil, err
	}
	switch f.Op {
	case OpNot:
		return complement(orMissing(f.Kids[0], nil))
	case OpOr: // the patterns come after the list
		list, _ := orMissing(f.Kids[0], nil)
		return Or(append([]*Filter{list}, f.Kids[1:]...)...), nil
	case OpEq, OpGte, OpLte:
		if msgpack.KindOf(f.Value) == msgpack.Null && !f.Path.IsEmpty() {
			return In(f.Path, [][]byte{nil, f.Value}), nil
		}
	case OpIn:
		if msgpack.KindOf(f.Values[0]) == msgpack.Null && !f.Path.IsEmpty() {
			return In(f.Path, append([][]byte{nil}, f.Values...)), nil
		}
	}
	return f, nil
}

// operators reads an object of operators, all of which must hold.
func (p parser) operators(path Path, v []byte) (*Filter, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("expected at most " + strconv.Itoa(maxDepth) + " conditions inside one another")
	}
	var few [4]*Filter // on the stack
	kids := few[:0]
	for key, value := range msgpack.Fields(v) {
		name := string(key)
		kid, err := p.at(name).operator(path, name, value, v)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return And(kids...), nil
}

// operator reads one operator of the object around it.
func (p parser) operator(path Path, name string, v, around []byte) (*Filter, error) {
	if err := p.count(1); err != nil {
		return nil, err
	}
	switch name {
	case "$exists":
		return exists(path, isTruthy(v)), nil
	case "$type":
		return p.mongoType(path, v)
	case "$elemMatch":
		return p.elemMatch(path, v)
	case "$all":
		return p.all(path, v)
	case "$not":
		return p.not(path, v)
	case "$regex":
		return p.regex(path, v, msgpack.Lookup(around, "$options"))
	case "$options":
		if msgpack.Lookup(around, "$regex") == nil {
			return nil, p.fail("expected a $regex beside it")
		}
		return True(), nil // read with its $regex
	}
	if hint := instead[name]; hint != "" {
		return nil, p.fail(name + " is not known; " + hint)
	}
	if o := byFilter[name]; o != nil {
		return orMissing(p.leaf(o, path, [][]byte{v}))
	}
	if hasWord(knownLogic, name) {
		return nil, p.fail("expected an operator on one field, which " + name + " is not: it stands beside field names; known are " + knownOperators())
	}
	return nil, p.fail("unknown operator " + token.Clipped(name) + "; known are " + knownOperators())
}

// isTruthy reports whether MongoDB takes v for true: all but false, 0 and null.
func isTruthy(v []byte) bool {
	kind := msgpack.KindOf(v)
	return kind > msgpack.False && (kind != msgpack.Number || msgpack.Float(v) != 0)
}

// mongoType reads a type's name or code, or an array of which one is enough.
func (p parser) mongoType(path Path, v []byte) (*Filter, error) {
	names := [][]byte{v}
	if msgpack.KindOf(v) == msgpack.Array && msgpack.Count(v) > 0 {
		names = msgpack.List(v)
	}
	if err := p.count(len(names)); err != nil {
		return nil, err
	}
	kids := make([]*Filter, len(names))
	for i, name := range names {
		t, known := mongoType(name)
		if !known {
			return nil, p.expectedLike("a type", name, "the types are "+KnownTypes+", and MongoDB's "+knownMongoTypes()+" or their codes")
		}
		kids[i] = IsType(path, t)
	}
	return Or(kids...), nil
}

// all reads $all: each value is there, in any order. Of nothing, it is never
// true, as in MongoDB.
func (p parser) all(path Path, v []byte) (*Filter, error) {
	if msgpack.KindOf(v) != msgpack.Array {
		return nil, p.expected("an array of values", v)
	}
	if msgpack.Count(v) == 0 {
		return False(), nil
	}
	if err := p.count(msgpack.Count(v)); err != nil {
		return nil, err
	}
	var kids []*Filter
	for element := range msgpack.Elements(v) {
		at := p.at(strconv.Itoa(len(kids)))
		var kid *Filter
		var err error
		if msgpack.Lookup(element, "$regex") != nil {
			kid, err = at.regexObject(path, element)
		} else if inner := msgpack.Lookup(element, "$elemMatch"); inner != nil && msgpack.Count(element) == 1 {
			kid, err = at.at("$elemMatch").elemMatch(path, inner)
		} else if err = at.checkPlain(element); err == nil {
			kid, err = at.equal(path, element)
		}
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return And(kids...), nil
}

// checkPlain refuses an operator in a list of values: as a value, it would be
// equal to next to nothing.
func (p parser) checkPlain(v []byte) error {
	for name := range msgpack.Fields(v) {
		if isOperator(name) {
			return p.fail("expected a value, found the operator " + token.Clipped(string(name)) + "; a list holds values, regular expressions and, under $all, $elemMatch")
		}
	}
	return nil
}

// noMap is an element that has no fields.
var noMap = msgpack.AppendNil(nil)

// elemMatch reads a filter on an element's fields or, where its first key is
// an operator on one value, a condition on the element itself. A filter on fields
// holds for elements that have fields alone; most could not hold for others.
func (p parser) elemMatch(path Path, v []byte) (*Filter, error) {
	if msgpack.KindOf(v) != msgpack.Map {
		return nil, p.expected("an object, of operators or of fields of the element", v)
	}
	p.inAny = true
	var element *Filter
	var err error
	first := firstKey(v)
	isValue := isOperator(first) && !hasWord(knownLogic, string(first))
	if isValue {
		element, err = p.fieldCondition(Path{}, v)
	} else {
		element, err = p.condition(v)
	}
	if err != nil {
		return nil, err
	}
	if !isValue && element.Match(noMap) {
		element = And(IsType(Path{}, TypeDict), element)
	}
	return Any(path, element), nil
}

// firstKey returns the key that was written first; nil if v is no map or empty.
func firstKey(v []byte) []byte {
	for key := range msgpack.Fields(v) {
		return key
	}
	return nil
}

func (p parser) not(path Path, v []byte) (*Filter, error) {
	if !isOperator(firstKey(v)) {
		return nil, p.expectedLike("an object of operators or a regular expression", v, "the complement of equality is $ne")
	}
	return complement(p.fieldCondition(path, v))
}

// regexObject reads {"$regex": source, "$options": flags}, which is what a
// JavaScript RegExp arrives as.
func (p parser) regexObject(path Path, v []byte) (*Filter, error) {
	for name := range msgpack.Fields(v) {
		if string(name) != "$regex" && string(name) != "$options" {
			return nil, p.fail("expected only $regex and $options, found " + string(name))
		}
	}
	return p.regex(path, msgpack.Lookup(v, "$regex"), msgpack.Lookup(v, "$options"))
}

// regex reads a regular expression and its flags, which options may hold, or
// the expression itself if it was a JavaScript RegExp.
func (p parser) regex(path Path, expression, options []byte) (*Filter, error) {
	if source := msgpack.Lookup(expression, "$regex"); source != nil {
		if options == nil {
			options = msgpack.Lookup(expression, "$options")
		}
		expression = source
	}
	if msgpack.KindOf(expression) != msgpack.String {
		return nil, p.expected("a regular expression", expression)
	}
	if options != nil && msgpack.KindOf(options) != msgpack.String {
		return nil, p.expected("flags as text in $options", options)
	}
	flags := string(msgpack.Str(options))
	for _, flag := range flags {
		// JavaScript's d, g, u and v do not change whether a text matches.
		if !strings.ContainsRune("imsdguv", flag) {
			return nil, p.fail("expected the flags i, m and s in $options, found " + strconv.QuoteRune(flag))
		}
	}
	f, err := Matches(path, flagged(flags)+string(msgpack.Str(expression)))
	if err != nil {
		return nil, p.fail(err.Error())
	}
	return f, nil
}

// flagged returns the prefix that sets flags in RE2's syntax.
func flagged(flags string) string {
	prefix := ""
	for _, flag := range "ims" { // in one order, so that equal patterns are equal text
		if strings.ContainsRune(flags, flag) {
			prefix += string(flag)
		}
	}
	if prefix == "" {
		return ""
	}
	return "(?" + prefix + ")"
}

func knownMongoTypes() string {
	names := make([]string, len(mongoTypes))
	for i, m := range mongoTypes {
		names[i] = m.name
	}
	return strings.Join(names, ", ")
}

func hasWord(words, word string) bool { return strings.Contains(" "+words+" ", " "+word+" ") }
