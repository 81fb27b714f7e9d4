package engine

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A population is a relationship whose documents are put into those of its From.
type population struct {
	rel  *relation
	key  []byte // the encoded name
	db   *DB
	next []*population // into the documents that it puts
}

const (
	maxPopulateDepth = 16
	maxPopulated     = 1_000_000 // documents in one; paths that go back and forth multiply them
)

// populations returns what the paths of Query.Populate name, from a collection on.
func (db *DB) populations(from string, paths []string) (all []*population, err error) {
	for _, path := range paths {
		if path == "" || strings.Count(path, ".") >= maxPopulateDepth {
			return nil, Fail(CodeInvalid, "find", "populate", "expected names of relationships, joined by dots, at most "+strconv.Itoa(maxPopulateDepth)+" in a row")
		}
		level, at := &all, from
		for name := range strings.SplitSeq(path, ".") {
			i := slices.IndexFunc(*level, func(p *population) bool { return p.rel.Name == name })
			if i < 0 {
				rel := db.relationOf(at, name)
				if rel == nil {
					return nil, Fail(CodeInvalid, "find", "populate", at+" has no relationship named "+strconv.Quote(name))
				}
				i = len(*level)
				*level = append(*level, &population{rel: rel, key: msgpack.AppendString(nil, name), db: db})
			}
			p := (*level)[i]
			level, at = &p.next, p.rel.To
		}
	}
	return all, nil
}

func (db *DB) relationOf(from, name string) *relation {
	for _, rel := range db.relations {
		if rel.From == from && rel.Name == name {
			return rel
		}
	}
	return nil
}

// documents returns what p puts into doc, in the order of their insertion; of
// ManyToMany, in the order of the ids.
func (p *population) documents(doc []byte) (docs [][]byte) {
	if p.rel.Type == OneToMany || p.rel.Type == OneToOne {
		child := p.db.collections[p.rel.child]
		if child == nil {
			return nil
		}
		for _, slot := range child.referring(p.rel, idOf(doc)) {
			docs = append(docs, child.doc(slot))
		}
		return docs
	}
	p.rel.references(doc, func(id []byte) bool {
		if parent, slot, found := p.db.parentOf(p.rel, id); found {
			docs = append(docs, parent.doc(slot))
		}
		return true
	})
	return docs
}

// isMany reports whether p puts an array, and not one document or null.
func (p *population) isMany() bool { return p.rel.Type == OneToMany || p.rel.Type == ManyToMany }

// countPopulated adds up the documents that all put into doc, at every depth, until
// there are too many.
func countPopulated(all []*population, doc []byte, count int) int {
	for _, p := range all {
		docs := p.documents(doc)
		if count += len(docs); count > maxPopulated {
			break
		}
		for _, d := range docs {
			count = countPopulated(p.next, d, count)
		}
	}
	return count
}

// checkPopulated refuses to put too many documents into one.
func checkPopulated(c *collection, all []*population, slots []uint32) error {
	if !slices.ContainsFunc(all, func(p *population) bool { return len(p.next) > 0 }) {
		return nil // at most as many as the other collection has, or the foreign key
	}
	for _, slot := range slots {
		if doc := c.doc(slot); countPopulated(all, doc, 0) > maxPopulated {
			return Fail(CodeInvalid, "find", "populate", "it would put more than "+strconv.Itoa(maxPopulated)+" documents into "+target(c, idOf(doc)))
		}
	}
	return nil
}

// appendPopulated appends shown, which is doc or the part of it that a query wants,
// with what all put into it. That takes the place of fields of the same names.
func appendPopulated(dst []byte, all []*population, doc, shown []byte) []byte {
	if len(all) == 0 {
		return append(dst, shown...)
	}
	count, kept := 0, []byte(nil)
	for key, value := range msgpack.Fields(shown) {
		if slices.ContainsFunc(all, func(p *population) bool { return p.rel.Name == string(key) }) {
			continue
		}
		kept = append(msgpack.AppendString(kept, key), value...)
		count++
	}
	dst = append(msgpack.AppendMap(dst, count+len(all)), kept...)
	for _, p := range all {
		dst = append(dst, p.key...)
		docs := p.documents(doc)
		switch {
		case p.isMany():
			dst = msgpack.AppendArray(dst, len(docs))
		case len(docs) == 0:
			dst = msgpack.AppendNil(dst)
		default:
			docs = docs[:1]
		}
		for _, d := range docs {
			dst = appendPopulated(dst, p.next, d, d)
		}
	}
	return dst
}
