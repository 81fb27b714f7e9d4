package sql

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A Statement is an SQL statement that has been read, or several. It holds no parameters
// and does not change, so it may be kept and run again.
type Statement struct {
	text   string
	params []param
	body   body
	writes bool
	reads  []string // the collections of a SELECT
}

// A body is what a statement does.
type body interface {
	run(x *execution) (Rows, error)
}

// Parse reads a statement, or several with semicolons between them, which change
// everything or nothing, and of which the last answers; see SQL.md. The error is engine.CodeInvalid and
// says where in the text the fault lies.
func Parse(text string) (*Statement, error) {
	r, err := token.NewReader(text, token.Dialect{SQL: true, Reserved: reserved})
	if err != nil {
		return nil, invalid(err)
	}
	p := parser{Reader: r}
	b, err := p.script()
	if err != nil {
		return nil, invalid(err)
	}
	return &Statement{text: text, params: p.params, body: b, writes: p.writes, reads: p.reads}, nil
}

// Writes reports whether s may change the DB.
func (s *Statement) Writes() bool { return s.writes }

// Collections returns the names of the collections that a SELECT reads.
func (s *Statement) Collections() []string { return s.reads }

// Run runs s. The values of its parameters are params, which is borrowed until
// Run returns: a MessagePack array for ?, a map for :name, @name and $name, or nil
// for none. Each must be one that the statement has.
// A statement that fails has changed nothing.
//
// Errors: invalid, and those of the write that s asks for.
func (s *Statement) Run(db *engine.DB, params []byte) (rows Rows, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = p.err
		default:
			panic(p)
		}
	}()
	x := newExecution(db, s.text)
	if err := x.takeParams(s.params, params); err != nil {
		return nil, invalid(err)
	}
	return s.body.run(x)
}

// Rows are the answer of a statement, MessagePack maps to be taken in pieces.
// They are valid until the DB changes. *engine.Result is one.
type Rows interface {
	// Len returns how many rows are still to be taken.
	Len() int
	// Next appends the next rows to dst, one after the other, until it holds at
	// least atLeast bytes or all are taken. It returns how many it appended and
	// how many are left.
	Next(dst []byte, atLeast int) (out []byte, count, left int)
}

// An execution is one run of a statement.
type execution struct {
	db     *engine.DB
	text   string
	params [][]byte // by number, as the parser counted
	slowly bool     // without the help of the engine: the definition

	isField map[string]bool          // what binder.has has asked the engine, by collection and path
	answers map[*subquery]*subAnswer // of subqueries that read nothing of the query around
	tables  map[*queryBody][][]byte  // rows of such queries after FROM
	steps   map[*cte][][]byte        // what a query that reads itself reads now
}

func newExecution(db *engine.DB, text string) *execution {
	return &execution{
		db: db, text: text, isField: map[string]bool{}, answers: map[*subquery]*subAnswer{},
		tables: map[*queryBody][][]byte{}, steps: map[*cte][][]byte{},
	}
}

const maxParamDepth = 1000

func (x *execution) takeParams(params []param, values []byte) error {
	kind := msgpack.KindOf(values)
	if kind != msgpack.Missing {
		if n, err := msgpack.Validate(values, maxParamDepth); err != nil || n != len(values) {
			return errors.New("the parameters are not one MessagePack value")
		}
	}
	if len(params) == 0 || params[0].name == "" {
		return x.takeList(params, kind, values)
	}
	if kind != msgpack.Map {
		return at(x.text, params[0].pos, "expected the parameters as an object, with a value for :"+params[0].name)
	}
	given := make(map[string][]byte, msgpack.Count(values))
	for key, v := range msgpack.Fields(values) {
		given[string(key)] = v
	}
	for _, p := range params {
		v := given[p.name]
		if v == nil {
			return at(x.text, p.pos, "the parameters have no "+token.Clipped(p.name))
		}
		x.params = append(x.params, v)
	}
	return checkUsed(params, values)
}

// checkUsed refuses a value that no parameter takes. Its name is misspelled, here or
// in the statement.
func checkUsed(params []param, values []byte) error {
	asked := make(map[string]bool, len(params))
	for _, p := range params {
		asked[p.name] = true
	}
	for key := range msgpack.Fields(values) {
		name := string(key)
		if asked[name] {
			continue
		}
		message := "the statement has no parameter " + token.Clipped(name)
		if plain := strings.TrimLeft(name, ":@$"); plain != name {
			message += "; the values go by their names alone, as in {" + token.Clipped(plain) + ": …}"
		}
		return errors.New(message)
	}
	return nil
}

// takeList takes the values for ?.
func (x *execution) takeList(params []param, kind msgpack.Kind, values []byte) error {
	given := msgpack.Count(values)
	switch {
	case kind == msgpack.Array:
	case len(params) == 0 && (kind <= msgpack.Null || kind == msgpack.Map):
		return checkUsed(nil, values)
	case kind <= msgpack.Null:
		given = 0
	default:
		return errors.New("expected the parameters as an array, one value for each ?")
	}
	wanted := 0
	for _, p := range params {
		wanted = max(wanted, p.number)
	}
	why := "expected as many parameters as there are ?, " + count(wanted) + ", found " + count(given)
	for _, p := range params {
		if p.number > given {
			return at(x.text, p.pos, why)
		}
	}
	if given > wanted {
		return errors.New(why)
	}
	list := msgpack.List(values)
	isUsed := make([]bool, given)
	for _, p := range params {
		x.params = append(x.params, list[p.number-1])
		isUsed[p.number-1] = true
	}
	if unused := slices.Index(isUsed, false); unused >= 0 {
		return errors.New("the statement has no parameter ?" + count(unused+1))
	}
	return nil
}

func count(n int) string { return strconv.Itoa(n) }
