package storagetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A step is one call of the engine, or the same in a model, as text: a collection,
// an id or * for all documents, and what to do.
//
//	x/a=7   insert {_id: a, n: 7}, or replace the document of that id
//	x/a!7   insert it; if there is an a, the whole work fails
//	x/a+7   add 7 to its n, if there is an a
//	x/a-    remove it, if there is an a
//	x/*+7   add 7 to the n of each
//	x/*-    remove all
//
// In the collection u, n is unique: work that leaves it twice fails as a whole. The
// collections of family refer to one another by the field of, the letter of n modulo 6.
// The schema of p allows an n of at most 150.
type step struct {
	collection, id string
	does           byte
	n              int
}

func parseStep(text string) (s step) {
	s.collection, text, _ = strings.Cut(text, "/")
	at := strings.IndexAny(text, "=!+-")
	s.id, s.does = text[:at], text[at]
	s.n, _ = strconv.Atoi(text[at+1:]) // a - has none
	return s
}

// family is collections, and what removing a parent does to the documents that refer to
// it. A document of k needs its parent. Documents of g refer to those of k, the others
// to those of p.
var family = map[string]engine.OnDelete{"p": "", "k": engine.Cascade, "g": engine.Cascade, "s": engine.SetNull, "r": engine.Restrict}

func parentOf(collection string) string {
	if collection == "g" {
		return "k"
	}
	return "p"
}

// referenceOf returns the id to which a new document of a family's collection refers.
func referenceOf(collection string, n int) string {
	if family[collection] == "" {
		return ""
	}
	return string(rune('a' + n%6))
}

// randomWork returns some steps, separated by spaces: the work of one batch. It uses
// few ids, so that steps change the same documents.
func randomWork(random *rand.Rand) string {
	var steps []string
	for range 1 + random.IntN(5) {
		collection, id, n := "xxyyuupkgsr"[random.IntN(11)], string(rune('a'+random.IntN(6))), random.IntN(100)
		switch random.IntN(12) {
		case 0:
			steps = append(steps, fmt.Sprintf("%c/%s!%d", collection, id, n))
		case 2, 3:
			steps = append(steps, fmt.Sprintf("%c/%s-", collection, id))
		case 4, 5:
			steps = append(steps, fmt.Sprintf("%c/%s+%d", collection, id, n))
		case 6:
			steps = append(steps, fmt.Sprintf("%c/*+%d", collection, n))
		case 7:
			if random.IntN(4) == 0 {
				steps = append(steps, fmt.Sprintf("%c/*-", collection))
				break
			}
			fallthrough
		default:
			steps = append(steps, fmt.Sprintf("%c/%s=%d", collection, id, n))
		}
	}
	return strings.Join(steps, " ")
}

// do does work in db, and records it in the collection work, under name. So a log
// says which work it holds, and in what order.
func do(db *engine.DB, name, work string) error {
	doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 2), "_id"), name)
	doc = msgpack.AppendString(msgpack.AppendString(doc, "steps"), work)
	if _, err := db.Insert("work", doc, false); err != nil {
		return err
	}
	for text := range strings.FieldsSeq(work) {
		if err := parseStep(text).do(db); err != nil {
			return err
		}
	}
	return nil
}

func (s step) do(db *engine.DB) error {
	if _, isRelated := family[s.collection]; isRelated {
		if err := declareFamily(db); err != nil {
			return err
		}
	}
	if s.does == '-' && s.id == "*" {
		return db.Clear(s.collection)
	}
	if s.collection == "u" {
		if err := db.CreateIndex("u", []string{"n"}, engine.IndexOptions{Unique: true}); err != nil {
			return err
		}
	}
	var where *query.Filter
	if s.id != "*" {
		var err error
		if where, err = query.ParseText("_id = '" + s.id + "'"); err != nil {
			return err
		}
	}
	var err error
	switch s.does {
	case '-':
		_, err = db.Remove(s.collection, where)
	case '+':
		change := msgpack.AppendString(msgpack.AppendMap(nil, 1), "$inc")
		change = msgpack.AppendString(msgpack.AppendMap(change, 1), "n")
		_, err = db.Update(s.collection, msgpack.AppendInt(change, int64(s.n)), where)
	default:
		doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 3), "_id"), s.id)
		doc = msgpack.AppendInt(msgpack.AppendString(doc, "n"), int64(s.n))
		doc = msgpack.AppendString(msgpack.AppendString(doc, "of"), referenceOf(s.collection, s.n))
		_, err = db.Insert(s.collection, doc, s.does == '=')
	}
	return err
}

// declareFamily does nothing if it was done before.
func declareFamily(db *engine.DB) error {
	schema := msgpack.AppendString(msgpack.AppendMap(nil, 1), "properties")
	schema = msgpack.AppendString(msgpack.AppendMap(schema, 1), "n")
	schema = msgpack.AppendInt(msgpack.AppendString(msgpack.AppendMap(schema, 1), "maximum"), maxInParent)
	if err := db.CreateCollectionWith("p", schema, engine.SchemaOptions{}); err != nil {
		return err
	}
	for _, r := range []engine.Relationship{
		{Type: engine.OneToMany, From: "p", To: "k", Enforce: true},
		{Type: engine.ManyToOne, From: "g", To: "k"},
		{Type: engine.OneToMany, From: "p", To: "s"},
		{Type: engine.ManyToMany, From: "r", To: "p"},
	} {
		child := r.To
		if r.Type == engine.ManyToOne || r.Type == engine.ManyToMany {
			child = r.From
		}
		r.ForeignKey, r.OnDelete = "of", family[child]
		if err := db.AddRelationship(r); err != nil {
			return err
		}
	}
	return nil
}

