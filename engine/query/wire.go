package query

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// Parse reads a condition in any spelling, as a MessagePack value of unknown
// origin: null is the condition every document meets, a string is text, a map
// is a MongoDB-style filter, and an array is the condition builder's tree:
//
//	["true"] ["false"] ["and", n...] ["or", n...] ["not", n]
//	["collate", collation, n]
//	[name, path, operand...]
//
// where n is a condition in any spelling but null, and name an operator of
// operators.go; its operands are what it takes: two values for between, an array for
// in, true or false for exists, n for any. The Filter keeps nothing of where. The
// error is an [*Error].
func Parse(where []byte) (*Filter, error) {
	// A condition takes two containers at most, and its values come on top.
	n, err := msgpack.Validate(where, 3*maxDepth)
	if err != nil {
		var fault *msgpack.Fault
		if errors.As(err, &fault) {
			return nil, &Error{Path: fault.Path, Message: "the value " + fault.Reason}
		}
		return nil, err
	}
	if n < len(where) {
		return nil, &Error{Message: "expected one value, found " + strconv.Itoa(len(where)-n) + " bytes after it"}
	}
	if msgpack.KindOf(where) == msgpack.Null {
		return True(), nil
	}
	return parser{terms: new(int)}.condition(where)
}

// A parser reads a condition at one place in a tree or a filter.
type parser struct {
	place *place // where it stands, for errors; nil: at the top
	depth int    // how many conditions are around it
	inAny bool   // one of them is an any, so the empty path has a meaning
	terms *int   // conditions that have been read

	collation Collation // by which values compare
}

// A place is a key that leads to a condition. Joined to a text they would take as
// long as all names around each condition.
type place struct {
	around *place
	key    string
}

// at returns the parser of the value under key.
func (p parser) at(key string) parser {
	p.place = &place{p.place, key}
	return p
}

// keys returns the keys that lead there, joined by dots.
func (p parser) keys() string {
	var keys []string
	for at := p.place; at != nil; at = at.around {
		keys = append(keys, at.key)
	}
	slices.Reverse(keys)
	return strings.Join(keys, ".")
}

// count counts n more conditions.
func (p parser) count(n int) error {
	if *p.terms += n; *p.terms > token.MaxTerms {
		return p.fail(token.TooManyTerms("conditions in one; many values of a field go in a list"))
	}
	return nil
}

//go:noinline
func (p parser) fail(message string) error { return &Error{Path: p.keys(), Message: message} }

//go:noinline
func (p parser) expected(what string, found []byte) error {
	return p.fail("expected " + what + ", found " + describe(found))
}

func (p parser) expectedLike(what string, found []byte, hint string) error {
	return p.fail("expected " + what + ", found " + describe(found) + "; " + hint)
}

// condition reads one condition inside others.
func (p parser) condition(v []byte) (*Filter, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("expected at most " + strconv.Itoa(maxDepth) + " conditions inside one another")
	}
	if err := p.count(1); err != nil {
		return nil, err
	}
	switch msgpack.KindOf(v) {
	case msgpack.String:
		inAny := 0
		if p.inAny {
			inAny = 1
		}
		return parseText(string(msgpack.Str(v)), p.depth-1, inAny, p.terms, p.collation)
	case msgpack.Map:
		return p.filter(v)
	case msgpack.Array:
		return p.node(v)
	}
	return nil, p.expectedLike("a condition", v, "one is text, a filter object, or made by the query builder")
}

// node reads an array of the condition builder's tree.
func (p parser) node(v []byte) (*Filter, error) {
	args := msgpack.List(v)
	if len(args) == 0 || msgpack.KindOf(args[0]) != msgpack.String {
		return nil, p.fail("expected the name of an operator, then its operands")
	}
	name := msgpack.Str(args[0])
	args = args[1:]
	switch string(name) {
	case "true":
		return p.constant(OpTrue, args)
	case "false":
		return p.constant(OpFalse, args)
	case "and":
		return p.at("and").join(And, args)
	case "or":
		return p.at("or").join(Or, args)
	case "not":
		p = p.at("not")
		if len(args) != 1 {
			return nil, p.operandCount(1, args)
		}
		return complement(p.condition(args[0]))
	}
	if string(name) == "collate" && len(args) == 2 {
		c, ok := ParseCollation(string(msgpack.Str(args[0])))
		if !ok {
			return nil, p.at("collate").expected("a collation", args[0])
		}
		p.collation = c
		return p.condition(args[1])
	}
	o := byName[string(name)]
	if o == nil {
		return nil, p.fail("unknown operator " + strconv.Quote(token.Clipped(string(name))) + "; known are " + strings.Join(knownNames, ", "))
	}
	p = p.at(o.Name)
	count := 2
	if o.Takes == TakesEnds {
		count = 3
	}
	if len(args) != count {
		return nil, p.operandCount(count, args)
	}
	if msgpack.KindOf(args[0]) != msgpack.String {
		return nil, p.expected("a path", args[0])
	}
	path, err := p.fieldPath(string(msgpack.Str(args[0])))
	if err != nil {
		return nil, err
	}
	return p.leaf(o, path, args[1:])
}

func (p parser) constant(op Op, args [][]byte) (*Filter, error) {
	if len(args) > 0 {
		return nil, p.at(op.String()).operandCount(0, args)
	}
	return &Filter{Op: op}, nil
}

func (p parser) operandCount(want int, found [][]byte) error {
	return p.fail("expected operands: " + strconv.Itoa(want) + ", found: " + strconv.Itoa(len(found)))
}

// join reads the conditions of an and or an or.
func (p parser) join(join func(...*Filter) *Filter, conditions [][]byte) (*Filter, error) {
	kids := make([]*Filter, len(conditions))
	for i, c := range conditions {
		kid, err := p.at(strconv.Itoa(i)).condition(c)
		if err != nil {
			return nil, err
		}
		kids[i] = kid
	}
	return join(kids...), nil
}

func complement(f *Filter, err error) (*Filter, error) {
	if err != nil {
		return nil, err
	}
	return Not(f), nil
}

func (p parser) fieldPath(text string) (Path, error) {
	if text == "" && p.inAny {
		return Path{}, nil
	}
	if why := BadPath(text); why != "" {
		return Path{}, p.fail("expected a field name; " + why)
	}
	return ParsePath(text), nil
}
