package sql

import (
	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// WhereOf returns the filter that the condition of a SELECT from one collection
// becomes, nil if a part of it is left to be evaluated.
func WhereOf(db *engine.DB, text string) (*query.Filter, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	q, err := s.body.(*selectBody).bind(newExecution(db, text), nil)
	if err != nil || len(q.rest) > 0 {
		return nil, err
	}
	return q.filters[0], nil
}

// WritingStatements returns the words that statements which write start with.
func WritingStatements() (words []string) {
	for _, s := range statements {
		if s.writes {
			words = append(words, s.word)
		}
	}
	return words
}

// Definition runs a SELECT without any help of the engine.
func Definition(db *engine.DB, text string) (Rows, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	x := newExecution(db, text)
	x.slowly = true
	return s.body.run(x)
}

// Invariants says that every answer is compared with its definition, which takes long.
const Invariants = invariants
