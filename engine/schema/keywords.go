package schema

import (
	"math"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A content is what a keyword has as its value, as far as schemas are in it.
type content uint8

const (
	unknown content = iota
	noSchema
	aSchema
	aList // of schemas
	aMap  // of schemas, by names
)

// keywords are those of the standard, and the two that it has kept from older
// drafts: definitions and dependencies.
var keywords = map[string]content{
	"$id": noSchema, "$schema": noSchema, "$ref": noSchema, "$anchor": noSchema, "$dynamicRef": noSchema, "$dynamicAnchor": noSchema,
	"$vocabulary": noSchema, "$comment": noSchema, "$defs": aMap, "definitions": aMap,
	"allOf": aList, "anyOf": aList, "oneOf": aList, "not": aSchema, "if": aSchema, "then": aSchema, "else": aSchema,
	"dependentSchemas": aMap, "dependencies": aMap, "prefixItems": aList, "items": aSchema, "contains": aSchema,
	"properties": aMap, "patternProperties": aMap, "additionalProperties": aSchema, "propertyNames": aSchema,
	"unevaluatedItems": aSchema, "unevaluatedProperties": aSchema,
	"type": noSchema, "enum": noSchema, "const": noSchema, "multipleOf": noSchema, "maximum": noSchema, "exclusiveMaximum": noSchema,
	"minimum": noSchema, "exclusiveMinimum": noSchema, "maxLength": noSchema, "minLength": noSchema, "pattern": noSchema,
	"maxItems": noSchema, "minItems": noSchema, "uniqueItems": noSchema, "maxContains": noSchema, "minContains": noSchema,
	"maxProperties": noSchema, "minProperties": noSchema, "required": noSchema, "dependentRequired": noSchema, "format": noSchema,
	"contentEncoding": noSchema, "contentMediaType": noSchema, "contentSchema": aSchema,
	"title": noSchema, "description": noSchema, "default": noSchema, "deprecated": noSchema, "readOnly": noSchema,
	"writeOnly": noSchema, "examples": noSchema,
}

//go:noinline
func contentOf(keyword string) content { return keywords[keyword] }

// A reader reads the value of one keyword. The first thing that is wrong with it
// stays in why.
type reader struct {
	*builder
	place string
	v     []byte
	why   string
}

// fail notes what is wrong.
//
//go:noinline
func (r *reader) fail(why string) {
	if r.why == "" {
		r.why = why
	}
}

//go:noinline
func (r *reader) expect(kind msgpack.Kind, what string) bool {
	if msgpack.KindOf(r.v) != kind {
		r.fail("must be " + what + ", is " + describe(r.v))
	}
	return r.why == ""
}

//go:noinline
func (r *reader) text() string {
	r.expect(msgpack.String, "a string")
	return string(str(r.v))
}

//go:noinline
func (r *reader) flag() bool {
	kind := msgpack.KindOf(r.v)
	if kind != msgpack.True && kind != msgpack.False {
		r.fail("must be true or false, is " + describe(r.v))
	}
	return kind == msgpack.True
}

//go:noinline
func (r *reader) number() []byte {
	if r.expect(msgpack.Number, "a number") && isNaN(r.v) {
		r.fail("must be a number, is NaN")
	}
	return r.v
}

// count reads a whole number of 0 or more. No value has more than 2^31 of anything.
//
//go:noinline
func (r *reader) count() int {
	if msgpack.KindOf(r.v) != msgpack.Number || !isWhole(r.v) || !(msgpack.Float(r.v) >= 0) {
		r.fail("must be a whole number of 0 or more, is " + describe(r.v))
		return 0
	}
	return int(min(msgpack.Float(r.v), math.MaxInt32))
}

// schema reads a schema, in the keyword itself or under a name in it.
//
//go:noinline
func (r *reader) schema(v []byte, name string) *node {
	place := r.place
	if name != "" {
		place = join(place, name)
	}
	return r.nodeOf(v, place)
}

func (r *reader) schemas() (list []*node) {
	if r.expect(msgpack.Array, "a list of schemas") && msgpack.Count(r.v) == 0 {
		r.fail("must have at least one schema")
	}
	for _, v := range msgpack.List(r.v) {
		list = append(list, r.schema(v, itoa(len(list))))
	}
	return list
}

//go:noinline
func (r *reader) strings(v []byte) (list []string) {
	if msgpack.KindOf(v) != msgpack.Array {
		r.fail("must be a list of names, is " + describe(v))
	}
	seen := map[string]bool{}
	for _, element := range msgpack.List(v) {
		name := string(str(element))
		switch {
		case msgpack.KindOf(element) != msgpack.String:
			r.fail("must be a list of names, but has " + describe(element))
		case seen[name]:
			r.fail("has " + quoted(name) + " twice")
		}
		seen[name] = true
		list = append(list, name)
	}
	return list
}

// fill reads the keywords of a schema into its node.
func (b *builder) fill(n *node, v []byte) error {
	place := n.place
	n.home = b.homes[&v[0]]
	switch msgpack.KindOf(v) {
	case msgpack.True:
		n.constant = always
		return nil
	case msgpack.False:
		n.constant = never
		return nil
	case msgpack.Map:
	default:
		return mistake(place, "must be a schema: an object, true or false; is "+describe(v))
	}
	if msgpack.Count(v) == 0 {
		n.constant = always
		return nil
	}
	r := reader{builder: b}
	for key, value := range msgpack.Fields(v) {
		name := string(key)
		r.place, r.v = join(place, name), value
		r.keyword(n, name)
		if r.why != "" {
			return mistake(r.place, r.why)
		}
	}
	n.isPlain = n.inPlace == nil && n.otherItems == nil && n.otherProperties == nil
	if n.number != nil {
		n.number.setRange()
	}
	return nil
}

func (r *reader) keyword(n *node, name string) {
	switch name {
	case "$id", "$ref", "$dynamicRef":
		if reference := r.text(); r.why == "" && !isURI(reference, false, false) {
			r.fail("must be a URI reference, is " + describe(r.v))
		} else if r.why == "" && name != "$id" {
			r.reference(n, name, reference)
		}
	case "$schema":
		if address := r.text(); !r.options.Lenient && strings.TrimSuffix(address, "#") != metaschemaAddress+"schema" && r.options.Others[address] == nil {
			r.fail("must be " + metaschemaAddress + "schema, the draft that AtomicDB reads, is " + describe(r.v))
		}
	case "$anchor", "$dynamicAnchor":
		if anchor := r.text(); r.why == "" && !isAnchor(anchor) {
			r.fail("must be a letter or _, and then letters, digits, -, _ and ., is " + describe(r.v))
		}
	case "$comment", "title", "description", "contentEncoding", "contentMediaType":
		r.text()
	case "deprecated", "readOnly", "writeOnly":
		r.flag()
	case "examples":
		r.expect(msgpack.Array, "a list")
	case "default":
		n.fallback = r.v
	case "$vocabulary":
		r.expect(msgpack.Map, "an object")
	case "$defs", "definitions", "contentSchema":
		r.definitions(name)
	case "type":
		r.types(n)
	case "enum":
		if r.expect(msgpack.Array, "a list of values") {
			n.constants(name, msgpack.List(r.v))
		}
	case "const":
		n.constants(name, [][]byte{r.v})
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		r.numeric(n.numbers(), name)
	case "minLength":
		n.texts().minLength = r.count()
	case "maxLength":
		n.texts().maxLength = r.count()
	case "pattern":
		n.texts().pattern = r.pattern(r.text())
	case "format":
		r.format(n)
	case "allOf":
		n.applied().all = r.schemas()
	case "anyOf":
		n.applied().any = r.schemas()
	case "oneOf":
		n.applied().one = r.schemas()
	case "not":
		n.applied().not = r.schema(r.v, "")
	case "if":
		n.applied().condition = r.schema(r.v, "")
	case "then":
		n.applied().then = r.schema(r.v, "")
	case "else":
		n.applied().otherwise = r.schema(r.v, "")
	case "unevaluatedItems":
		n.otherItems = r.schema(r.v, "")
	case "unevaluatedProperties":
		n.otherProperties = r.schema(r.v, "")
	case "prefixItems", "items", "contains", "minContains", "maxContains", "minItems", "maxItems", "uniqueItems":
		r.arrays(n.arrays(), name)
	case "properties", "patternProperties", "additionalProperties", "propertyNames", "minProperties", "maxProperties", "required", "dependentRequired":
		r.objects(n.objects(), name)
	case "dependentSchemas", "dependencies":
		r.dependent(n, name)
	default:
		if !r.options.Lenient && !strings.HasPrefix(name, "x-") {
			r.unknown(name)
		}
	}
}

func (r *reader) unknown(name string) {
	known := make([]string, 0, len(keywords))
	for keyword := range keywords {
		known = append(known, keyword)
	}
	why := "is no keyword of JSON Schema; keywords of your own begin with x-"
	if like := nearest(name, known); like != "" {
		why += "; did you mean " + like + "?"
	}
	r.fail(why)
}

func (r *reader) reference(n *node, name, reference string) {
	target, anchor, why := r.target(n.home, reference)
	if why != "" {
		r.fail(why)
		return
	}
	p := n.applied()
	if name == "$ref" {
		p.ref = target
		return
	}
	p.dynamic, p.dynamicAnchor = target, anchor
}

func (r *reader) definitions(name string) {
	if name == "contentSchema" {
		r.schema(r.v, "")
		return
	}
	if r.expect(msgpack.Map, "an object of schemas") {
		for key, v := range msgpack.Fields(r.v) {
			r.schema(v, string(key))
		}
	}
}

var typeBits = map[string]uint16{
	"null":    1 << msgpack.Null,
	"boolean": 1<<msgpack.True | 1<<msgpack.False,
	"number":  1 << msgpack.Number,
	"integer": wholeBit,
	"string":  1<<msgpack.String | 1<<msgpack.Date | 1<<msgpack.Bytes,
	"array":   1 << msgpack.Array,
	"object":  1 << msgpack.Map,
}

// typeNames are in the order in which a message has them.
var typeNames = []string{"null", "boolean", "integer", "number", "string", "array", "object"}

func (r *reader) types(n *node) {
	names := []string{string(str(r.v))}
	if msgpack.KindOf(r.v) == msgpack.Array {
		names = r.strings(r.v)
		if len(names) == 0 {
			r.fail("must name at least one type")
		}
	} else {
		r.expect(msgpack.String, "a name or a list of names")
	}
	for _, name := range names {
		if typeBits[name] == 0 {
			why := "must be of " + strings.Join(typeNames, ", ") + ", is " + quoted(name)
			if like := nearest(name, typeNames); like != "" {
				why += "; did you mean " + like + "?"
			}
			r.fail(why)
		}
		n.types |= typeBits[name]
	}
}

func (r *reader) numeric(rules *numberRules, name string) {
	v := r.number()
	switch name {
	case "minimum":
		rules.minimum = v
	case "maximum":
		rules.maximum = v
	case "exclusiveMinimum":
		rules.above = v
	case "exclusiveMaximum":
		rules.below = v
	case "multipleOf":
		d, ok := decimalOf(v)
		if r.why == "" && (!ok || d.digits == 0 || msgpack.Compare(v, []byte{0}) < 0) {
			r.fail("must be more than 0, is " + describe(v))
		}
		rules.factor, rules.factorText = d, v
	}
}

func (r *reader) pattern(text string) *pattern {
	p, parts, why := compilePattern(text)
	if r.parts += parts; why == "" && r.parts > maxParts {
		why = "is too large: it has " + itoa(parts) + " parts when its repetitions are written out, and all patterns of a schema may have " + itoa(maxParts)
	}
	if why != "" {
		r.fail(why)
	}
	return p
}

func (r *reader) format(n *node) {
	name := r.text()
	if f := formatNamed(name); f != nil {
		n.texts().format = f
		return
	}
	if !r.options.Lenient && r.why == "" && !strings.HasPrefix(name, "x-") {
		why := "there is no format named " + quoted(name) + "; formats of your own begin with x-"
		if like := nearest(name, formatNames()); like != "" {
			why += "; did you mean " + like + "?"
		}
		r.fail(why)
	}
}

func (r *reader) arrays(a *arrayRules, name string) {
	switch name {
	case "prefixItems":
		a.prefix = r.schemas()
	case "items":
		if msgpack.KindOf(r.v) == msgpack.Array {
			r.fail("must be one schema; prefixItems has a list of them")
			return
		}
		a.items = r.schema(r.v, "")
	case "contains":
		a.contains = r.schema(r.v, "")
	case "minContains":
		a.minContains = r.count()
	case "maxContains":
		a.maxContains = r.count()
	case "minItems":
		a.minItems = r.count()
	case "maxItems":
		a.maxItems = r.count()
	case "uniqueItems":
		a.unique = r.flag()
	}
}

func (r *reader) objects(o *objectRules, name string) {
	switch name {
	case "additionalProperties":
		o.additional = r.schema(r.v, "")
		return
	case "propertyNames":
		o.names = r.schema(r.v, "")
		return
	case "minProperties":
		o.minProperties = r.count()
		return
	case "maxProperties":
		o.maxProperties = r.count()
		return
	case "required":
		for _, needed := range r.strings(r.v) {
			if i := o.property(needed); i < 64 {
				o.required |= 1 << i
			} else {
				o.alsoRequired = append(o.alsoRequired, needed)
			}
		}
		return
	}
	if !r.expect(msgpack.Map, "an object") {
		return
	}
	for key, v := range msgpack.Fields(r.v) {
		switch text := string(key); name {
		case "properties":
			i := o.property(text)
			o.properties[i].node = r.schema(v, text)
		case "patternProperties":
			o.patterns = append(o.patterns, patternProperty{r.pattern(text), r.schema(v, text)})
		case "dependentRequired":
			o.depend(text, r.strings(v))
		}
	}
}

// dependent reads dependentSchemas, and dependencies, which has lists of names
// too.
func (r *reader) dependent(n *node, name string) {
	if !r.expect(msgpack.Map, "an object") {
		return
	}
	for key, v := range msgpack.Fields(r.v) {
		text := string(key)
		if name == "dependencies" && msgpack.KindOf(v) == msgpack.Array {
			o := n.objects()
			o.depend(text, r.strings(v))
			continue
		}
		p := n.applied()
		p.dependentSchemas = append(p.dependentSchemas, dependency{name: text, node: r.schema(v, text)})
	}
}

//go:noinline
func (n *node) constants(what string, list [][]byte) {
	r := valueRules{what: what, list: list}
	if len(list) > maxListed {
		r.sorted = slices.Clone(list)
		slices.SortFunc(r.sorted, msgpack.Compare)
	}
	n.values = append(n.values, r)
}

//go:noinline
func (n *node) numbers() *numberRules {
	if n.number == nil {
		n.number = &numberRules{}
	}
	return n.number
}

//go:noinline
func (n *node) texts() *textRules {
	if n.text == nil {
		n.text = &textRules{maxLength: -1}
	}
	return n.text
}

//go:noinline
func (n *node) arrays() *arrayRules {
	if n.array == nil {
		n.array = &arrayRules{minContains: 1, maxContains: -1, maxItems: -1}
	}
	return n.array
}

//go:noinline
func (n *node) objects() *objectRules {
	if n.object == nil {
		n.object = &objectRules{maxProperties: -1}
	}
	return n.object
}

// depend notes which names are required where one is.
func (o *objectRules) depend(name string, needs []string) {
	o.dependentRequired = append(o.dependentRequired, dependency{name: name, needs: needs})
	o.lookups += 1 + len(needs)
}

//go:noinline
func (n *node) applied() *inPlaceRules {
	if n.inPlace == nil {
		n.inPlace = &inPlaceRules{}
	}
	return n.inPlace
}
