package schema

import (
	"math"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

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

func (r *reader) schemas() (list []*node) {
	if r.expect(msgpack.Array, "a list of schemas") && msgpack.Count(r.v) == 0 {
		r.fail("must have at least one schema")
		return nil
	}
	for _, p := range partsOf(r.v) {
		list = append(list, r.nodeOf(p.value, join(r.place, p.name)))
	}
	return list
}

//go:noinline
func (r *reader) strings(v []byte) (list []string) {
	if msgpack.KindOf(v) != msgpack.Array {
		r.fail("must be a list of names, is " + describe(v))
		return nil
	}
	seen := map[string]bool{}
	for _, p := range partsOf(v) {
		name := string(str(p.value))
		switch {
		case msgpack.KindOf(p.value) != msgpack.String:
			r.fail("must be a list of names, but has " + describe(p.value))
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
	for _, p := range partsOf(v) {
		r.place, r.v = join(place, p.name), p.value
		r.keyword(n, p.name)
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
	k := keywordNamed(name)
	if k == nil {
		if !r.options.Lenient && !strings.HasPrefix(name, "x-") {
			r.failNearly("is no keyword of JSON Schema; keywords of your own begin with x-", name, len(keywords), func(i int) string { return keywords[i].name })
		}
		return
	}
	var (
		text  string
		flag  bool
		count int
		sub   *node
		list  []*node
	)
	switch k.content {
	case aText:
		text = r.text()
	case aFlag:
		flag = r.flag()
	case aNumber:
		r.number()
	case aCount:
		count = r.count()
	case aSchema:
		if k.id == hasItems && msgpack.KindOf(r.v) == msgpack.Array {
			r.fail("must be one schema; prefixItems has a list of them")
			return
		}
		sub = r.nodeOf(r.v, r.place)
	case aList:
		list = r.schemas()
	}
	if r.why != "" {
		return
	}
	switch {
	case k.content == aMap || k.id == hasDependentRequired:
		r.byName(n, k.id)
	case k.id < hasMinimum:
		r.any(n, k.id, text, sub)
	case k.id < hasMinLength:
		r.numeric(n.numbers(), k.id)
	case k.id < hasPrefixItems:
		r.textual(n.texts(), k.id, text, count)
	case k.id < hasAdditionalProperties:
		n.arrays().set(k.id, flag, count, sub, list)
	case k.id == hasRequired:
		o := n.objects()
		for _, needed := range r.strings(r.v) {
			if i := o.property(needed); i < 64 {
				o.required |= 1 << i
			} else {
				o.alsoRequired = append(o.alsoRequired, needed)
			}
		}
	case k.id < hasDependentSchemas:
		n.objects().set(k.id, count, sub)
	default:
		n.applied().set(k.id, sub, list)
	}
}

// failNearly refuses a name, and tells which of those that there are it is most like.
//
//go:noinline
func (r *reader) failNearly(why, name string, count int, at func(int) string) {
	if like := nearest(name, count, at); like != "" {
		why += "; did you mean " + like + "?"
	}
	r.fail(why)
}

// any reads a keyword that is about any kind of value.
func (r *reader) any(n *node, id keywordID, text string, sub *node) {
	switch id {
	case identifies, refers, refersDynamically:
		if !isURI(text, false, false) {
			r.fail("must be a URI reference, is " + describe(r.v))
		} else if id != identifies {
			r.reference(n, id, text)
		}
	case isOfDraft:
		if !r.options.Lenient && strings.TrimSuffix(text, "#") != metaschemaAddress+"schema" && r.options.Others[text] == nil {
			r.fail("must be " + metaschemaAddress + "schema, the draft that AtomicDB reads, is " + describe(r.v))
		}
	case isAnchored:
		if !isAnchor(text) {
			r.fail("must be a letter or _, and then letters, digits, -, _ and ., is " + describe(r.v))
		}
	case listsExamples:
		r.expect(msgpack.Array, "a list")
	case listsVocabularies:
		r.expect(msgpack.Map, "an object")
	case hasDefault:
		n.fallback = r.v
	case hasType:
		r.types(n)
	case hasEnum:
		if r.expect(msgpack.Array, "a list of values") {
			n.constants("enum", msgpack.List(r.v))
		}
	case hasConst:
		n.constants("const", [][]byte{r.v})
	case hasOtherItems:
		n.otherItems = sub
	case hasOtherProperties:
		n.otherProperties = sub
	}
}

func (r *reader) reference(n *node, id keywordID, reference string) {
	target, anchor, why := r.target(n.home, reference)
	if why != "" {
		r.fail(why)
		return
	}
	p := n.applied()
	if id == refers {
		p.ref = target
		return
	}
	p.dynamic, p.dynamicAnchor = target, anchor
}

// typeNames are in the order in which a message has them.
var typeNames = [...]struct {
	name, text string
	bits       uint16
}{
	{"null", "null", 1 << msgpack.Null},
	{"boolean", "true or false", 1<<msgpack.True | 1<<msgpack.False},
	{"integer", "a whole number", wholeBit},
	{"number", "a number", 1 << msgpack.Number},
	{"string", "a string", 1<<msgpack.String | 1<<msgpack.Date | 1<<msgpack.Bytes},
	{"array", "an array", 1 << msgpack.Array},
	{"object", "an object", 1 << msgpack.Map},
}

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
		bits := uint16(0)
		for i := range typeNames {
			if typeNames[i].name == name {
				bits = typeNames[i].bits
			}
		}
		n.types |= bits
		if bits == 0 {
			r.failNearly("must be of null, boolean, integer, number, string, array, object, is "+quoted(name), name, len(typeNames), func(i int) string { return typeNames[i].name })
		}
	}
}

func (r *reader) numeric(rules *numberRules, id keywordID) {
	if id != hasMultipleOf {
		rules.limits[id-hasMinimum] = r.v
		return
	}
	d, ok := decimalOf(r.v)
	if !ok || d.digits == 0 || msgpack.Compare(r.v, []byte{0}) < 0 {
		r.fail("must be more than 0, is " + describe(r.v))
	}
	rules.factor, rules.factorText = d, r.v
}

func (r *reader) textual(rules *textRules, id keywordID, text string, count int) {
	switch id {
	case hasMinLength:
		rules.minLength = count
	case hasMaxLength:
		rules.maxLength = count
	case hasPattern:
		rules.pattern = r.pattern(text)
	case hasFormat:
		f := formatNamed(text)
		if f == nil && !r.options.Lenient && !strings.HasPrefix(text, "x-") {
			r.failNearly("there is no format named "+quoted(text)+"; formats of your own begin with x-", text, len(formats), func(i int) string { return formats[i].name })
		}
		rules.format = f
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

func (a *arrayRules) set(id keywordID, flag bool, count int, sub *node, list []*node) {
	switch id {
	case hasPrefixItems:
		a.prefix = list
	case hasItems:
		a.items = sub
	case hasContains:
		a.contains = sub
	case hasMinContains:
		a.minContains = count
	case hasMaxContains:
		a.maxContains = count
	case hasMinItems:
		a.minItems = count
	case hasMaxItems:
		a.maxItems = count
	case hasUniqueItems:
		a.unique = flag
	}
}

func (o *objectRules) set(id keywordID, count int, sub *node) {
	switch id {
	case hasAdditionalProperties:
		o.additional = sub
	case hasPropertyNames:
		o.names = sub
	case hasMinProperties:
		o.minProperties = count
	case hasMaxProperties:
		o.maxProperties = count
	}
}

func (p *inPlaceRules) set(id keywordID, sub *node, list []*node) {
	switch id {
	case hasAllOf:
		p.all = list
	case hasAnyOf:
		p.any = list
	case hasOneOf:
		p.one = list
	case hasNot:
		p.not = sub
	case hasIf:
		p.condition = sub
	case hasThen:
		p.then = sub
	case hasElse:
		p.otherwise = sub
	}
}

// byName reads a keyword whose value has schemas by names, or lists of names.
func (r *reader) byName(n *node, id keywordID) {
	what := "an object"
	if id == annotates {
		what = "an object of schemas"
	}
	if !r.expect(msgpack.Map, what) {
		return
	}
	var o *objectRules
	if id >= hasProperties && id <= hasDependentRequired {
		o = n.objects()
	}
	outer := r.place
	for _, p := range partsOf(r.v) {
		r.place = join(outer, p.name)
		if id == hasDependentRequired || id == hasDependencies && msgpack.KindOf(p.value) == msgpack.Array {
			n.objects().depend(p.name, r.strings(p.value))
			if r.why != "" {
				return
			}
			continue
		}
		sub := r.nodeOf(p.value, r.place)
		switch id {
		case hasProperties:
			i := o.property(p.name)
			o.properties[i].node = sub
		case hasPatternProperties:
			o.patterns = append(o.patterns, patternProperty{r.pattern(p.name), sub})
			if r.why != "" {
				return
			}
		case hasDependentSchemas, hasDependencies:
			rules := n.applied()
			rules.dependentSchemas = append(rules.dependentSchemas, dependency{name: p.name, node: sub})
		}
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
