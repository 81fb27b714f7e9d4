package sql

import (
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A queryBody is what answers with rows: a SELECT or VALUES, or several that
// UNION, EXCEPT and INTERSECT combine, from left to right.
type queryBody struct {
	level   int // how many queries are around it
	parts   []*selectBody
	ops     []setOp  // before each part but the first
	columns []string // names that WITH gives the columns; nil: their own
	// recursive is the first part that reads the rows of the query itself, which WITH
	// names of; 0: none.
	recursive int
	of        *cte
	cut       *selectBody // its ORDER BY and LIMIT; nil: it has none
	readsSelf bool        // it reads rows of a query that it is in
	isEndless bool        // perhaps: it reads a query that reads itself
}

// A setOp combines the rows so far with those of the next part.
type setOp uint8

const (
	opUnion setOp = iota
	opUnionAll
	opExcept
	opIntersect
)

// A cte is a query that WITH names.
type cte struct {
	name string
	body *queryBody
	open bool // it is being read, so a reference is to itself
	used bool // by itself
	refs int  // how often
}

// What a statement may have of queries.
const (
	maxQueryDepth = 64  // inside one another
	maxParts      = 500 // combined by UNION and the like, as many as in SQLite
	maxCTEs       = 500
)

// startsQuery reports whether the next token begins a query.
func (p *parser) startsQuery() bool {
	switch t := p.Token; {
	case t.Quoted:
		return false
	case t.Is("select"):
		return true
	case t.Is("values"):
		return p.Peek().IsSign("(")
	case t.Is("with"):
		next := p.Peek()
		return next.Kind == token.Name && !(token.IsWord(next.Text, reserved) && !next.Quoted)
	}
	return false
}

// query reads a query, with the WITH before it.
func (p *parser) query() (*queryBody, error) {
	defer p.forget(len(p.ctes))
	if err := p.with(); err != nil {
		return nil, err
	}
	return p.queryAfterWith(nil)
}

// forget ends the reach of what WITH has named after the first so many.
func (p *parser) forget(known int) { p.ctes = p.ctes[:known] }

// queryAfterWith reads the parts of a query. of is what WITH names it; nil: nothing.
func (p *parser) queryAfterWith(of *cte) (*queryBody, error) {
	if p.level == maxQueryDepth {
		return nil, p.tooMany(maxQueryDepth, "queries inside one another")
	}
	q := &queryBody{level: p.level}
	p.level++
	refs := p.selfRefs
	defer func() { p.level-- }()
	for {
		if of != nil {
			of.used = false
		}
		start := p.Token
		part, err := p.part()
		if err != nil {
			return nil, err
		}
		switch {
		case len(q.parts) > 0 && !q.fits(part):
			return nil, p.Fault(start, "expected as many columns as the first SELECT has; a star stands for whole documents, and combines with other lone stars")
		case of != nil && of.used && len(q.parts) == 0:
			return nil, p.Fault(start, "expected a SELECT that does not read "+token.Clipped(of.name)+" first; the one that does comes after UNION or UNION ALL")
		case of != nil && of.used && part.isOfMany():
			return nil, p.Fault(start, "expected no aggregate, no GROUP BY and no window function in a SELECT that reads its own rows: they come one after the other")
		case of != nil && of.used && q.recursive == 0:
			q.recursive, q.of = len(q.parts), of
		}
		q.parts = append(q.parts, part)
		for _, t := range part.tables {
			q.isEndless = q.isEndless || t.body != nil && t.body.isEndless
		}
		if q.recursive > 0 && (q.ops[len(q.ops)-1] > opUnionAll || q.ops[len(q.ops)-1] != q.ops[q.recursive-1]) {
			return nil, p.Fault(start, "expected UNION or UNION ALL, and no other after it, before a SELECT that reads "+token.Clipped(of.name))
		}
		op, found := p.setOp()
		if !found {
			break
		}
		if len(q.parts) == maxParts {
			return nil, p.tooMany(maxParts, "queries in a UNION, EXCEPT or INTERSECT")
		}
		q.ops = append(q.ops, op)
	}
	q.readsSelf = p.selfRefs > refs
	q.isEndless = q.isEndless || q.recursive > 0
	return p.whole(q)
}

// isOfMany reports whether rows of s are made of several others.
func (s *selectBody) isOfMany() bool {
	return s.groupBy != nil || slices.ContainsFunc(s.columns, func(c column) bool {
		return c.expr != nil && (c.expr.hasAggregate() || c.expr.hasWindow())
	})
}

// whole reads what is said of the rows of all parts.
func (p *parser) whole(q *queryBody) (*queryBody, error) {
	if len(q.parts) == 1 && q.parts[0].values == nil {
		return q, p.order(q.parts[0])
	}
	if !p.Token.Is("order") && !p.Token.Is("limit") && !p.Token.Is("offset") {
		return q, nil
	}
	// The rows of the whole are the only table of a SELECT that sorts and cuts them.
	all := &selectBody{
		columns: []column{{star: true, pos: p.Token.Pos}},
		tables:  []table{{body: q, alias: "union", pos: p.Token.Pos}},
	}
	if q.recursive > 0 {
		q.cut = all
		return q, p.order(all)
	}
	return &queryBody{level: q.level, parts: []*selectBody{all}, readsSelf: q.readsSelf, isEndless: q.isEndless}, p.order(all)
}

// part reads a SELECT up to its HAVING, or VALUES.
func (p *parser) part() (*selectBody, error) {
	switch {
	case p.Take("select"):
		return p.selectPart()
	case p.startsQuery() && p.Take("values"):
		return p.valuesPart()
	}
	return nil, p.Expected("SELECT or VALUES")
}

func (p *parser) setOp() (setOp, bool) {
	switch {
	case p.Take("union"):
		if p.Take("all") {
			return opUnionAll, true
		}
		return opUnion, true
	case p.Take("except"):
		return opExcept, true
	case p.Take("intersect"):
		return opIntersect, true
	}
	return 0, false
}

// fits reports whether part has as many columns as the parts before it.
func (q *queryBody) fits(part *selectBody) bool {
	first, names := q.parts[0].names(), part.names()
	return (first == nil) == (names == nil) && len(first) == len(names)
}

// valuesPart reads what follows VALUES. Its columns are column1, column2 and so on.
func (p *parser) valuesPart() (*selectBody, error) {
	s := &selectBody{}
	err := p.commas(token.MaxTerms, "rows", func() error {
		start := p.Token
		row, err := p.rowOf("values of a row")
		if err != nil {
			return err
		}
		if s.values != nil && len(row) != len(s.values[0]) {
			return p.Fault(start, "expected as many values as in the first row, "+count(len(s.values[0]))+", found "+count(len(row)))
		}
		s.values = append(s.values, row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, e := range s.values[0] {
		s.columns = append(s.columns, column{expr: e, name: "column" + strconv.Itoa(i+1), pos: e.start})
	}
	return s, nil
}

// rowOf reads expressions in a parenthesis.
func (p *parser) rowOf(what string) (row []*expr, err error) {
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and the ` + what)
	}
	err = p.commas(maxColumns, what, func() error {
		e, err := p.expr()
		row = append(row, e)
		return err
	})
	if err == nil && !p.TakeSign(")") {
		err = p.Expected(`"," or ")"`)
	}
	return row, err
}

// with reads what WITH names, if it comes next. The names reach until forget.
func (p *parser) with() error {
	if !p.startsQuery() || !p.Take("with") {
		return nil
	}
	recursive := p.Token.Is("recursive") && p.Peek().Kind == token.Name && !p.Peek().Is("as") && p.Take("recursive")
	start := len(p.ctes)
	return p.commas(maxCTEs, "queries in a WITH", func() error {
		n, err := p.name("a name for the query")
		if err != nil {
			return err
		}
		for _, other := range p.ctes[start:] {
			if other.name == n.text {
				return at(p.Text(), n.pos, "expected another name: "+token.Clipped(n.text)+" is taken")
			}
		}
		c := &cte{name: n.text, body: &queryBody{}, open: true}
		var columns []string
		if p.TakeSign("(") {
			paths, err := p.paths()
			if err != nil {
				return err
			}
			columns = texts(paths)
		}
		if err := p.must("as"); err != nil {
			return err
		}
		if p.Take("not") {
			err = p.must("materialized")
		} else {
			p.Take("materialized")
		}
		if err == nil {
			err = p.mustSign("(")
		}
		if err != nil {
			return err
		}
		known, refs := len(p.ctes), p.selfRefs
		if recursive {
			p.ctes = append(p.ctes, c)
		}
		body, err := p.namedQuery(c)
		p.ctes = p.ctes[:known]
		if err != nil {
			return err
		}
		if columns != nil {
			if names := body.names(); len(names) != len(columns) {
				return at(p.Text(), n.pos, "expected as many names as the query has columns")
			}
			body.columns = uniqueNames(columns)
		}
		p.selfRefs -= c.refs
		body.readsSelf = p.selfRefs > refs
		// References that were read meanwhile are to c.body.
		*c.body, c.open = *body, false
		p.ctes = append(p.ctes, c)
		return nil
	})
}

// namedQuery reads the query of a WITH up to the closing parenthesis.
func (p *parser) namedQuery(c *cte) (*queryBody, error) {
	defer p.forget(len(p.ctes))
	if err := p.with(); err != nil {
		return nil, err
	}
	body, err := p.queryAfterWith(c)
	if err == nil {
		err = p.mustSign(")")
	}
	return body, err
}

// cte returns what WITH has named so; nil if that is no such name.
func (p *parser) cte(name string) *cte {
	for i := len(p.ctes) - 1; i >= 0; i-- {
		if p.ctes[i].name == name {
			return p.ctes[i]
		}
	}
	return nil
}

// names returns the names of the columns; nil if they are those of documents.
func (q *queryBody) names() []string {
	if q.columns != nil {
		return q.columns
	}
	return q.parts[0].names()
}
