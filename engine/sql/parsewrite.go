package sql

import "github.com/atomicdb-go/atomicdb/engine/query/token"

// An insertBody is INSERT INTO, as it was written.
type insertBody struct {
	into    name
	columns []*expr // paths; none: each row is one whole document
	rows    [][]*expr
	pos     []int // where each row starts
}

// An updateBody is UPDATE.
type updateBody struct {
	table table
	sets  []set
	where *expr
}

// A set puts the value of an expression at a path.
type set struct{ path, value *expr }

// A deleteBody is DELETE FROM.
type deleteBody struct {
	table table
	where *expr
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

// An explainBody is EXPLAIN SELECT.
type explainBody struct{ of *selectBody }

func (p *parser) insertBody() (body, error) {
	if err := p.must("into"); err != nil {
		return nil, err
	}
	b := &insertBody{}
	var err error
	if b.into, err = p.name("the name of a collection"); err != nil {
		return nil, err
	}
	if p.TakeSign("(") {
		if b.columns, err = p.paths(); err != nil {
			return nil, err
		}
	}
	if err := p.must("values"); err != nil {
		return nil, err
	}
	return b, p.commas(token.MaxTerms, "documents", func() error { return p.row(b) })
}

func (p *parser) row(b *insertBody) error {
	start := p.Token
	if !p.TakeSign("(") {
		return p.Expected(`"(" and the values of a document`)
	}
	var row []*expr
	err := p.commas(maxColumns, "values of a document", func() error {
		e, err := p.expr()
		row = append(row, e)
		return err
	})
	if err != nil {
		return err
	}
	if !p.TakeSign(")") {
		return p.Expected(`"," or ")"`)
	}
	switch {
	case b.columns != nil && len(row) != len(b.columns):
		return p.Fault(start, "expected as many values as field names, "+count(len(b.columns))+", found "+count(len(row)))
	case b.columns == nil && len(row) != 1:
		return p.Fault(start, "expected one document, found "+count(len(row))+" values; their field names go before VALUES")
	}
	b.rows, b.pos = append(b.rows, row), append(b.pos, start.Pos)
	return nil
}

func (p *parser) updateBody() (body, error) {
	b := &updateBody{}
	var err error
	if b.table, err = p.table(); err != nil {
		return nil, err
	}
	if err := p.must("set"); err != nil {
		return nil, err
	}
	err = p.commas(maxColumns, "fields", func() error {
		path, err := p.path()
		if err != nil {
			return err
		}
		if !p.TakeSign("=") {
			return p.Expected(`"=" and a value`)
		}
		value, err := p.expr()
		b.sets = append(b.sets, set{path, value})
		return err
	})
	if err == nil && p.Take("where") {
		b.where, err = p.expr()
	}
	return b, err
}

func (p *parser) deleteBody() (body, error) {
	if err := p.must("from"); err != nil {
		return nil, err
	}
	b := &deleteBody{}
	var err error
	if b.table, err = p.table(); err == nil && p.Take("where") {
		b.where, err = p.expr()
	}
	return b, err
}

func (p *parser) createBody() (body, error) {
	b := &createBody{}
	for !p.Take("index") {
		switch {
		case !b.unique && p.Take("unique"):
			b.unique = true
		case !b.sparse && p.Take("sparse"):
			b.sparse = true
		default:
			return nil, p.ExpectedLike("INDEX, UNIQUE INDEX or SPARSE INDEX", "a collection needs no CREATE: its first document makes it")
		}
	}
	if p.Take("if") {
		if err := p.must("not"); err != nil {
			return nil, err
		}
		if err := p.must("exists"); err != nil {
			return nil, err
		}
		b.ifNotExists = true
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
	var err error
	if b.on, err = p.name("the name of a collection"); err != nil {
		return nil, err
	}
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and the paths of the index`)
	}
	b.paths, err = p.paths()
	return b, err
}

func (p *parser) dropBody() (body, error) {
	if !p.Take("index") {
		return nil, p.ExpectedLike("INDEX", "nothing else is dropped by SQL")
	}
	b := &dropBody{}
	if p.Take("if") {
		if err := p.must("exists"); err != nil {
			return nil, err
		}
		b.ifExists = true
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
	var err error
	if b.on, err = p.name("the name of a collection"); err != nil || b.name != "" {
		return b, err
	}
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and the paths of the index`)
	}
	b.paths, err = p.paths()
	return b, err
}
