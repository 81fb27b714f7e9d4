package schema

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A resource is a schema with an address: one with $id, or the whole of what was
// handed over.
type resource struct {
	address string
	root    []byte
	anchors map[string][]byte
	dynamic map[string]*node // what $dynamicAnchor names
}

//go:noinline
func newResource(address string, root []byte) *resource {
	return &resource{address: address, root: root, anchors: map[string][]byte{}, dynamic: map[string]*node{}}
}

// add makes a schema known under an address.
func (b *builder) add(address string, schema []byte, place string) error {
	home := newResource(address, schema)
	b.resources[address] = home
	return b.scan(schema, home, place)
}

// handOver makes one of Options.Schemas known under its $id.
func (b *builder) handOver(source []byte, place string) error {
	v, err := b.take(source, place)
	if err != nil {
		return err
	}
	if msgpack.KindOf(v) != msgpack.Map {
		return mistake(place, "must be an object with an $id, is "+describe(v))
	}
	address, _ := resolve("", string(str(lookup(v, "$id"))))
	if address == "" {
		return mistake(join(place, "$id"), "must be a URI: it is what a $ref finds this schema by")
	}
	if b.resources[address] != nil {
		return mistake(join(place, "$id"), "is the address of another schema too: "+address)
	}
	b.nodeOf(v, place)
	return b.add(address, v, place)
}

// scan notes the addresses and anchors of a schema and of those in it. Nested
// schemas are no deeper than the value that Compile has checked.
func (b *builder) scan(v []byte, home *resource, place string) error {
	if msgpack.KindOf(v) != msgpack.Map {
		return nil // true, false, or what fill refuses
	}
	if id := lookup(v, "$id"); msgpack.KindOf(id) == msgpack.String {
		address, fragment := resolve(home.address, string(str(id)))
		if fragment != "" {
			return mistake(join(place, "$id"), "must have no fragment; $anchor names a place inside a schema")
		}
		if known := b.resources[address]; known != nil && &known.root[0] != &v[0] {
			return mistake(join(place, "$id"), "is the address of another schema too: "+address)
		} else if known == nil {
			home = newResource(address, v)
			b.resources[address] = home
		}
	}
	b.homes[&v[0]] = home
	for _, keyword := range []string{"$anchor", "$dynamicAnchor"} {
		name := string(str(lookup(v, keyword)))
		if name == "" {
			continue // fill refuses what is no anchor
		}
		if other := home.anchors[name]; other != nil && &other[0] != &v[0] {
			return mistake(join(place, keyword), "is the anchor of another schema too")
		}
		home.anchors[name] = v
		if keyword == "$dynamicAnchor" {
			home.dynamic[name] = b.nodeOf(v, place)
			b.isDynamic = true
		}
	}
	for _, p := range partsOf(v) {
		k := keywordNamed(p.name)
		if k == nil || k.content < aSchema {
			continue
		}
		where := join(place, p.name)
		if k.content == aSchema {
			if err := b.scan(p.value, home, where); err != nil {
				return err
			}
		} else if (msgpack.KindOf(p.value) == msgpack.Map) == (k.content == aMap) {
			for _, sub := range partsOf(p.value) {
				if err := b.scan(sub.value, home, join(where, sub.name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

//go:noinline
func isAnchor(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !isLetter(c) && c != '_' && (i == 0 || !isDigit(c) && c != '-' && c != '.') {
			return false
		}
	}
	return name != ""
}

// target returns the node that a reference in home means, and the anchor that it
// names if it is that of a $dynamicAnchor.
func (b *builder) target(home *resource, reference string) (n *node, anchor string, why string) {
	address, fragment := resolve(home.address, reference)
	r := b.resources[address]
	if r == nil {
		if bytes := b.handedOver(address); bytes != nil {
			if err := b.add(address, bytes, address); err != nil {
				return nil, "", "leads to a schema that is refused: " + err.Error()
			}
			r = b.resources[address]
		}
	}
	if r == nil {
		return nil, "", "leads to " + quoted(clippedTo(maxPlace, address)) + ", which is not there: nothing is fetched, so hand that schema over in schemas, or put it into $defs, with its $id"
	}
	fragment, ok := unescaped(fragment)
	if !ok {
		return nil, "", "has a % that two hexadecimal digits do not follow"
	}
	v := r.root
	switch {
	case fragment == "":
	case fragment[0] == '/':
		if v, why = b.point(r, fragment); why != "" {
			return nil, "", why
		}
	default:
		if v = r.anchors[fragment]; v == nil {
			return nil, "", "leads to the anchor " + quoted(clipped(fragment)) + ", which is not there"
		}
		if r.dynamic[fragment] != nil {
			anchor = fragment
		}
	}
	return b.nodeOf(v, reference), anchor, ""
}

// point returns where a JSON pointer leads (RFC 6901). What lies where no keyword has
// a schema becomes one.
func (b *builder) point(r *resource, pointer string) (v []byte, why string) {
	v, home := r.root, r
	for _, token := range strings.Split(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		next := b.inside(v, token)
		if next == nil {
			return nil, "leads to " + clippedTo(maxPlace, pointer) + ", which is not there"
		}
		v = next
		if known := b.homes[&v[0]]; known != nil {
			home = known
		}
	}
	if b.homes[&v[0]] == nil {
		if err := b.scan(v, home, pointer); err != nil {
			return nil, err.Error()
		}
	}
	return v, ""
}

// inside returns what a map has under a name, or an array at a number; nil if there is nothing.
func (b *builder) inside(v []byte, name string) []byte {
	if kind := msgpack.KindOf(v); kind != msgpack.Map && kind != msgpack.Array {
		return nil
	}
	// Many references may lead into the same one.
	places := b.places[&v[0]]
	if places == nil {
		places = map[string][]byte{}
		for _, p := range partsOf(v) {
			if places[p.name] == nil {
				places[p.name] = p.value
			}
		}
		if b.places == nil {
			b.places = map[*byte]map[string][]byte{}
		}
		b.places[&v[0]] = places
	}
	return places[name]
}

// handedOver returns the schema of an address that is not in the schema; nil if there
// is none.
func (b *builder) handedOver(address string) []byte {
	if bytes := b.options.Others[address]; bytes != nil {
		return bytes
	}
	if name, ok := strings.CutPrefix(address, metaschemaAddress); ok {
		return metaschema(name)
	}
	return nil
}
