package typed

import (
	"context"
	"reflect"

	"github.com/atomicdb-go/atomicdb/engine"
	packed "github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A Collection is a collection of documents, seen as values of the type T: a struct, or
// a map with string keys. In makes one. It holds nothing, so it may be made anew for
// each call.
type Collection[T any] struct {
	scope Scope
	name  string
}

// In returns the collection of a name. The first document that is inserted creates it.
// In a transaction, give it the Tx.
func In[T any](scope Scope, name string) *Collection[T] {
	return &Collection[T]{scope: scope, name: name}
}

// Insert adds documents, all or none. A document without "_id" gets the next integer,
// which is written into it if T has a place for it.
//
// Errors: invalid, schema, duplicate_id, unique, and those of storing.
func (c *Collection[T]) Insert(ctx context.Context, docs ...*T) error {
	return c.put(ctx, "insert", false, docs)
}

// Upsert adds documents, all or none. Each must have an "_id", and replaces the document
// that has this "_id" already.
//
// Errors: as Insert, without duplicate_id.
func (c *Collection[T]) Upsert(ctx context.Context, docs ...*T) error {
	return c.put(ctx, "upsert", true, docs)
}

func (c *Collection[T]) put(ctx context.Context, op string, upsert bool, docs []*T) error {
	// Before the transaction, which may run twice and then finds other ids in them.
	var all []byte
	lacksID := make([]bool, len(docs))
	for i, doc := range docs {
		if doc == nil {
			return engine.Fail(engine.CodeInvalid, op, c.name, "docs: a document is nil")
		}
		b, err := encode(op, c.name, "docs", doc)
		if err != nil {
			return err
		}
		lacksID[i] = packed.Lookup(b, "_id") == nil
		all = append(all, b...)
	}
	if len(docs) == 0 {
		return nil
	}
	return c.scope.update(ctx, op, func(tx *Tx) error {
		ids, err := tx.engine.Insert(c.name, all, upsert)
		if err != nil {
			return err
		}
		i := 0
		for id := range packed.Elements(ids) {
			if lacksID[i] {
				if err := setID(tx, op, c.name, docs[i], id); err != nil {
					return err
				}
			}
			i++
		}
		return nil
	})
}

// setID writes an id into a document, until tx takes it back.
func setID[T any](tx *Tx, op, collection string, doc *T, id []byte) error {
	target := collection + " _id"
	if m := reflect.ValueOf(doc).Elem(); m.Kind() == reflect.Map { // a decoder would empty it
		key, value := reflect.ValueOf("_id").Convert(m.Type().Key()), reflect.New(m.Type().Elem())
		if err := decode(op, target, id, value.Interface()); err != nil {
			return err
		}
		tx.taken = append(tx.taken, func() { m.SetMapIndex(key, reflect.Value{}) })
		m.SetMapIndex(key, value.Elem())
		return nil
	}
	before := *doc
	tx.taken = append(tx.taken, func() { *doc = before })
	return decode(op, target, append(packed.AppendString(packed.AppendMap(nil, 1), "_id"), id...), doc)
}

// Get returns the document of an id. The error has CodeNotFound if there is none.
func (c *Collection[T]) Get(ctx context.Context, id any) (doc T, err error) {
	key, err := idOf("get", c.name, id)
	if err != nil {
		return doc, err
	}
	err = c.scope.view(ctx, "get", func(tx *Tx) error {
		b := tx.engine.Get(c.name, key)
		if b == nil {
			return engine.Fail(engine.CodeNotFound, "get", nameOf(c.name, append([]byte("\x81\xa3_id"), key...)), "there is no such document")
		}
		return decode("get", nameOf(c.name, b), b, &doc)
	})
	return doc, err
}

// Update changes every document that meets a condition, or none if one fails, and
// returns how many it has changed. update is a map of fields to set by their paths, or
// of MongoDB's operators; see [engine.ParseUpdate]:
//
//	n, err := notes.Update(ctx, typed.ByID(3), map[string]any{"$inc": map[string]any{"stars": 1}})
//
// Errors: invalid, schema, unique, and those of storing.
func (c *Collection[T]) Update(ctx context.Context, where, update any) (n int, err error) {
	n, _, err = c.UpdateWith(ctx, where, update, engine.UpdateOptions{})
	return n, err
}

// UpdateWith is Update with options: the first document alone, in an order, one that
// is added if none matches, or a T that takes the place of another. It returns the
// documents that options.Return asks for. The time that $currentDate sets is that of
// the database's clock, unless options has one.
//
//	_, claimed, err := jobs.UpdateWith(ctx, "state = 'new'", map[string]any{"state": "taken"},
//		engine.UpdateOptions{One: true, Return: engine.ReturnAfter})
//
// Errors: invalid, schema, unique, and those of storing.
func (c *Collection[T]) UpdateWith(ctx context.Context, where, update any, options engine.UpdateOptions) (n int, docs []T, err error) {
	filter, err := filterOf("update", c.name, where)
	if err != nil {
		return 0, nil, err
	}
	b, err := encode("update", c.name, "update", update)
	if err != nil {
		return 0, nil, err
	}
	if options.Now == 0 {
		options.Now = c.scope.database().session.Now()
	}
	err = c.scope.update(ctx, "update", func(tx *Tx) error {
		done, err := tx.engine.UpdateWith(c.name, b, filter, options)
		if err != nil {
			return err
		}
		n, docs = done.Changed, nil
		for doc := range packed.Elements(done.Documents) {
			var v T
			if err := decode("update", nameOf(c.name, doc), doc, &v); err != nil {
				return err
			}
			docs = append(docs, v)
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return n, docs, nil
}

// Remove removes every document that meets a condition, and returns how many did.
//
// Errors: invalid, relationship, and those of storing.
func (c *Collection[T]) Remove(ctx context.Context, where any) (n int, err error) {
	filter, err := filterOf("remove", c.name, where)
	if err != nil {
		return 0, err
	}
	err = c.scope.update(ctx, "remove", func(tx *Tx) (err error) {
		n, err = tx.engine.Remove(c.name, filter)
		return err
	})
	return kept(n, err)
}

// kept is what a write returns: one that was not stored has changed nothing.
func kept(n int, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return n, nil
}

// CreateIndex declares an index on one or several paths, and creates the collection if
// there is none. The same index again does nothing.
//
// Errors: invalid, unique, and those of storing.
func (c *Collection[T]) CreateIndex(ctx context.Context, paths []string, options engine.IndexOptions) error {
	return c.scope.update(ctx, "createIndex", func(tx *Tx) error {
		return tx.engine.CreateIndex(c.name, paths, options)
	})
}
