package sql

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A selectBody is a SELECT as it was written.
type selectBody struct {
	distinct bool
	columns  []column
	tables   []table
	where    *expr
	groupBy  []*expr
	having   *expr
	orderBy  []term
	limit    *expr
	offset   *expr
}

// A column is one of what SELECT lists.
type column struct {
	star  bool   // all fields: of the table named of, or of all
	of    string // "" for all
	expr  *expr
	name  string
	alias bool // the name was given by AS
	pos   int
}

// A table is a collection that documents come from.
type table struct {
	collection string
	alias      string
	pos        int
	left       bool  // LEFT JOIN: rows without a partner stay
	on         *expr // of a join
}

// A term is one of what ORDER BY lists.
type term struct {
	expr       *expr
	descending bool
	nulls      bool // it says where null stands
	nullsLast  bool
}

// selectBody reads what follows SELECT.
func (p *parser) selectBody() (*selectBody, error) {
	s := &selectBody{}
	if s.distinct = p.Take("distinct"); !s.distinct {
		p.Take("all")
	}
	if err := p.commas(maxColumns, "columns", func() error { return p.column(s) }); err != nil {
		return nil, err
	}
	if p.Take("from") {
		if err := p.from(s); err != nil {
			return nil, err
		}
	} else if p.Token.Kind != token.End && !p.Token.IsSign(";") && !p.isReserved() {
		return nil, p.ExpectedLike(`"," or FROM`, p.clauseHint())
	}
	return s, p.clauses(s)
}

func (p *parser) column(s *selectBody) error {
	c := column{pos: p.Token.Pos}
	defer func() { s.columns = append(s.columns, c) }()
	if p.TakeSign("*") {
		c.star = true
		return nil
	}
	var err error
	if c.expr, err = p.starOrExpr(&c); err != nil || c.star {
		return err
	}
	switch {
	case p.Take("as"):
		n, err := p.name("a name for the column")
		if err != nil {
			return err
		}
		c.name, c.alias, c.pos = n.text, true, n.pos
		return nil
	case p.Token.Kind == token.Name && !p.isReserved():
		if p.clauseHint() != "" && !p.Token.Quoted {
			return p.ExpectedLike(`"," or FROM`, p.clauseHint())
		}
		n, err := p.name("a name for the column")
		if err != nil {
			return err
		}
		c.name, c.alias, c.pos = n.text, true, n.pos
		return nil
	}
	c.name = strings.TrimSpace(p.Text()[c.expr.start:c.expr.end])
	if c.expr.op == opPath {
		c.name = c.expr.text[strings.LastIndexByte(c.expr.text, '.')+1:]
	}
	return nil
}

// starOrExpr reads t.* or an expression.
func (p *parser) starOrExpr(c *column) (*expr, error) {
	t := p.Token
	if t.Kind == token.Name && !p.isReserved() && p.Peek().IsSign(".") {
		before := p.Reader
		p.Next()
		p.Next()
		if p.TakeSign("*") {
			c.star, c.of = true, t.Text
			return nil, nil
		}
		p.Reader = before
	}
	return p.expr()
}

func (p *parser) from(s *selectBody) error {
	first, err := p.table()
	if err != nil {
		return err
	}
	s.tables = append(s.tables, first)
	for {
		left := false
		switch {
		case p.Take("inner"):
		case p.Take("left"):
			p.Take("outer")
			left = true
		case p.Token.Is("right"), p.Token.Is("full"), p.Token.Is("cross"), p.Token.Is("natural"), p.Token.Is("outer"):
			return p.ExpectedLike("JOIN, INNER JOIN or LEFT JOIN", "there are no others")
		case p.Token.IsSign(","):
			return p.ExpectedLike("JOIN … ON …", "collections are not joined by commas")
		case !p.Token.Is("join"):
			return nil
		}
		if err := p.must("join"); err != nil {
			return err
		}
		if len(s.tables) == maxTables {
			return p.tooMany(maxTables, "collections in a SELECT")
		}
		joined, err := p.table()
		if err != nil {
			return err
		}
		if err := p.must("on"); err != nil {
			return err
		}
		joined.left = left
		if joined.on, err = p.expr(); err != nil {
			return err
		}
		s.tables = append(s.tables, joined)
	}
}

// table reads the name of a collection and its alias.
func (p *parser) table() (table, error) {
	if p.Token.IsSign("(") {
		return table{}, p.ExpectedLike("the name of a collection", "there are no subqueries")
	}
	n, err := p.name("the name of a collection")
	if err != nil {
		return table{}, err
	}
	s := table{collection: n.text, alias: n.text, pos: n.pos}
	p.reads = append(p.reads, n.text)
	if p.Take("as") || p.Token.Kind == token.Name && !p.isReserved() && !p.Token.Is("set") {
		if hint := p.clauseHint(); hint != "" && !p.Token.Quoted && !p.Token.Is("set") {
			return s, p.ExpectedLike("a clause or the end of the statement", hint)
		}
		alias, err := p.name("a name for the collection")
		if err != nil {
			return s, err
		}
		s.alias, s.pos = alias.text, alias.pos
	}
	return s, nil
}

// clauses reads from WHERE on.
func (p *parser) clauses(s *selectBody) (err error) {
	if p.Take("where") {
		if s.where, err = p.expr(); err != nil {
			return err
		}
	}
	if p.Take("group") {
		if err := p.must("by"); err != nil {
			return err
		}
		err := p.commas(maxGroupBy, "expressions to group by", func() error {
			e, err := p.expr()
			s.groupBy = append(s.groupBy, e)
			return err
		})
		if err != nil {
			return err
		}
	}
	if p.Take("having") {
		if s.having, err = p.expr(); err != nil {
			return err
		}
	}
	if p.Take("order") {
		if err := p.must("by"); err != nil {
			return err
		}
		err := p.commas(maxOrderBy, "expressions to order by", func() error {
			e, err := p.expr()
			if err != nil {
				return err
			}
			t := term{expr: e}
			err = p.ordering(&t)
			s.orderBy = append(s.orderBy, t)
			return err
		})
		if err != nil {
			return err
		}
	}
	if p.Take("limit") {
		if s.limit, err = p.sum(); err != nil {
			return err
		}
	}
	if p.Take("offset") {
		if s.offset, err = p.sum(); err != nil {
			return err
		}
	}
	return nil
}
