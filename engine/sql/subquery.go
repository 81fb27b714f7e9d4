package sql

import (
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A subquery is a query in an expression.
type subquery struct {
	body    *queryBody
	kind    subqueryKind
	negated bool // NOT IN, NOT EXISTS
}

// A subqueryKind says what becomes of the rows of a subquery.
type subqueryKind uint8

const (
	subScalar subqueryKind = iota // the first column of the first row
	subIn                         // whether a value is in the first column
	subExists                     // whether there is a row
)

// A boundSubquery is a subquery where it is asked: once for all tuples of the
// query around it if it reads nothing of them, else once for each different values
// of what it reads.
type boundSubquery struct {
	*subquery
	binder  *binder
	answers map[string]*subAnswer // by the values of what it reads
}

// A subAnswer is what a subquery has answered.
type subAnswer struct {
	value   []byte          // of a scalar
	any     bool            // there is a row
	values  map[string]bool // of IN: by query.AppendKey, without null
	list    [][]byte        // these, as they are
	hasNull bool
}

// maxSubAnswers is how many answers of one subquery are kept.
const maxSubAnswers = 1000

// subquery reads a query in parentheses, after the opening. left is what IN looks for.
func (p *parser) subquery(kind subqueryKind, left *expr) (*expr, error) {
	start := p.Token
	if p.inAny > 0 {
		return nil, p.ExpectedLike("a condition on elements", "a query cannot stand inside ANY (…)")
	}
	body, err := p.query()
	if err != nil {
		return nil, err
	}
	if n := len(body.names()); n != 1 && kind != subExists {
		what := "found " + count(n)
		if n == 0 {
			what = "found a star"
		}
		return nil, p.Fault(start, "expected one column in a query that stands for a value, "+what)
	}
	if !p.TakeSign(")") {
		return nil, p.Expected(`a clause or ")"`)
	}
	e := &expr{op: opSubquery, sub: &subquery{body: body, kind: kind}}
	if left != nil {
		e.kids = []*expr{left}
	}
	return p.made(start.Pos, e), nil
}

// subquery binds a query in an expression. What asks nothing of the query around is
// asked now, once in a statement.
func (b *binder) subquery(e *expr) (*expr, error) {
	bound := *e
	bound.kids = nil
	if len(e.kids) > 0 {
		left, err := b.bind(e.kids[0])
		if err != nil {
			return nil, err
		}
		bound.kids = append(bound.kids, left)
	}
	b.x.db.Spend(1)
	bound.bound = &boundSubquery{subquery: e.sub, binder: b, answers: map[string]*subAnswer{}}
	answer := b.x.answers[e.sub]
	if answer == nil {
		sc := &scope{outer: b, level: e.sub.body.level}
		q, err := e.sub.body.bind(b.x, sc)
		if err != nil {
			return nil, err
		}
		if len(sc.refs) > 0 {
			bound.kids = append(bound.kids, sc.refs...)
			return &bound, nil
		}
		if answer, err = bound.bound.take(q); err != nil {
			return nil, err
		}
		if !e.sub.body.readsSelf {
			b.x.answers[e.sub] = answer
		}
	}
	switch e.sub.kind {
	case subScalar:
		return constant(e, answer.value), nil
	case subExists:
		return truthAt(e, truthIf(answer.any != e.sub.negated)), nil
	}
	bound.bound.answers[""] = answer
	if bound.kids[0].isConst() {
		return constant(e, bound.answer(&tuple{})), nil
	}
	return &bound, nil
}

// A failure is the error of a subquery, on its way out of an expression. Run
// returns it.
type failure struct{ err error }

// answer evaluates a subquery on a tuple of the query around.
func (e *expr) answer(t *tuple) []byte {
	s := e.bound
	kids := e.kids
	var v []byte
	if s.kind == subIn {
		v, kids = kids[0].eval(t), kids[1:]
	}
	var key []byte
	for _, ref := range kids {
		key = appendPart(key, orNull(ref.eval(t)))
	}
	a := s.answers[string(key)]
	if a == nil {
		a = s.ask(t)
		if len(s.answers) >= maxSubAnswers {
			clear(s.answers)
		}
		s.answers[string(key)] = a
	}
	switch {
	case s.kind == subScalar:
		return a.value
	case s.kind == subExists:
		return truthIf(a.any != s.negated).value()
	case !a.any:
		return truthIf(s.negated).value()
	case isNull(v):
		return null
	case a.values[keyOfValue(v)]:
		return truthIf(!s.negated).value()
	case a.hasNull:
		return null
	}
	return truthIf(s.negated).value()
}

// ask runs the query for a tuple.
func (s *boundSubquery) ask(t *tuple) *subAnswer {
	x := s.binder.x
	x.db.Spend(1)
	q, err := s.body.bind(x, &scope{outer: s.binder, level: s.body.level, tuple: t})
	if err == nil {
		var a *subAnswer
		if a, err = s.take(q); err == nil {
			return a
		}
	}
	panic(failure{err})
}

// take takes what the answer needs from the rows.
func (s *boundSubquery) take(q boundQuery) (*subAnswer, error) {
	if one, ok := q.(*selection); ok && s.kind != subIn && one.limit != 0 {
		one.limit = 1
	}
	rows, err := q.rows()
	if err != nil {
		return nil, err
	}
	a := &subAnswer{value: null}
	db := s.binder.x.db
	for _, row := range s.binder.x.all(rows) {
		a.any = true
		if s.kind == subExists {
			break
		}
		v := columnAt(row, 0)
		if s.kind == subScalar {
			a.value = append([]byte(nil), v...)
			db.Hold(len(v) + partnerBytes)
			break
		}
		db.Spend(1)
		if isNull(v) {
			a.hasNull = true
			continue
		}
		k := keyOfValue(v)
		if a.values == nil {
			a.values = map[string]bool{}
		}
		if !a.values[k] {
			db.Hold(2*len(k) + partnerBytes)
			a.values[k] = true
			a.list = append(a.list, append([]byte(nil), v...))
		}
	}
	return a, nil
}

// narrowed returns a condition that documents meet for which the condition e, which
// is bound, holds: an index or a column may find them by it. False if there is none.
func (e *expr) narrowed() (f *query.Filter, table int, ok bool) {
	if e.op != opSubquery || e.sub.kind != subIn || e.sub.negated || len(e.kids) != 1 || e.kids[0].op != opField || e.kids[0].path.IsEmpty() {
		return nil, 0, false
	}
	return query.In(e.kids[0].path, e.bound.answers[""].list), e.kids[0].table, true
}

// hasSubquery reports whether e has a query in it.
func (e *expr) hasSubquery() (found bool) {
	e.walk(func(part *expr) { found = found || part.op == opSubquery })
	return found
}
