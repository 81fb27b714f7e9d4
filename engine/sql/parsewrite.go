package sql

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// An insertBody is INSERT INTO, as it was written.
type insertBody struct {
	into      table
	columns   []*expr // paths; none: each row is one whole document
	rows      [][]*expr
	pos       []int      // where each row starts
	query     *queryBody // instead of rows
	conflict  *conflict  // nil: what exists already is an error
	returning []column
}

// A conflict says what becomes of a document that another forbids, by its _id or by
// the values of a unique index.
type conflict struct {
	on      []*expr // the paths; none: any
	pos     int
	replace bool  // the other goes
	sets    []set // the other is changed; none, and no replace: the new one is left out
	where   *expr
}

// An updateBody is UPDATE.
type updateBody struct {
	tables    []table // the first is changed
	sets      []set
	where     *expr
	returning []column
}

// A set puts the value of an expression at a path.
type set struct{ path, value *expr }

// A deleteBody is DELETE FROM.
type deleteBody struct {
	table     table
	where     *expr
	returning []column
}

// A createBody is CREATE INDEX.
type createBody struct {
	unique, sparse bool
	ifNotExists    bool
	name           string
	on             name
	paths          []*expr
}

// A dropBody is DROP INDEX: by name, of the collection on if that is given, or
// by paths.
type dropBody struct {
	ifExists bool
	name     string
	on       name
	paths    []*expr
}

// An explainBody is EXPLAIN with the statement after it.
type explainBody struct{ of body }

func (p *parser) insertBody() (body, error) {
	b := &insertBody{}
	if p.Take("or") {
		switch {
		case p.Take("replace"):
			b.conflict = &conflict{replace: true}
		case p.Take("ignore"):
			b.conflict = &conflict{}
		case !p.Take("abort"):
			return nil, p.ExpectedLike("REPLACE, IGNORE or ABORT", "a statement changes everything that it says or nothing")
		}
	}
	return p.insertInto(b)
}

// replaceBody reads what follows REPLACE, which is short for INSERT OR REPLACE.
func (p *parser) replaceBody() (body, error) {
	return p.insertInto(&insertBody{conflict: &conflict{replace: true}})
}

func (p *parser) insertInto(b *insertBody) (body, error) {
	if err := p.must("into"); err != nil {
		return nil, err
	}
	n, err := p.name("the name of a collection")
	if err != nil {
		return nil, err
	}
	b.into = table{collection: n.text, alias: n.text, pos: n.pos}
	if p.Take("as") {
		alias, err := p.name("a name for the collection")
		if err != nil {
			return nil, err
		}
		b.into.alias = alias.text
	}
	if p.TakeSign("(") {
		if b.columns, err = p.paths(); err != nil {
			return nil, err
		}
	}
	switch {
	case p.Token.Is("values"):
		p.Next()
		err = p.commas(token.MaxTerms, "documents", func() error { return p.row(b) })
	case p.startsQuery():
		start := p.Token
		if b.query, err = p.query(); err == nil && b.columns != nil && len(b.query.names()) != len(b.columns) {
			err = p.Fault(start, "expected a query with as many columns as there are field names, "+count(len(b.columns)))
		}
	default:
		return nil, p.ExpectedLike("VALUES or SELECT", p.misspelled("values"))
	}
	if err == nil && p.Token.Is("on") {
		start := p.Token
		if b.conflict != nil {
			return nil, p.Fault(start, "expected either INSERT OR … or ON CONFLICT")
		}
		p.Next()
		b.conflict, err = p.conflict(start.Pos)
	}
	if err == nil {
		b.returning, err = p.returning()
	}
	return b, err
}

// conflict reads what follows ON.
func (p *parser) conflict(pos int) (*conflict, error) {
	c := &conflict{pos: pos}
	if err := p.must("conflict"); err != nil {
		return nil, err
	}
	var err error
	if p.TakeSign("(") {
		if c.on, err = p.paths(); err != nil {
			return nil, err
		}
	}
	if err := p.must("do"); err != nil {
		return nil, err
	}
	if p.Take("nothing") {
		return c, nil
	}
	if !p.Token.Is("update") {
		return nil, p.Expected("NOTHING or UPDATE")
	}
	if c.on == nil {
		return nil, p.ExpectedLike("NOTHING", "UPDATE needs to know of what: ON CONFLICT (field) DO UPDATE")
	}
	p.Next()
	if c.sets, err = p.sets(); err == nil && p.Take("where") {
		c.where, err = p.expr()
	}
	return c, err
}

