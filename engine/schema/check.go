package schema

import (
	"bytes"
	"encoding/base64"
	"slices"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

const (
	// Of schemas in schemas, as they are applied. Each takes up to four calls, and a JavaScript engine ends a wasm whose
	// calls are too deep: Node 20 at 2,600 levels of not.
	maxLevels = 1_000
	// How many schemas, and fields and elements under them, may be looked at, at the least and for each byte of the value.
	minSteps, stepsPerByte = 1_000_000, 100
	// How many parts of a pattern, for one byte of a text, count as one of these steps.
	partsPerStep = 8
)

// Check returns nil if v, which must be valid MessagePack, fits the schema, else
// all that is wrong with it, as *Faults.
func (s *Schema) Check(v []byte) error { return s.check(v, nil) }

// CheckDocument is Check for a document of AtomicDB, whose first field is _id. A schema
// that does not name the _id says nothing of it: it counts neither as an additional nor
// as an unevaluated property, nor for minProperties and maxProperties.
func (s *Schema) CheckDocument(doc []byte) error { return s.check(doc, &doc[0]) }

func (s *Schema) check(v []byte, document *byte) error {
	c := &s.checker
	c.begin(v, document)
	if c.fitsAny(s.root, v) && !c.gaveUp {
		return nil
	}
	// Again, to say what is wrong.
	c.begin(v, document)
	f := &Faults{}
	c.faults = f
	c.valid(s.root, v, noMarks)
	c.faults = nil
	if c.gaveUp {
		f.add(Fault{Keyword: "$ref", Message: "takes more than " + itoa(maxLevels) + " levels or " + itoa(c.allowed) + " steps to check"})
	}
	if len(f.List) == 0 {
		panic("schema: the value is refused, but nothing is wrong with it")
	}
	return f
}

// A checker applies nodes to values. Without faults it stops at the first fault; with
// faults it goes on.
type checker struct {
	faults *Faults // nil: only whether the value is valid
	path   []string

	document *byte // where the document begins whose _id counts for nothing; nil: none
	steps    int   // left
	allowed  int
	levels   int
	gaveUp   bool

	isDynamic bool
	scope     []*resource // the resources on the way, the outermost first
	marks     []uint64    // see marks.go
	text      []byte      // of a date or of bytes
	order     [][]byte    // of uniqueItems
}

func (c *checker) begin(v []byte, document *byte) {
	c.document, c.levels, c.gaveUp = document, 0, false
	c.allowed = minSteps + stepsPerByte*len(v)
	c.steps = c.allowed
	c.scope, c.marks, c.path = c.scope[:0], c.marks[:0], c.path[:0]
}

// valid applies n to v. It marks in m what n has evaluated, if the result is true.
func (c *checker) valid(n *node, v []byte, m marks) bool {
	if n.constant == always {
		return true
	}
	c.steps--
	if c.steps < 0 || c.levels >= maxLevels || c.gaveUp {
		c.gaveUp = true
		return false
	}
	if n.constant == never {
		return c.refuse("false", notAllowed)
	}
	c.levels++
	before, marked, entered := c.faults.count(), len(c.marks), false
	if c.isDynamic && (len(c.scope) == 0 || c.scope[len(c.scope)-1] != n.home) {
		c.scope, entered = append(c.scope, n.home), true
	}
	ok := c.apply(n, v, m)
	if entered {
		c.scope = c.scope[:len(c.scope)-1]
	}
	c.marks = c.marks[:marked]
	c.levels--
	return ok && c.faults.count() == before
}

// mayTake counts steps, and reports whether there were as many.
func (c *checker) mayTake(steps int) bool {
	c.steps -= steps
	c.gaveUp = c.gaveUp || c.steps < 0
	return !c.gaveUp
}

// apply is valid without the bookkeeping. In the search for all faults it returns
// true also where it has noted one.
func (c *checker) apply(n *node, v []byte, m marks) bool {
	kind := msgpack.KindOf(v)
	if n.types != 0 && n.types&(1<<kind) == 0 && !(kind == msgpack.Number && n.types&wholeBit != 0 && isWhole(v)) {
		return c.refuseType(n, v) // the other rules would say the same in other words
	}
	if n.values != nil && !c.hasValue(n, v) {
		return false
	}
	other := n.otherProperties
	if kind == msgpack.Array {
		other = n.otherItems
	} else if kind != msgpack.Map {
		other = nil
	}
	outer := m
	if other != nil {
		m = c.newMarks(v)
	}
	ok := true
	switch kind {
	case msgpack.Number:
		ok = n.number == nil || c.numberFits(n.number, v)
	case msgpack.String:
		ok = n.text == nil || c.textFits(n.text, v, str(v))
	case msgpack.Date, msgpack.Bytes:
		ok = n.text == nil || c.textFits(n.text, v, c.textOf(v))
	case msgpack.Array:
		if n.array == nil {
		} else if m == noMarks && c.faults == nil {
			ok = c.elementsFit(n.array, v)
		} else {
			ok = c.arrayFits(n.array, v, m)
		}
	case msgpack.Map:
		if n.object == nil {
		} else if m == noMarks && c.faults == nil {
			ok = c.fieldsFit(n.object, v)
		} else {
			ok = c.objectFits(n.object, v, m)
		}
	}
	if ok && n.inPlace != nil {
		ok = c.inPlaceFits(n.inPlace, v, m)
	}
	if ok && other != nil {
		ok = c.othersFit(other, kind, v, m)
		c.markAll(outer, v)
	}
	return ok
}

// refuse notes a fault at the place where the checker is. It returns whether to
// go on, which is the search for all faults.
//
//go:noinline
func (c *checker) refuse(keyword, why string) bool {
	return c.refuseAt(keyword, "", why)
}

//go:noinline
func (c *checker) refuseAt(keyword, name, why string) bool {
	if c.faults == nil {
		return false
	}
	c.faults.note(c.path, keyword, name, why)
	return true
}

// test is valid that notes no faults.
//
//go:noinline
func (c *checker) test(n *node, v []byte, m marks) bool {
	f := c.faults
	c.faults = nil
	ok := c.valid(n, v, m)
	c.faults = f
	return ok
}

// validAt is valid for a value inside the one that the checker looks at.
//
//go:noinline
func (c *checker) validAt(name []byte, i int, n *node, v []byte) bool {
	if c.faults == nil {
		return n.accepts[v[0]] > 0 || c.fitsAny(n, v)
	}
	if name != nil {
		c.path = append(c.path, string(name))
	} else {
		c.path = append(c.path, itoa(i))
	}
	c.valid(n, v, noMarks)
	c.path = c.path[:len(c.path)-1]
	return true // and go on
}

func (c *checker) refuseType(n *node, v []byte) bool {
	if c.faults == nil {
		return false
	}
	return c.refuse("type", "must be "+typesText(n.types)+", is "+describe(v))
}

// hasValue checks enum and const.
func (c *checker) hasValue(n *node, v []byte) bool {
	for i := range n.values {
		if rule := &n.values[i]; !c.isOneOf(rule, v) {
			if c.faults == nil {
				return false
			}
			c.refuse(rule.what, valuesText(rule.list)+", is "+describe(v))
		}
	}
	return true
}

func (c *checker) isOneOf(r *valueRules, v []byte) bool {
	kind := msgpack.KindOf(v)
	if r.sorted != nil {
		if has(r.sorted, v) {
			return true
		}
		return (kind == msgpack.Date || kind == msgpack.Bytes) && has(r.sorted, msgpack.AppendString(nil, c.textOf(v)))
	}
	for _, one := range r.list {
		if bytes.Equal(one, v) {
			return true
		}
	}
	for _, one := range r.list {
		if msgpack.Equal(one, v) {
			return true
		}
		if (kind == msgpack.Date || kind == msgpack.Bytes) && msgpack.KindOf(one) == msgpack.String && bytes.Equal(str(one), c.textOf(v)) {
			return true
		}
	}
	return false
}

func has(sorted [][]byte, v []byte) bool {
	_, ok := slices.BinarySearchFunc(sorted, v, msgpack.Compare)
	return ok
}

func (c *checker) numberFits(r *numberRules, v []byte) bool {
	if msgpack.IsDouble(v) {
		if x := msgpack.Float(v); x >= r.lowFloat && x <= r.highFloat {
			return true
		}
	} else if n, ok := msgpack.Int(v); ok && n >= r.low && n <= r.high {
		return true
	}
	for i, limit := range r.limits {
		if limit == nil {
			continue
		}
		order := msgpack.Compare(v, limit)
		if i >= limitsAbove {
			order = -order
		}
		kind := &limitKinds[i]
		if (order < 0 || order == 0 && kind.isExclusive || isNaN(v)) && !c.refuseNumber(kind.keyword, kind.relation, limit, v) {
			return false
		}
	}
	if r.factorText != nil {
		if d, ok := decimalOf(v); !ok || !d.isMultipleOf(r.factor) {
			return c.refuseNumber("multipleOf", "a multiple of ", r.factorText, v)
		}
	}
	return true
}

//go:noinline
func (c *checker) refuseNumber(keyword, relation string, limit, v []byte) bool {
	if c.faults == nil {
		return false
	}
	return c.refuse(keyword, "must be "+relation+describe(limit)+", is "+describe(v))
}

// textOf returns the text that a date or bytes are taken for. It is valid until the
// next call.
//
//go:noinline
func (c *checker) textOf(v []byte) []byte {
	if msgpack.KindOf(v) == msgpack.Date {
		c.text = token.InstantOf(v).AppendISO(c.text[:0])
	} else {
		c.text = base64.StdEncoding.AppendEncode(c.text[:0], msgpack.Bin(v))
	}
	return c.text
}

// matches counts what a pattern of many parts may take in a long text: one of 45,000
// parts took more than 3 minutes for 100 kB.
func (c *checker) matches(p *pattern, text []byte) bool {
	if c.steps -= p.parts * len(text) / partsPerStep; c.steps < 0 {
		c.gaveUp = true
		return false
	}
	return p.match(text)
}

func (c *checker) textFits(r *textRules, v, text []byte) bool {
	// A code point takes 1 to 4 bytes, so most lengths need no counting.
	if r.minLength > 0 && len(text) < 4*r.minLength {
		if n := utf8.RuneCount(text); n < r.minLength && !c.refuseCount("minLength", "at least ", r.minLength, "character", n) {
			return false
		}
	}
	if r.maxLength >= 0 && len(text) > r.maxLength {
		if n := utf8.RuneCount(text); n > r.maxLength && !c.refuseCount("maxLength", "at most ", r.maxLength, "character", n) {
			return false
		}
	}
	if r.pattern != nil && !c.matches(r.pattern, text) {
		if c.faults == nil || c.gaveUp {
			return false
		}
		c.refuse("pattern", "must match "+clipped(r.pattern.text)+", is "+describe(v))
	}
	if r.format != nil && !r.format.fits(v, text) {
		if c.faults == nil {
			return false
		}
		c.refuse("format", "must be "+r.format.what+", is "+describe(v))
	}
	return true
}

//go:noinline
func (c *checker) refuseCount(keyword, relation string, limit int, what string, n int) bool {
	if c.faults == nil {
		return false
	}
	return c.refuse(keyword, "must have "+relation+counted(limit, what)+", has "+itoa(n))
}

// inPlaceFits applies the schemas that are about the same value.
func (c *checker) inPlaceFits(p *inPlaceRules, v []byte, m marks) bool {
	if p.ref != nil && !c.valid(p.ref, v, m) && c.faults == nil {
		return false
	}
	if p.dynamic != nil && !c.valid(c.dynamic(p), v, m) && c.faults == nil {
		return false
	}
	for _, n := range p.all {
		if !c.valid(n, v, m) && c.faults == nil {
			return false
		}
	}
	if p.any != nil && !c.anyFits(p.any, v, m) {
		return false
	}
	if p.one != nil && !c.oneFits(p.one, v, m) {
		return false
	}
	if p.not != nil && c.test(p.not, v, noMarks) && !c.refuse("not", "must not fit the schema of not") {
		return false
	}
	if p.condition != nil {
		branch := p.otherwise
		if c.branch(p.condition, v, m) {
			branch = p.then
		}
		if branch != nil && !c.valid(branch, v, m) && c.faults == nil {
			return false
		}
	}
	has := fields{v: v}
	if len(p.dependentSchemas) > maxListed {
		has = fieldsOf(v, len(p.dependentSchemas))
	}
	for i := range p.dependentSchemas {
		d := &p.dependentSchemas[i]
		if has.field(d.name) && !c.valid(d.node, v, m) && c.faults == nil {
			return false
		}
	}
	return true
}

// dynamic returns what a $dynamicRef means: the first schema on the way with that
// $dynamicAnchor.
func (c *checker) dynamic(p *inPlaceRules) *node {
	if p.dynamicAnchor != "" {
		for _, r := range c.scope {
			if n := r.dynamic[p.dynamicAnchor]; n != nil {
				return n
			}
		}
	}
	return p.dynamic
}

// branch applies a schema that need not fit. What it marks counts only if it does.
//
//go:noinline
func (c *checker) branch(n *node, v []byte, m marks) bool {
	if m == noMarks {
		return c.test(n, v, noMarks)
	}
	before := len(c.marks)
	own := c.newMarks(v)
	ok := c.test(n, v, own)
	if ok {
		c.addMarks(m, own)
	}
	c.marks = c.marks[:before]
	return ok
}

func (c *checker) anyFits(list []*node, v []byte, m marks) bool {
	ok := false
	for _, n := range list {
		if c.branch(n, v, m) {
			if ok = true; m == noMarks {
				return true
			}
		}
	}
	return ok || c.refuseAll("anyOf", list, v)
}

func (c *checker) oneFits(list []*node, v []byte, m marks) bool {
	first, second := -1, -1
	for i, n := range list {
		switch {
		case !c.branch(n, v, m):
		case first < 0:
			first = i
		default:
			second = i
		}
		if second >= 0 {
			break
		}
	}
	switch {
	case first < 0:
		return c.refuseAll("oneOf", list, v)
	case second >= 0:
		if c.faults == nil {
			return false
		}
		return c.refuse("oneOf", "must fit one schema of oneOf alone, fits numbers "+itoa(first+1)+" and "+itoa(second+1))
	}
	return true
}

// refuseAll notes that none of the schemas fits, and what is wrong first for each.
func (c *checker) refuseAll(keyword string, list []*node, v []byte) bool {
	if c.faults == nil {
		return false
	}
	const maxReasons = 3
	why, all, path := "must fit a schema of "+keyword, c.faults, c.path
	for i, n := range list {
		if i == maxReasons {
			why += "; and " + itoa(len(list)-i) + " more"
			break
		}
		c.faults, c.path = &Faults{}, nil
		c.valid(n, v, noMarks)
		if len(c.faults.List) > 0 {
			separator := "; "
			if i == 0 {
				separator = ": "
			}
			why += separator + "(" + itoa(i+1) + ") " + c.faults.List[0].Message
		}
	}
	c.faults, c.path = all, path
	return c.refuse(keyword, why)
}
