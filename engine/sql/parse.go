package sql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// reserved are the words that are no names unless they are in quotes.
var reserved = strings.Fields("select distinct from as where group having order limit offset inner left right full cross outer natural join on " +
	"and or not in between like ilike is null true false case when then else end union intersect except")

// statements are the words that a statement may start with, and what follows.
// JavaScript tells by the text of a statement whether it writes: what it looks
// for, npm/src/operations/statements.ts, is written from this table.
var statements = [...]struct {
	word   string
	writes bool
	read   func(*parser) (body, error)
}{
	{"select", false, (*parser).readingBody},
	{"values", false, (*parser).readingBody},
	{"with", false, (*parser).withBody},
	{"insert", true, (*parser).insertBody},
	{"replace", true, (*parser).replaceBody},
	{"update", true, (*parser).updateBody},
	{"delete", true, (*parser).deleteBody},
	{"create", true, (*parser).createBody},
	{"drop", true, (*parser).dropBody},
	{"explain", false, nil}, // explainBody, which reads any of these
}

// A parser descends one method per level of precedence.
type parser struct {
	token.Reader
	depth    int    // expressions around the next token
	terms    int    // values, fields and calls so far
	inAny    int    // how many of them are conditions on elements
	level    int    // queries around the next token
	ctes     []*cte // what WITH has named
	selfRefs int    // references to queries that they stand in

	params    []param
	lastParam int      // the largest number of a ?
	writes    bool     // the statement may change the DB
	reads     []string // the collections of a SELECT
}

// A param is a place for a value.
type param struct {
	name   string // "" if it is a ?
	pos    int
	number int // of a ?, from 1 on
}

// end is the error for what follows a statement.
func (p *parser) end() error {
	return p.ExpectedLike("the end of the statement", p.clauseHint())
}

// clauseHint helps with a misspelled clause.
func (p *parser) clauseHint() string {
	if p.Token.Kind != token.Name {
		return ""
	}
	return meant(p.Token.Text, []string{"from", "where", "group", "having", "order", "limit", "offset", "join", "inner", "left", "set", "values"})
}

func (p *parser) body() (body, error) {
	var words []string
	for _, s := range statements[:] {
		switch {
		case !p.Token.Is(s.word):
		case p.startsQuery():
			return s.read(p)
		default:
			p.Next()
			p.writes = p.writes || s.writes
			if s.read == nil {
				return p.explainBody()
			}
			return s.read(p)
		}
		words = append(words, s.word)
	}
	hint := ""
	if p.Token.Kind == token.Name {
		hint = meant(p.Token.Text, words)
	}
	if hint == "" {
		last := len(words) - 1
		hint = "it starts with " + strings.ToUpper(strings.Join(words[:last], ", ")) + " or " + strings.ToUpper(words[last])
	}
	return nil, p.ExpectedLike("a statement", hint)
}

// readingBody reads a SELECT or VALUES.
func (p *parser) readingBody() (body, error) {
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	return q.plain(), nil
}

// plain returns the only SELECT of q, if q is nothing but that; else q.
func (q *queryBody) plain() body {
	if len(q.parts) == 1 && q.parts[0].values == nil {
		return q.parts[0]
	}
	return q
}

// withBody reads WITH and the statement that uses what it names.
func (p *parser) withBody() (body, error) {
	defer p.forget(len(p.ctes))
	if err := p.with(); err != nil {
		return nil, err
	}
	switch {
	case p.Take("insert"):
		p.writes = true
		return p.insertBody()
	case p.Take("update"):
		p.writes = true
		return p.updateBody()
	case p.Take("delete"):
		p.writes = true
		return p.deleteBody()
	case !p.startsQuery():
		return nil, p.Expected("SELECT, VALUES, INSERT, UPDATE or DELETE")
	}
	q, err := p.queryAfterWith(nil)
	if err != nil {
		return nil, err
	}
	return q.plain(), nil
}

// explainBody reads what follows EXPLAIN [QUERY PLAN]. It changes nothing.
func (p *parser) explainBody() (body, error) {
	if p.Take("query") {
		if err := p.must("plan"); err != nil {
			return nil, err
		}
	}
	if p.Token.Is("explain") {
		return nil, p.Expected("a statement to explain")
	}
	writes := p.writes
	of, err := p.body()
	p.writes = writes
	return &explainBody{of}, err
}