const maxInParent = 150

// isRefusal reports whether err says that work may not be done as the documents are.
func isRefusal(err error) bool {
	switch engine.CodeOf(err) {
	case engine.CodeDuplicateID, engine.CodeUnique, engine.CodeRelationship, engine.CodeSchema:
		return err != nil
	}
	return false
}

// A model is a simple database for such work: by collection, the documents in
// insertion order.
type model map[string][]modelDocument

type modelDocument struct {
	id string
	n  int
	of string
}

var (
	errDuplicate = errors.New("the id is there already")
	errNotUnique = errors.New("two documents have the same n")
	errTooLarge  = errors.New("the n of a parent is too large")
	errNoParent  = errors.New("there is no such parent")
	errKept      = errors.New("another document keeps it")
)

// do is step.do.
func (m model) do(s step) error {
	all := m[s.collection]
	at := slices.IndexFunc(all, func(d modelDocument) bool { return d.id == s.id })
	switch {
	case s.does == '-' && (s.id == "*" || at >= 0):
		gone := all
		if s.id != "*" {
			gone = slices.Clone(all[at : at+1])
		}
		return m.remove(s.collection, gone)
	case s.does == '+':
		for i := range all {
			if s.id == "*" || i == at {
				all[i].n += s.n
			}
		}
	case s.does == '!' && at >= 0:
		return errDuplicate
	case s.does == '=' && at >= 0:
		all[at].n, all[at].of = s.n, referenceOf(s.collection, s.n)
	case s.does == '=' || s.does == '!':
		all = append(all, modelDocument{s.id, s.n, referenceOf(s.collection, s.n)})
	}
	m[s.collection] = all
	for i, d := range all {
		if s.collection == "u" && slices.ContainsFunc(all[:i], func(other modelDocument) bool { return other.n == d.n }) {
			return errNotUnique
		}
		if s.collection == "p" && d.n > maxInParent {
			return errTooLarge
		}
		if s.collection == "k" && !m.has("p", d.of) {
			return errNoParent
		}
	}
	return nil
}

func (m model) has(collection, id string) bool {
	return slices.ContainsFunc(m[collection], func(d modelDocument) bool { return d.id == id })
}

// remove removes documents, and does what the family says to those that refer to them.
func (m model) remove(collection string, gone []modelDocument) error {
	isGone := func(id string) bool {
		return slices.ContainsFunc(gone, func(d modelDocument) bool { return d.id == id })
	}
	m[collection] = slices.DeleteFunc(slices.Clone(m[collection]), func(d modelDocument) bool { return isGone(d.id) })
	for child, onDelete := range family {
		if onDelete == "" || parentOf(child) != collection {
			continue
		}
		var children []modelDocument
		for i, d := range m[child] {
			if !isGone(d.of) {
				continue
			}
			if onDelete == engine.Restrict {
				return errKept
			}
			if children = append(children, d); onDelete == engine.SetNull {
				m[child][i].of = ""
			}
		}
		if onDelete == engine.Cascade {
			if err := m.remove(child, children); err != nil {
				return err
			}
		}
	}
	return nil
}

var modelCollections = []string{"x", "y", "u", "p", "k", "g", "s", "r"}

// String returns the documents in order: "x: a=1> b=2>; k: a=6>a; …".
func (m model) String() string {
	var b strings.Builder
	for _, name := range modelCollections {
		b.WriteString(name + ":")
		for _, d := range m[name] {
			fmt.Fprintf(&b, " %s=%d>%s", d.id, d.n, d.of)
		}
		b.WriteString("; ")
	}
	return b.String()
}

// workIn returns the names of the work that db holds, in the order of the log, and
// the model of that work.
func workIn(t *testing.T, db *engine.DB) (names []string, m model) {
	t.Helper()
	m = model{}
	eachDocument(t, db, "work", func(doc []byte) {
		name := textAt(doc, "_id")
		names = append(names, name)
		for text := range strings.FieldsSeq(textAt(doc, "steps")) {
			if err := m.do(parseStep(text)); err != nil {
				t.Errorf("%s is stored, although %s: %v", name, text, err)
			}
		}
	})
	return names, m
}

// documentsIn returns the documents in db.
func documentsIn(t *testing.T, db *engine.DB) model {
	t.Helper()
	m := model{}
	for _, name := range modelCollections {
		eachDocument(t, db, name, func(doc []byte) {
			n, _ := msgpack.Int(msgpack.Lookup(doc, "n"))
			m[name] = append(m[name], modelDocument{textAt(doc, "_id"), int(n), textAt(doc, "of")})
		})
	}
	return m
}

func eachDocument(t *testing.T, db *engine.DB, collection string, visit func(doc []byte)) {
	t.Helper()
	found, err := db.Find(collection, engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for found.Len() > 0 {
		doc, _, _ := found.Next(nil, 1)
		visit(doc)
	}
}

func textAt(doc []byte, key string) string { return string(msgpack.Str(msgpack.Lookup(doc, key))) }
