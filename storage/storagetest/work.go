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
// In the collection u, n is unique: work that leaves it twice fails as a whole.
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

// randomWork returns some steps, separated by spaces: the work of one batch. It uses
// few ids, so that steps change the same documents.
func randomWork(random *rand.Rand) string {
	var steps []string
	for range 1 + random.IntN(5) {
		collection, id, n := "xyu"[random.IntN(3)], string(rune('a'+random.IntN(6))), random.IntN(100)
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
		doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 2), "_id"), s.id)
		doc = msgpack.AppendInt(msgpack.AppendString(doc, "n"), int64(s.n))
		_, err = db.Insert(s.collection, doc, s.does == '=')
	}
	return err
}

// A model is a simple database for such work: by collection, the documents in
// insertion order.
type model map[string][]modelDocument

type modelDocument struct {
	id string
	n  int
}

var (
	errDuplicate = errors.New("the id is there already")
	errNotUnique = errors.New("two documents have the same n")
)

// do is step.do.
func (m model) do(s step) error {
	all := m[s.collection]
	at := slices.IndexFunc(all, func(d modelDocument) bool { return d.id == s.id })
	switch {
	case s.does == '-' && s.id == "*":
		all = nil
	case s.does == '-' && at >= 0:
		all = slices.Delete(all, at, at+1)
	case s.does == '+':
		for i := range all {
			if s.id == "*" || i == at {
				all[i].n += s.n
			}
		}
	case s.does == '!' && at >= 0:
		return errDuplicate
	case s.does == '=' && at >= 0:
		all[at].n = s.n
	case s.does == '=' || s.does == '!':
		all = append(all, modelDocument{s.id, s.n})
	}
	m[s.collection] = all
	for i, d := range all {
		if s.collection == "u" && slices.ContainsFunc(all[:i], func(other modelDocument) bool { return other.n == d.n }) {
			return errNotUnique
		}
	}
	return nil
}

// String returns the documents in order: "x: a=1 b=2; y: c=3; u: ".
func (m model) String() string {
	var b strings.Builder
	for _, name := range []string{"x", "y", "u"} {
		b.WriteString(name + ":")
		for _, d := range m[name] {
			fmt.Fprintf(&b, " %s=%d", d.id, d.n)
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
	for _, name := range []string{"x", "y", "u"} {
		eachDocument(t, db, name, func(doc []byte) {
			n, _ := msgpack.Int(msgpack.Lookup(doc, "n"))
			m[name] = append(m[name], modelDocument{textAt(doc, "_id"), int(n)})
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
