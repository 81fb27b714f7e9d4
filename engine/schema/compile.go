package schema

import (
	"bytes"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

const (
	maxBytes = 1 << 20 // of a schema
	maxNodes = 50_000  // schemas in a schema
	maxDepth = 90      // levels of maps and arrays in a schema: it has to fit into a file of documents
)

// Options say how Compile reads a schema.
type Options struct {
	// Lenient takes keywords and formats that are not known, and a $schema of another
	// draft, for annotations.
	Lenient bool
	// Schemas are what references may lead to besides the schema itself, each by its
	// $id. What is wrong with one of them is a Mistake too, at "schemas.0.…".
	Schemas [][]byte
	// Others are more of them, by the addresses that they come from. They must be
	// valid MessagePack. One that no reference leads to is not read.
	Others map[string][]byte
}

// A Mistake says what is wrong with a schema.
type Mistake struct {
	Place string // "properties.age.minimum"; empty for the schema itself
	Why   string // "must be a number, is an array"
}

func (m *Mistake) Error() string {
	if m.Place == "" {
		return "the schema " + m.Why
	}
	return m.Place + " " + m.Why
}

//go:noinline
func mistake(place, why string) error { return &Mistake{Place: clippedTo(maxPlace, place), Why: why} }

const maxPlace = 500 // characters of a Mistake's Place: names may be long

// A Schema checks values. It is not safe for concurrent use.
type Schema struct {
	root    *node
	checker checker
}

// Compile reads a schema, which it copies. The error is a *Mistake.
func Compile(source []byte, o Options) (*Schema, error) { return compile(source, o, true) }

// compile is Compile. Without quick, plain.go is never asked: tests compare the two.
func compile(source []byte, o Options, quick bool) (*Schema, error) {
	b := builder{options: o, resources: map[string]*resource{}, homes: map[*byte]*resource{}, nodes: map[*byte]*node{}}
	source, err := b.take(source, "")
	if err != nil {
		return nil, err
	}
	if err := b.add("", source, ""); err != nil {
		return nil, err
	}
	for i, other := range o.Schemas {
		if err := b.handOver(other, "schemas."+itoa(i)); err != nil {
			return nil, err
		}
	}
	root := b.nodeOf(source, "") // last, so that its own mistakes are found first
	// A list instead of recursion: a chain of references may be as long as the schema.
	for len(b.queue) > 0 {
		last := len(b.queue) - 1
		todo := b.queue[last]
		b.queue = b.queue[:last]
		if err := b.fill(todo.node, todo.value); err != nil {
			return nil, err
		}
		if len(b.nodes) > maxNodes {
			return nil, mistake("", "has more than "+itoa(maxNodes)+" schemas in it")
		}
	}
	for _, n := range b.nodes {
		if circle := n.findCircle(); circle != nil {
			return nil, mistake(circle.place, "leads back to itself at the same place of a document, without end")
		}
	}
	tables := map[string]*accepts{}
	for _, n := range b.nodes {
		n.place = ""
		if !quick || b.isDynamic && (n.array != nil || n.object != nil) {
			n.isPlain = false // the way down to what it applies counts
		}
		n.prepare(tables, quick)
	}
	s := &Schema{root: root}
	s.checker.isDynamic = b.isDynamic
	return s, nil
}

// A builder compiles one schema.
type builder struct {
	options   Options
	resources map[string]*resource // by address
	homes     map[*byte]*resource  // of each schema, by where it begins
	nodes     map[*byte]*node      // the same
	queue     []unfilled
	isDynamic bool // there is a $dynamicAnchor
	parts     int  // of all patterns so far
	bytes     int  // of the schema and of those in Options.Schemas
	// What is in maps and arrays that references lead into, by name or number.
	places map[*byte]map[string][]byte
}

type unfilled struct {
	node  *node
	value []byte
}

// take returns a copy of a schema that somebody has written.
func (b *builder) take(source []byte, place string) ([]byte, error) {
	n, err := msgpack.Validate(source, maxDepth)
	if f, ok := err.(*msgpack.Fault); ok {
		if f.Path != "" {
			place = join(place, f.Path)
		}
		return nil, mistake(place, f.Reason)
	} else if err != nil {
		return nil, mistake(place, err.Error())
	}
	if b.bytes += n; b.bytes > maxBytes {
		return nil, mistake("", "takes "+itoa(b.bytes)+" bytes, with those handed over; the limit is "+itoa(maxBytes))
	}
	return bytes.Clone(source[:n]), nil
}

// nodeOf returns the node of a schema, which fill fills later.
//
//go:noinline
func (b *builder) nodeOf(v []byte, place string) *node {
	n := b.nodes[&v[0]]
	if n == nil {
		n = &node{place: place}
		b.nodes[&v[0]] = n
		b.queue = append(b.queue, unfilled{n, v})
	}
	return n
}

// The colors of a search in depth.
type color uint8

const (
	white color = iota // not seen
	grey               // on the way
	black              // done
)

// findCircle returns a node that leads back to itself without a step into the
// value; nil if there is none. What $dynamicRef means is known only on the way: the
// limit of levels holds for it.
func (n *node) findCircle() (circle *node) {
	if n.color == black {
		return nil
	}
	// A list instead of recursion: a chain may be as long as the schema.
	type step struct {
		node *node
		left []*node // where it leads, without what was seen
	}
	way := []step{{n, n.inPlaceNodes()}}
	n.color = grey
	for len(way) > 0 {
		last := &way[len(way)-1]
		if len(last.left) == 0 {
			last.node.color = black
			way = way[:len(way)-1]
			continue
		}
		next := last.left[0]
		last.left = last.left[1:]
		if next == nil || next.color == black {
			continue
		}
		if next.color == grey {
			return next
		}
		next.color = grey
		way = append(way, step{next, next.inPlaceNodes()})
	}
	return nil
}

// inPlaceNodes returns the nodes that n applies to the same value; some may be nil.
func (n *node) inPlaceNodes() []*node {
	p := n.inPlace
	if p == nil {
		return nil
	}
	nodes := slices.Concat([]*node{p.ref, p.not, p.condition, p.then, p.otherwise}, p.all, p.any, p.one)
	for i := range p.dependentSchemas {
		nodes = append(nodes, p.dependentSchemas[i].node)
	}
	return nodes
}

// join extends a place by a name.
//
//go:noinline
func join(place, name string) string {
	if name == "" {
		name = `""`
	}
	if place == "" {
		return name
	}
	return place + "." + name
}

// nearest returns which of some names is most like name; empty if none is.
func nearest(name string, count int, at func(int) string) string {
	best, found := 3, ""
	for i := range count {
		other := at(i)
		if d := distance(strings.ToLower(name), strings.ToLower(other)); d < best && 2*d < len(other) {
			best, found = d, other
		}
	}
	return found
}

// distance returns how many letters have to be added, removed or replaced to make b of
// a, or more than 3 if they differ much in length.
func distance(a, b string) int {
	if len(a) > len(b)+3 || len(b) > len(a)+3 {
		return 4
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := corner
			if a[i] != b[j] {
				d = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
