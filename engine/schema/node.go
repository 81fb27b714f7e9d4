package schema

// A node is one schema, compiled. Its rules are by the kind of value that they are
// about; nil: none.
type node struct {
	constant verdict
	types    uint16 // a bit for each msgpack.Kind that is allowed, and wholeBit; 0: all
	home     *resource

	values  []valueRules
	number  *numberRules
	text    *textRules
	array   *arrayRules
	object  *objectRules
	inPlace *inPlaceRules
	// What no other keyword has evaluated; nil: anything.
	otherItems, otherProperties *node

	fallback []byte // the default; nil: none

	isPlain bool     // it applies no other schema to the same value, so fitsPlainly can check it
	accepts *accepts // see plain.go

	place string // where in the schema it is: "properties.age"; empty once all is compiled
	color color
}

// A verdict says whether a node needs no look at the value.
type verdict uint8

const (
	depends verdict = iota
	always          // true, or {}
	never           // false
)

// wholeBit in types allows numbers that are integers.
const wholeBit = 1 << 15

type valueRules struct {
	what string   // "enum" or "const"
	list [][]byte // one of which the value must equal
	// The same in order, if there are many; else nil.
	sorted [][]byte
}

type numberRules struct {
	limits              [4][]byte // in the order of limitKinds; nil: none
	low, high           int64     // the integers that fit all four, if low <= high
	lowFloat, highFloat float64   // the same for floats; there may be more that fit
	factor              decimal
	factorText          []byte // nil: no multipleOf
}

type textRules struct {
	minLength, maxLength int // in code points; maxLength below 0: none
	pattern              *pattern
	format               *format
}

type arrayRules struct {
	prefix             []*node
	items              *node
	contains           *node
	minContains        int
	maxContains        int // below 0: none
	minItems, maxItems int // maxItems below 0: none
	unique             bool
}

type objectRules struct {
	properties        []property // of properties and of required, in their order
	index             map[string]int
	namesID           bool     // there is a property _id
	required          uint64   // which of the first 64 properties must be there
	alsoRequired      []string // the ones after them
	patterns          []patternProperty
	additional        *node
	names             *node
	minProperties     int
	maxProperties     int // below 0: none
	dependentRequired []dependency
	lookups           int // of names, for dependentRequired

	isPlain bool      // fieldsFit can check it
	first   *property // which was in front the last time, for fieldsFit; nil: not known
}

// A property has no node if required alone names it.
type property struct {
	name string
	node *node

	// For fieldsFit:
	key
	bit  uint64    // in objectRules.required
	rule *node     // node, or what is additional
	next *property // which followed the last time; nil: not known
}

type patternProperty struct {
	pattern *pattern
	node    *node
}

// A dependency is of dependentRequired or dependentSchemas.
type dependency struct {
	name  string
	needs []string
	node  *node
}

// inPlaceRules apply other schemas to the same value.
type inPlaceRules struct {
	ref              *node
	dynamic          *node
	dynamicAnchor    string // not empty if the way decides what dynamic means
	all, any, one    []*node
	not              *node
	condition        *node
	then, otherwise  *node
	dependentSchemas []dependency
}

// search returns the place of a property; below 0 if there is none.
func (o *objectRules) search(name []byte) int {
	if o.index != nil {
		if i, ok := o.index[string(name)]; ok {
			return i
		}
		return -1
	}
	for i := range o.properties {
		if o.properties[i].name == string(name) {
			return i
		}
	}
	return -1
}

// property returns the place of a property, which it adds if need be.
func (o *objectRules) property(name string) int {
	next := len(o.properties)
	if i := o.search([]byte(name)); i >= 0 {
		return i
	}
	o.properties = append(o.properties, property{name: name})
	o.namesID = o.namesID || name == "_id"
	if o.index != nil {
		o.index[name] = next
	} else if next == maxListed {
		o.index = make(map[string]int, 2*maxListed)
		for i, p := range o.properties {
			o.index[p.name] = i
		}
	}
	return next
}

// maxListed is how many properties, values and names are compared one by one; a map is
// slower for so few.
const maxListed = 8
