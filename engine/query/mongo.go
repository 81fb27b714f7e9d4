package query

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

const (
	knownOperators = "$eq $ne $gt $gte $lt $lte $in $nin $exists $type $regex $options $size $all $elemMatch $not"
	knownLogic     = "$and $or $nor"
)

// filter reads a MongoDB-style filter: {"age": {"$gte": 18}, "city": "Oslo"}.
func (p place) filter(v []byte) (*Filter, error) {
	var few [4]*Filter // on the stack
	kids := few[:0]
	for _, f := range fieldsOf(v) {
		kid, err := p.at(f.name).filterField(f)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return And(kids...), nil
}

func (p place) filterField(f field) (*Filter, error) {
	switch f.name {
	case "$and":
		return p.conditions(And, f.value)
	case "$or":
		return p.conditions(Or, f.value)
	case "$nor":
		return complement(p.conditions(Or, f.value))
	}
	if strings.HasPrefix(f.name, "$") {
		if hasWord(knownOperators, f.name) {
			return nil, p.fail("expected a field name around this operator: {field: {" + f.name + ": …}}")
		}
		return nil, p.fail("unknown operator " + token.Clipped(f.name) + "; known are " + knownLogic + " and, under a field name, " + knownOperators)
	}
	if f.name == "" {
		return nil, p.fail("expected a field name, found an empty one")
	}
	path, err := p.fieldPath(f.name)
	if err != nil {
		return nil, err
	}
	return p.fieldCondition(path, f.value)
}

// conditions reads the array of filters under $and, $or and $nor.
func (p place) conditions(join func(...*Filter) *Filter, v []byte) (*Filter, error) {
	if count, _ := msgpack.Container(v); msgpack.KindOf(v) != msgpack.Array || count == 0 {
		return nil, p.expected("an array of filters, at least one", v)
	}
	return p.join(join, elementsOf(v))
}

// fieldCondition reads what stands under a field name: an object of operators,
// or the value to be equal to.
func (p place) fieldCondition(path Path, v []byte) (*Filter, error) {
	fields := fieldsOf(v)
	if len(fields) == 0 {
		return p.compared(Eq, path, v)
	}
	operators := 0
	plain := ""
	for _, f := range fields {
		if strings.HasPrefix(f.name, "$") {
			operators++
		} else {
			plain = f.name
		}
	}
	switch operators {
	case 0:
		return p.compared(Eq, path, v)
	case len(fields):
		return p.operators(path, v)
	}
	return nil, p.fail("expected only operators or only fields, found both; " + strconv.Quote(plain) + " is no operator; known are " + knownOperators)
}

// operators reads an object of operators, all of which must hold.
func (p place) operators(path Path, v []byte) (*Filter, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("expected at most " + strconv.Itoa(maxDepth) + " conditions inside one another")
	}
	var few [4]*Filter // on the stack
	kids := few[:0]
	for _, f := range fieldsOf(v) {
		kid, err := p.at(f.name).operator(path, f, v)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	return And(kids...), nil
}

// operator reads one operator of the object around it.
func (p place) operator(path Path, f field, around []byte) (*Filter, error) {
	switch f.name {
	case "$eq":
		return p.compared(Eq, path, f.value)
	case "$ne":
		return p.compared(notEq, path, f.value)
	case "$gt":
		return p.compared(Gt, path, f.value)
	case "$gte":
		return p.compared(Gte, path, f.value)
	case "$lt":
		return p.compared(Lt, path, f.value)
	case "$lte":
		return p.compared(Lte, path, f.value)
	case "$in":
		return p.in(path, f.value)
	case "$nin":
		return complement(p.in(path, f.value))
	case "$exists":
		return p.exists(path, f.value)
	case "$type":
		return p.mongoType(path, f.value)
	case "$size":
		return p.size(path, f.value)
	case "$all":
		return p.all(path, f.value)
	case "$elemMatch":
		return p.elemMatch(path, f.value)
	case "$not":
		return p.not(path, f.value)
	case "$regex":
		return p.regex(path, f.value, msgpack.Lookup(around, "$options"))
	case "$options":
		if msgpack.Lookup(around, "$regex") == nil {
			return nil, p.fail("expected a $regex beside it")
		}
		return True(), nil // read with its $regex
	}
	if hasWord(knownLogic, f.name) {
		return nil, p.fail("expected an operator on one field, which " + f.name + " is not: it stands beside field names; known are " + knownOperators)
	}
	return nil, p.fail("unknown operator " + token.Clipped(f.name) + "; known are " + knownOperators)
}

// mongoType reads a type's name or code, or an array of which one is enough.
func (p place) mongoType(path Path, v []byte) (*Filter, error) {
	names := [][]byte{v}
	if count, _ := msgpack.Container(v); msgpack.KindOf(v) == msgpack.Array && count > 0 {
		names = elementsOf(v)
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
func (p place) all(path Path, v []byte) (*Filter, error) {
	if msgpack.KindOf(v) != msgpack.Array {
		return nil, p.expected("an array of values", v)
	}
	elements := elementsOf(v)
	if len(elements) == 0 {
		return False(), nil
	}
	kids := make([]*Filter, len(elements))
	for i, element := range elements {
		at := p.at(strconv.Itoa(i))
		var err error
		switch fields := fieldsOf(element); {
		case msgpack.Lookup(element, "$regex") != nil:
			kids[i], err = at.regexObject(path, element)
		case len(fields) == 1 && fields[0].name == "$elemMatch":
			kids[i], err = at.at("$elemMatch").elemMatch(path, fields[0].value)
		default:
			kids[i], err = at.compared(Eq, path, element)
		}
		if err != nil {
			return nil, err
		}
	}
	return And(kids...), nil
}

// elemMatch reads a filter on an element's fields or, where its first key is
// an operator on one value, a condition on the element itself.
func (p place) elemMatch(path Path, v []byte) (*Filter, error) {
	if msgpack.KindOf(v) != msgpack.Map {
		return nil, p.expected("an object, of operators or of fields of the element", v)
	}
	p.inAny = true
	read := place.condition
	if fields := fieldsOf(v); len(fields) > 0 && strings.HasPrefix(fields[0].name, "$") && !hasWord(knownLogic, fields[0].name) {
		read = func(p place, v []byte) (*Filter, error) { return p.fieldCondition(Path{}, v) }
	}
	element, err := read(p, v)
	if err != nil {
		return nil, err
	}
	return Any(path, element), nil
}

func (p place) not(path Path, v []byte) (*Filter, error) {
	fields := fieldsOf(v)
	if len(fields) == 0 || !strings.HasPrefix(fields[0].name, "$") {
		return nil, p.expectedLike("an object of operators or a regular expression", v, "the complement of equality is $ne")
	}
	return complement(p.fieldCondition(path, v))
}

// regexObject reads {"$regex": source, "$options": flags}, which is what a
// JavaScript RegExp arrives as.
func (p place) regexObject(path Path, v []byte) (*Filter, error) {
	for _, f := range fieldsOf(v) {
		if f.name != "$regex" && f.name != "$options" {
			return nil, p.fail("expected only $regex and $options, found " + f.name)
		}
	}
	return p.regex(path, msgpack.Lookup(v, "$regex"), msgpack.Lookup(v, "$options"))
}

// regex reads a regular expression and its flags, which options may hold, or
// the expression itself if it was a JavaScript RegExp.
func (p place) regex(path Path, expression, options []byte) (*Filter, error) {
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
	return p.matches(path, msgpack.AppendString(nil, flagged(flags)+string(msgpack.Str(expression))))
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