// returning reads RETURNING and its columns, if it comes next.
func (p *parser) returning() ([]column, error) {
	if !p.Take("returning") {
		return nil, nil
	}
	s := &selectBody{}
	err := p.commas(maxColumns, "columns", func() error { return p.column(s) })
	for _, c := range s.columns {
		if err == nil && c.expr != nil && c.expr.hasAggregate() {
			err = p.ExpectedLike("values of each document after RETURNING", "aggregates are for SELECT")
		}
	}
	return s.columns, err
}

func (p *parser) row(b *insertBody) error {
	start := p.Token
	row, err := p.rowOf("values of a document")
	switch {
	case err != nil:
		return err
	case b.columns != nil && len(row) != len(b.columns):
		return p.Fault(start, "expected as many values as field names, "+count(len(b.columns))+", found "+count(len(row)))
	case b.columns == nil && len(row) != 1:
		return p.Fault(start, "expected one document, found "+count(len(row))+" values; documents have no order of fields, so their names go before VALUES")
	}
	for i, e := range row {
		row[i] = e.stored()
	}
	b.rows, b.pos = append(b.rows, row), append(b.pos, start.Pos)
	return nil
}

func (p *parser) updateBody() (body, error) {
	b := &updateBody{}
	changed, err := p.changed()
	if err != nil {
		return nil, err
	}
	if b.sets, err = p.sets(); err != nil {
		return nil, err
	}
	s := &selectBody{tables: []table{changed}}
	if p.Take("from") {
		if err := p.from(s); err != nil {
			return nil, err
		}
	}
	b.tables = s.tables
	if p.Take("where") {
		if b.where, err = p.expr(); err != nil {
			return nil, err
		}
	}
	b.returning, err = p.returning()
	return b, err
}

// changed reads the collection that a statement changes.
func (p *parser) changed() (table, error) {
	start := p.Token
	t, err := p.table()
	if err == nil && t.body != nil {
		err = p.Fault(start, "expected a collection, found the name of a query")
	}
	return t, err
}

// sets reads SET and what it sets.
func (p *parser) sets() (sets []set, err error) {
	if err := p.must("set"); err != nil {
		return nil, err
	}
	return sets, p.commas(maxColumns, "fields", func() error {
		if p.TakeSign("(") {
			of, err := p.setRow()
			sets = append(sets, of...)
			return err
		}
		path, err := p.path()
		if err != nil {
			return err
		}
		if !p.TakeSign("=") {
			return p.Expected(`"=" and a value`)
		}
		value, err := p.expr()
		if err != nil {
			return err
		}
		sets = append(sets, set{path, value.stored()})
		return nil
	})
}

// setRow reads the fields after a parenthesis, and as many values.
func (p *parser) setRow() (sets []set, err error) {
	paths, err := p.paths()
	if err != nil {
		return nil, err
	}
	if err := p.mustSign("="); err != nil {
		return nil, err
	}
	start := p.Token
	if p.Peek().Is("select") || p.Peek().Is("with") {
		return nil, p.ExpectedLike("a value for each field", "a query after SET stands for one value; UPDATE … FROM takes several of its columns")
	}
	values, err := p.rowOf("values of the fields")
	if err == nil && len(values) != len(paths) {
		err = p.Fault(start, "expected as many values as fields, "+count(len(paths))+", found "+count(len(values)))
	}
	for i := range paths {
		if err == nil {
			sets = append(sets, set{paths[i], values[i].stored()})
		}
	}
	return sets, err
}

func (p *parser) deleteBody() (body, error) {
	if err := p.must("from"); err != nil {
		return nil, err
	}
	b := &deleteBody{}
	var err error
	if b.table, err = p.changed(); err == nil && p.Take("where") {
		b.where, err = p.expr()
	}
	if err == nil {
		b.returning, err = p.returning()
	}
	return b, err
}

