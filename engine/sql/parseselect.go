package sql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query"
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
	windows  []*windowSpec // that WINDOW names
	orderBy  []term
	limit    *expr
	offset   *expr
	values   [][]*expr // VALUES: its rows; there is nothing else
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

// A table is what documents come from: a collection, or the rows of a query.
type table struct {
	collection string
	alias      string
	isUnnamed  bool // it is a query or a function without AS
	pos        int
	kind       joinKind // of the join with the tables before it
	on         *expr    // nil: there is no condition
	using      []name   // fields that USING names
	natural    bool     // using are those that both sides have
	body       *queryBody
	cte        *cte       // that the query is; nil: it stands here
	self       bool       // the rows of the step before, in a query that reads itself
	json       *jsonTable // the rows of json_each or json_tree; body has only the names of its columns

	// What binding adds to the rows of a query.
	docs    [][]byte
	columns []string   // nil: they are documents, whose fields are not known
	lazy    boundQuery // has the rows instead of docs, which are taken one by one: it may have no end
	isKept  bool       // lazy reads nothing of the query around: its rows are the same in the whole statement
}

// A joinKind says which rows without a partner stay, of those before and of those
// that are joined.
type joinKind uint8

const (
	innerJoin joinKind = iota
	leftJoin
	rightJoin
	fullJoin
)

func (k joinKind) keepsLeft() bool  { return k == leftJoin || k == fullJoin }
func (k joinKind) keepsRight() bool { return k == rightJoin || k == fullJoin }

// A term is one of what ORDER BY lists.
type term struct {
	expr       *expr
	descending bool
	nulls      bool // it says where null stands
	nullsLast  bool
}

