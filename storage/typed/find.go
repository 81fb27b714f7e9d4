package typed

import (
	"context"
	"iter"
	"math"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	packed "github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A FindOption says which of the documents found are returned, and in which order.
type FindOption func(*engine.Query)

// Sort sorts by paths, by the first one first. "-stars" sorts by stars, the highest
// first. Without it, documents come in the order in which they were inserted.
func Sort(paths ...string) FindOption {
	return func(q *engine.Query) {
		for _, path := range paths {
			name, descending := strings.CutPrefix(path, "-")
			q.Sort = append(q.Sort, engine.SortKey{Path: query.ParsePath(name), Descending: descending, ByElement: true})
		}
	}
}

// Skip passes over the first n documents.
func Skip(n int) FindOption { return func(q *engine.Query) { q.Skip = n } }

// Limit returns at most n documents. 0 or less: all.
func Limit(n int) FindOption { return func(q *engine.Query) { q.Limit = n } }

// Fields returns only what these paths lead to, and the "_id".
func Fields(paths ...string) FindOption {
	return func(q *engine.Query) { q.Fields = append(q.Fields, paths...) }
}

// Populate puts the documents of relationships into those found, each under the name of
// its relationship.
func Populate(names ...string) FindOption {
	return func(q *engine.Query) { q.Populate = append(q.Populate, names...) }
}

// queryOf reads a condition and options.
func queryOf(op, collection string, where any, options []FindOption) (q engine.Query, err error) {
	for _, option := range options {
		option(&q)
	}
	q.Where, err = filterOf(op, collection, where)
	return q, err
}

// Find returns the documents that meet a condition, as they are when the loop begins.
// An error ends the loop, and comes with the zero value of T.
//
// Errors: invalid (the condition is none, or a document does not fit T), timeout (the
// context has ended).
func (c *Collection[T]) Find(ctx context.Context, where any, options ...FindOption) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		docs, err := c.found(ctx, "find", where, options)
		if err != nil {
			yield(none, err)
			return
		}
		for b := range packed.Values(docs) {
			if ctx.Err() != nil {
				yield(none, ended(ctx, "find"))
				return
			}
			var doc T
			if err := decode("find", nameOf(c.name, b), b, &doc); err != nil {
				yield(none, err)
				return
			}
			if !yield(doc, nil) {
				return
			}
		}
	}
}

// found returns the documents that meet a condition, one after the other.
func (c *Collection[T]) found(ctx context.Context, op string, where any, options []FindOption) (docs []byte, err error) {
	q, err := queryOf(op, c.name, where, options)
	if err != nil {
		return nil, err
	}
	err = c.scope.view(ctx, op, func(tx *Tx) error {
		result, err := tx.engine.Find(c.name, q)
		if err == nil {
			docs, _, _ = result.Next(nil, math.MaxInt)
		}
		return err
	})
	return docs, err
}

// FindOne returns the first document that Find would. The error has CodeNotFound if
// there is none.
func (c *Collection[T]) FindOne(ctx context.Context, where any, options ...FindOption) (T, error) {
	for doc, err := range c.Find(ctx, where, append(options[:len(options):len(options)], Limit(1))...) {
		return doc, err
	}
	var none T
	return none, engine.Fail(engine.CodeNotFound, "findOne", c.name, "no document meets the condition")
}

// Count returns how many documents meet a condition.
func (c *Collection[T]) Count(ctx context.Context, where any) (n int, err error) {
	filter, err := filterOf("count", c.name, where)
	if err != nil {
		return 0, err
	}
	err = c.scope.view(ctx, "count", func(tx *Tx) (err error) {
		n, err = tx.engine.Count(c.name, filter, 0)
		return err
	})
	return n, err
}

// Collect returns what a loop over Find yields, or its error.
//
//	best, err := typed.Collect(notes.Find(ctx, nil, typed.Sort("-stars"), typed.Limit(10)))
func Collect[T any](seq iter.Seq2[T, error]) (all []T, err error) {
	for doc, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, doc)
	}
	return all, nil
}
