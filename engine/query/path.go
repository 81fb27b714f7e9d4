package query

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A Path leads from a document to values in it. It is names with dots between
// them; a name that is a number also stands for a position in an array. A dot that
// belongs to a name has a backslash before it. The zero Path has no names and leads
// to where it starts.
type Path struct {
	text      string
	parts     []part
	collation Collation // of the texts it reaches
}

type part struct {
	name     string
	position int // in an array; -1 if name is no number
}

// maxPositions bounds how many names of one path count as positions. A number
// may be a position or a field's name, so each number doubles the ways through
// arrays of maps whose fields are named by numbers.
const maxPositions = 16

// MaxPathNames is how many names a path may have. No document is as deep, and a
// path of more would make functions that follow it run out of stack.
const MaxPathNames = 1000

// CheckPath says what is wrong with the length of a path; "" if nothing is.
func CheckPath(text string) string {
	if len(text) >= 2*MaxPathNames-1 && strings.Count(text, ".") >= MaxPathNames {
		return "a path has at most " + strconv.Itoa(MaxPathNames) + " names"
	}
	return ""
}

// SplitPath returns the names of a path. A backslash before a dot or before another
// backslash makes that a part of the name; before anything else it is one itself.
func SplitPath(text string) []string {
	if strings.IndexByte(text, '\\') < 0 {
		return strings.Split(text, ".")
	}
	names := make([]string, 0, 1+strings.Count(text, "."))
	var name []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && (text[i+1] == '.' || text[i+1] == '\\'):
			i++
			name = append(name, text[i])
		case c == '.':
			names = append(names, string(name))
			name = name[:0]
		default:
			name = append(name, c)
		}
	}
	return append(names, string(name))
}

// CutPath returns the first name of a path and the path behind it, if there is one.
func CutPath(text string) (first, rest string, nested bool) {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '.':
			return SplitPath(text[:i])[0], text[i+1:], true
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '.' || text[i+1] == '\\'):
			i++
		}
	}
	return SplitPath(text)[0], "", false
}

// ParsePath takes text apart at its dots. It accepts any text: the parsers of
// this package refuse an empty name themselves, with a better message.
func ParsePath(text string) Path {
	p := Path{text: text}
	if text, p.collation = cutCollation(text); text == "" {
		return p
	}
	p.parts = make([]part, 0, 1+strings.Count(text, "."))
	positions := 0
	for _, name := range SplitPath(text) {
		position := -1
		if positions < maxPositions {
			if position = positionOf(name); position >= 0 {
				positions++
			}
		}
		p.parts = append(p.parts, part{name, position})
	}
	return p
}

// positionOf returns the number that name spells, as String would; else -1.
func positionOf(name string) int {
	if name == "" || name[0] < '0' || name[0] > '9' {
		return -1 // nearly always; ParseInt would allocate an error to say so
	}
	n, err := strconv.ParseInt(name, 10, 32)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != name {
		return -1
	}
	return int(n)
}

// String returns the text the path was parsed from.
func (p Path) String() string { return p.text }

// IsCollated reports whether p reaches keys by a collation.
func (p Path) IsCollated() bool { return p.collation.Strength > 0 }

// Bare returns the path that reaches the values whose keys p reaches by a collation.
func (p Path) Bare() Path {
	if p.IsCollated() {
		p.text, _ = cutCollation(p.text)
		p.collation = Collation{}
	}
	return p
}

// Key returns what stands for a value that p.Bare() reaches: itself, without a collation.
func (p Path) Key(v []byte) []byte { return p.collation.Key(v) }

// IsEmpty reports whether p leads to where it starts.
func (p Path) IsEmpty() bool { return len(p.parts) == 0 }

// Names returns the names of the path, in order.
func (p Path) Names() []string {
	names := make([]string, len(p.parts))
	for i := range p.parts {
		names[i] = p.parts[i].name
	}
	return names
}

// Lookup walks p through maps alone, which is the fast way. plain means that
// no array was crossed: value is then the only one p reaches, nil for none. It
// may itself be an array. If plain is false, only Visit finds what p reaches.
//
// value borrows from doc, unless p has a collation.
func (p Path) Lookup(doc []byte) (value []byte, plain bool) {
	for i := range p.parts {
		field := msgpack.Lookup(doc, p.parts[i].name)
		if field == nil {
			return nil, msgpack.KindOf(doc) != msgpack.Array
		}
		doc = field
	}
	if p.collation.Strength > 0 {
		doc = p.collation.Key(doc)
	}
	return doc, true
}

// First returns the first value that p reaches in doc, nil for none. It borrows from
// doc.
func (p Path) First(doc []byte) (value []byte) {
	v, plain := p.Lookup(doc)
	if plain {
		return v
	}
	p.Visit(doc, func(v []byte, _ bool) bool {
		value = v
		return false
	})
	return value
}

// Visit calls visit for each value that p reaches in doc, in the order of the
// document, until visit returns false. It reports whether visit never did.
// The elements of a reached array are not visited, and a value that p reaches
// in two ways is visited twice. isElement says that the last name of p was the
// position of the value in an array. Values borrow from doc.
func (p Path) Visit(doc []byte, visit func(value []byte, isElement bool) bool) bool {
	return p.VisitWays(doc, func(v []byte, isElement bool) bool { return v == nil || visit(v, isElement) })
}

// VisitWays is Visit that also calls visit with nil for each way that ends without
// a value: in a map without the next name, or in another value that is no array. An
// element of an array that is neither map nor array is no way, as in MongoDB.
func (p Path) VisitWays(doc []byte, visit func(value []byte, isElement bool) bool) bool {
	if p.collation.Strength > 0 {
		return walk(doc, p.parts, false, func(v []byte, isElement bool) bool { return visit(p.collation.Key(v), isElement) })
	}
	return walk(doc, p.parts, false, visit)
}

func walk(v []byte, parts []part, isElement bool, visit func([]byte, bool) bool) bool {
	for i := range parts {
		if msgpack.KindOf(v) == msgpack.Array {
			return walkArray(v, parts[i:], visit)
		}
		if v = msgpack.Lookup(v, parts[i].name); v == nil {
			return visit(nil, false)
		}
		isElement = false
	}
	return visit(v, isElement)
}

// walkArray goes both ways through an array: to one position, and into each
// element that is a map.
func walkArray(array []byte, parts []part, visit func([]byte, bool) bool) bool {
	i := 0
	for element := range msgpack.Elements(array) {
		kind := msgpack.KindOf(element)
		if i == parts[0].position && (len(parts) == 1 || kind >= msgpack.Array) && !walk(element, parts[1:], true, visit) {
			return false
		}
		if kind == msgpack.Map && !walk(element, parts, false, visit) {
			return false
		}
		i++
	}
	return true
}