func (p *parser) createBody() (body, error) {
	if p.Token.Is("table") {
		p.Next()
		return p.createTable()
	}
	b := &createBody{}
	for !p.Take("index") {
		switch {
		case !b.unique && p.Take("unique"):
			b.unique = true
		case !b.sparse && p.Take("sparse"):
			b.sparse = true
		default:
			return nil, p.Expected("TABLE, INDEX, UNIQUE INDEX or SPARSE INDEX")
		}
	}
	var err error
	if b.ifNotExists, err = p.ifNotExists(); err != nil {
		return nil, err
	}
	if !p.Token.Is("on") {
		n, err := p.name("the name of the index, or ON")
		if err != nil {
			return nil, err
		}
		b.name = n.text
	}
	if err := p.must("on"); err != nil {
		return nil, err
	}
	if b.on, err = p.name("the name of a collection"); err != nil {
		return nil, err
	}
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and the paths of the index`)
	}
	b.paths, err = p.pathsWith(func() { // an index sorts in both directions
		_ = p.Take("asc") || p.Take("desc")
	})
	return b, err
}

func (p *parser) ifNotExists() (bool, error) {
	if !p.Take("if") {
		return false, nil
	}
	if err := p.must("not"); err != nil {
		return false, err
	}
	return true, p.must("exists")
}

func (p *parser) ifExists() (bool, error) {
	if !p.Take("if") {
		return false, nil
	}
	return true, p.must("exists")
}

// A createTableBody is CREATE TABLE: of its columns, only what is unique is kept.
type createTableBody struct {
	ifNotExists bool
	name        name
	unique      [][]string
}

func (p *parser) createTable() (body, error) {
	b := &createTableBody{}
	var err error
	if b.ifNotExists, err = p.ifNotExists(); err != nil {
		return nil, err
	}
	if b.name, err = p.name("the name of a collection"); err != nil {
		return nil, err
	}
	if !p.TakeSign("(") {
		if p.Token.Kind == token.End || p.Token.IsSign(";") {
			return b, nil
		}
		return nil, p.Expected(`"(" and columns, or the end of the statement`)
	}
	if err := p.commas(maxColumns, "columns", func() error { return p.definition(b) }); err != nil {
		return nil, err
	}
	if !p.TakeSign(")") {
		return nil, p.Expected(`"," or ")"`)
	}
	return b, nil
}

// definition reads a column of CREATE TABLE, or what must be unique of several.
func (p *parser) definition(b *createTableBody) error {
	if p.Take("constraint") {
		if _, err := p.name("the name of the constraint"); err != nil {
			return err
		}
	}
	isPrimary := p.Token.Is("primary") && p.Peek().Is("key")
	if isPrimary || p.Token.Is("unique") && p.Peek().IsSign("(") {
		p.Next()
		if isPrimary {
			p.Next()
		}
		if !p.TakeSign("(") {
			return p.Expected(`"(" and field names`)
		}
		paths, err := p.paths()
		b.unique = append(b.unique, texts(paths))
		return err
	}
	column, err := p.path()
	if err != nil {
		return err
	}
	for !p.Token.IsSign(",") && !p.Token.IsSign(")") {
		switch {
		case p.Take("unique"), p.Take("primary"):
			b.unique = append(b.unique, []string{column.text})
		case p.Take("not"): // NULL is a name of a type to what follows
		case p.TakeSign("("): // VARCHAR(20), DECIMAL(10, 2)
			for n := 0; !p.TakeSign(")"); n++ {
				if p.Token.Kind != token.Number && !p.Token.IsSign(",") || n == 3 {
					return p.Expected("the length of a type")
				}
				p.Next()
			}
		case p.Token.Kind != token.Name || slices.ContainsFunc(refusedInColumns, p.Token.Is):
			return p.ExpectedLike(`a type, UNIQUE, PRIMARY KEY, NOT NULL, "," or ")"`, "a schema of the collection checks and fills in values, and a relationship refers to others")
		default:
			p.Next()
		}
	}
	return nil
}

// refusedInColumns are promises of a column that a collection would not keep.
var refusedInColumns = []string{"check", "default", "references", "foreign", "generated", "as", "collate", "constraint"}

// A dropTableBody is DROP TABLE.
type dropTableBody struct {
	ifExists bool
	name     name
}

func (p *parser) dropBody() (body, error) {
	if p.Take("table") {
		b := &dropTableBody{}
		var err error
		if b.ifExists, err = p.ifExists(); err == nil {
			b.name, err = p.name("the name of a collection")
		}
		return b, err
	}
	if !p.Take("index") {
		return nil, p.ExpectedLike("TABLE or INDEX", "nothing else is dropped by SQL")
	}
	b := &dropBody{}
	var err error
	if b.ifExists, err = p.ifExists(); err != nil {
		return nil, err
	}
	if !p.Token.Is("on") {
		n, err := p.name("the name of the index, or ON")
		if err != nil {
			return nil, err
		}
		b.name = n.text
		if p.Token.Kind == token.End || p.Token.IsSign(";") {
			return b, nil
		}
	}
	if err := p.must("on"); err != nil {
		return nil, err
	}
	if b.on, err = p.name("the name of a collection"); err != nil || b.name != "" {
		return b, err
	}
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and the paths of the index`)
	}
	b.paths, err = p.paths()
	return b, err
}