// must consumes a keyword that has to come next.
func (p *parser) must(keyword string) error {
	if p.Take(keyword) {
		return nil
	}
	return p.ExpectedLike(strings.ToUpper(keyword), p.misspelled(keyword))
}

func (p *parser) misspelled(keyword string) string {
	if p.Token.Kind == token.Name && !p.Token.Quoted {
		return meant(p.Token.Text, []string{keyword})
	}
	return ""
}

func (p *parser) mustSign(sign string) error {
	if p.TakeSign(sign) {
		return nil
	}
	return p.Expected(`"` + sign + `"`)
}

// isReserved reports whether the next token is a word that is no name.
func (p *parser) isReserved() bool {
	return p.Token.Kind == token.Name && !p.Token.Quoted && (token.IsWord(p.Token.Text, reserved) || isParam(p.Token))
}

// isParam reports whether t is a parameter, as :name, @name and $name are, or a
// part of one.
func isParam(t token.Token) bool {
	return t.IsSign(":") || t.IsSign("@") || t.Kind == token.Name && !t.Quoted && t.Text[0] == '$'
}

// A name is a word of the user's and where it stands.
type name struct {
	text string
	pos  int
}

// name reads a name. what says what it names, for errors.
func (p *parser) name(what string) (name, error) {
	t := p.Token
	switch {
	case t.Kind == token.String:
		return name{}, p.ExpectedLike(what, "names stand without quotes, in back-quotes or in double quotes")
	case t.Kind != token.Name:
		return name{}, p.Expected(what)
	case p.isReserved():
		return name{}, p.ExpectedLike(what, "one of that name goes in double quotes")
	case t.Text == "":
		return name{}, p.Fault(t, "expected "+what+"; this one is empty")
	case isProto(t.Text):
		return name{}, p.Fault(t, "expected "+what+", found __proto__, which JavaScript's objects cannot hold safely")
	}
	p.Next()
	return name{t.Text, t.Pos}, nil
}

// isProto reports whether a name of a path is __proto__, which no field has, and
// which would be no field of a row.
func isProto(path string) bool {
	return strings.Contains(path, "__proto__") && slices.Contains(query.SplitPath(path), "__proto__")
}

// path reads a field path that stands alone.
func (p *parser) path() (*expr, error) {
	n, err := p.name("a field name")
	if err != nil {
		return nil, err
	}
	return p.positions(n, false)
}

// What a statement may have at most, besides token.MaxTerms.
const (
	maxTables     = 64 // one of them is joined to the next
	maxColumns    = engine.MaxOutputs
	maxGroupBy    = engine.MaxGroupPaths
	maxOrderBy    = engine.MaxSortPaths
	maxAggregates = engine.MaxOutputs - maxGroupBy
)

//go:noinline
func (p *parser) tooMany(limit int, what string) error {
	return p.Fault(p.Token, "expected at most "+strconv.Itoa(limit)+" "+what)
}

// paths reads the paths in a parenthesis, after its opening.
func (p *parser) paths() (paths []*expr, err error) { return p.pathsWith(func() {}) }

// pathsWith is paths, and calls after behind each.
func (p *parser) pathsWith(after func()) (paths []*expr, err error) {
	for {
		if len(paths) == maxColumns {
			return nil, p.tooMany(maxColumns, "fields")
		}
		e, err := p.path()
		if err != nil {
			return nil, err
		}
		paths = append(paths, e)
		after()
		if p.TakeSign(")") {
			return paths, nil
		}
		if !p.TakeSign(",") {
			return nil, p.Expected(`"," or ")"`)
		}
	}
}

// commas calls read, and again after each comma: limit times at most, of what.
func (p *parser) commas(limit int, what string, read func() error) error {
	for n := 1; ; n++ {
		if n > limit {
			return p.tooMany(limit, what)
		}
		if err := read(); err != nil {
			return err
		}
		if !p.TakeSign(",") {
			return nil
		}
	}
}