// selectPart reads what follows SELECT, up to HAVING.
func (p *parser) selectPart() (*selectBody, error) {
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
	} else if p.Token.Kind != token.End && p.Token.Kind != token.Sign && !p.isReserved() && !p.Token.Is("returning") && !p.isWindowClause() {
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
	case p.Token.Kind == token.Name && !p.isReserved() && !p.isWindowClause():
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
		names := query.SplitPath(c.expr.text)
		c.name = names[len(names)-1]
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

// from reads the tables after FROM, or those in a parenthesis.
func (p *parser) from(s *selectBody) error {
	if err := p.tables(s, innerJoin); err != nil {
		return err
	}
	for {
		natural := p.Take("natural")
		kind, found, err := p.joinKind()
		if err == nil && natural && !found {
			err = p.Expected("JOIN")
		}
		if err != nil || !found {
			return err
		}
		first := len(s.tables)
		if err := p.tables(s, kind); err != nil {
			return err
		}
		joined := &s.tables[len(s.tables)-1]
		start := p.Token
		switch {
		case natural && (joined != &s.tables[first] || p.Token.Is("on") || p.Token.Is("using")):
			return p.Fault(start, "expected one table after NATURAL JOIN, without ON and USING")
		case natural:
			joined.natural = true
		case p.Token.Is("on") && !p.Peek().Is("conflict"):
			p.Next()
			on, err := p.expr()
			if err != nil {
				return err
			}
			if joined.on != nil { // of the join that ends a parenthesis
				on = p.made(start.Pos, &expr{op: opAnd, kids: []*expr{joined.on, on}})
			}
			joined.on = on
		case p.Take("using"):
			if joined != &s.tables[first] {
				return p.Fault(start, "expected ON after tables in a parenthesis")
			}
			if err := p.using(joined); err != nil {
				return err
			}
		}
	}
}

// using reads the field names after USING.
func (p *parser) using(joined *table) error {
	if !p.TakeSign("(") {
		return p.Expected(`"(" and field names that both tables have`)
	}
	err := p.commas(maxGroupBy, "fields", func() error {
		n, err := p.name("a field name")
		joined.using = append(joined.using, n)
		return err
	})
	if err == nil && !p.TakeSign(")") {
		err = p.Expected(`"," or ")"`)
	}
	return err
}

// joinKind reads what stands between two tables; false if no table comes.
func (p *parser) joinKind() (kind joinKind, found bool, err error) {
	if p.TakeSign(",") {
		return innerJoin, true, nil
	}
	switch {
	case p.Take("inner"), p.Take("cross"):
	case p.Take("left"):
		kind = leftJoin
	case p.Take("right"):
		kind = rightJoin
	case p.Take("full"):
		kind = fullJoin
	case !p.Token.Is("join"):
		return 0, false, nil
	}
	if kind != innerJoin {
		p.Take("outer")
	}
	return kind, true, p.must("join")
}

// tables reads a table, or several that are joined in a parenthesis.
func (p *parser) tables(s *selectBody, kind joinKind) error {
	first := len(s.tables)
	start := p.Token
	if p.Token.IsSign("(") {
		before := p.Reader
		p.Next()
		if !p.startsQuery() {
			if p.depth == token.MaxDepth {
				return p.Fault(p.Token, "expected at most "+strconv.Itoa(token.MaxDepth)+" parentheses inside one another")
			}
			p.depth++
			err := p.from(s)
			p.depth--
			if err != nil {
				return err
			}
			if !p.TakeSign(")") {
				return p.Expected(`JOIN, "," or ")"`)
			}
			for _, inside := range s.tables[first:] {
				if first > 0 && len(s.tables) > first+1 && (kind != innerJoin || inside.kind != innerJoin) {
					return p.Fault(start, "expected one table after JOIN: a parenthesis around joins must come first, or hold and follow inner joins alone")
				}
			}
			s.tables[first].kind = kind
			return nil
		}
		p.Reader = before
	}
	if len(s.tables) == maxTables {
		return p.tooMany(maxTables, "collections in a SELECT")
	}
	joined, err := p.table()
	for n, alias := 1, joined.alias; joined.isUnnamed && slices.ContainsFunc(s.tables, func(t table) bool { return t.alias == joined.alias }); n++ {
		joined.alias = alias + ":" + strconv.Itoa(n)
	}
	joined.kind = kind
	s.tables = append(s.tables, joined)
	return err
}

// table reads the name of a collection, or a query, and its alias.
func (p *parser) table() (table, error) {
	s := table{pos: p.Token.Pos}
	if p.TakeSign("(") {
		if !p.startsQuery() {
			return s, p.Expected("SELECT, VALUES or WITH")
		}
		var err error
		if s.body, err = p.query(); err != nil {
			return s, err
		}
		if !p.TakeSign(")") {
			return s, p.Expected(`a clause or ")"`)
		}
		s.alias, s.isUnnamed = "subquery", true
	} else if !p.Token.Quoted && isJSONTable(strings.ToLower(p.Token.Text)) && p.Peek().IsSign("(") {
		if err := p.jsonTable(&s); err != nil {
			return s, err
		}
	} else {
		n, err := p.name("the name of a collection")
		if err != nil {
			return s, err
		}
		s.collection, s.alias, s.pos = n.text, n.text, n.pos
		if c := p.cte(n.text); c != nil {
			s.collection, s.body, s.cte, s.self = "", c.body, c, c.open
			if c.open {
				c.used = true
				c.refs++
				p.selfRefs++
			}
		} else {
			p.reads = append(p.reads, n.text)
		}
	}
	if p.Take("as") || p.Token.Kind == token.Name && !p.isReserved() && (p.Token.Quoted || !token.IsWord(p.Token.Text, afterTables)) && !p.isWindowClause() {
		if hint := p.clauseHint(); hint != "" && !p.Token.Quoted && !p.Token.Is("set") {
			return s, p.ExpectedLike("a clause or the end of the statement", hint)
		}
		alias, err := p.name("a name for the collection")
		if err != nil {
			return s, err
		}
		s.alias, s.pos, s.isUnnamed = alias.text, alias.pos, false
	}
	return s, nil
}

// isJSONTable reports whether a function, by its name in lower case, has rows.
func isJSONTable(word string) bool { return word == "json_each" || word == "json_tree" }

// jsonTable reads json_each or json_tree and its arguments.
func (p *parser) jsonTable(s *table) error {
	t := p.Token
	s.alias = strings.ToLower(t.Text)
	s.isUnnamed = true
	s.json, s.body = &jsonTable{isTree: s.alias == "json_tree"}, &queryBody{columns: jsonColumns}
	p.Next()
	p.Next()
	err := p.commas(2, "arguments", func() error {
		e, err := p.expr()
		s.json.args = append(s.json.args, e)
		return err
	})
	if err == nil {
		s.json.args[0] = s.json.args[0].asJSON()
		err = p.mustSign(")")
	}
	return err
}

// afterTables are words that may follow a table, and are no alias unless they are in
// quotes.
var afterTables = []string{"set", "using", "returning"}

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
	return p.windows(s)
}

// orderBy reads the terms of ORDER BY, if it comes next.
func (p *parser) orderBy() (terms []term, err error) {
	if !p.Take("order") {
		return nil, nil
	}
	if err := p.must("by"); err != nil {
		return nil, err
	}
	err = p.commas(maxOrderBy, "expressions to order by", func() error {
		e, err := p.expr()
		if err != nil {
			return err
		}
		t := term{expr: e}
		err = p.ordering(&t)
		terms = append(terms, t)
		return err
	})
	return terms, err
}

// order reads ORDER BY, LIMIT and OFFSET.
func (p *parser) order(s *selectBody) (err error) {
	if s.orderBy, err = p.orderBy(); err != nil {
		return err
	}
	if p.Take("limit") {
		if s.limit, err = p.sum(); err != nil {
			return err
		}
		if p.TakeSign(",") { // LIMIT offset, limit
			s.offset = s.limit
			s.limit, err = p.sum()
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
