package jsbridge

import (
	"math"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/sql"
)

// The functions below are the ops whose results are rows: maps that need not be
// documents. They leave a cursor, as find does.

func aggregate(c *call) error {
	collection, a := c.aggregate()
	if err := c.end(); err != nil {
		return err
	}
	rows, err := c.db().Aggregate(collection, a)
	if err != nil {
		return err
	}
	c.database.cursor = rows
	return c.piece()
}

// aggregate returns the arguments of the op aggregate.
func (c *call) aggregate() (collection string, a engine.Aggregate) {
	collection = c.collection()
	a = engine.Aggregate{
		Where: c.where(), GroupBy: c.paths(), Select: c.outputs(), Having: c.where(),
		Sort: c.sort(), Skip: c.number(0), Limit: c.number(-1),
	}
	if a.Limit == 0 {
		a.Having = nothing
	}
	return collection, a
}

func sqlRead(c *call) error {
	statement, params, err := c.statement(false)
	if err != nil {
		return err
	}
	rows, err := statement.Run(c.db(), params)
	if err != nil {
		return err
	}
	c.database.cursor = rows
	return c.piece()
}

func sqlWrite(c *call) error {
	statement, params, err := c.statement(true)
	if err != nil {
		return err
	}
	rows, err := statement.Run(c.db(), params)
	if err != nil {
		return err
	}
	// All rows at once: a write has few, and JavaScript does not call more after a
	// write, which may run again.
	c.database.cursor = rows
	return c.pieceOf(math.MaxInt)
}

// statement returns the arguments of both ops: the SQL statement and its
// parameters. Parsed statements are kept, because programs run the same few again
// and again.
func (c *call) statement(writes bool) (*sql.Statement, []byte, error) {
	text, params := c.text(), c.args.value()
	if err := c.end(); err != nil {
		return nil, nil, err
	}
	switch msgpack.KindOf(params) {
	case msgpack.Null:
		params = nil
	case msgpack.Array, msgpack.Map:
	default:
		c.fault(c.name(), "expected an array or an object")
		return nil, nil, c.err
	}
	statement, err := c.bridge.sql.of(string(text))
	if err != nil {
		return nil, nil, err
	}
	if statement.Writes() != writes {
		c.fault("text", "this statement is for the op "+map[bool]string{true: "sqlWrite", false: "sql"}[!writes])
		return nil, nil, c.err
	}
	return statement, params, nil
}

// statements are parsed SQL texts.
type statements map[string]*sql.Statement

// At most maxStatements are kept, each of a text of at most maxTextBytes.
const (
	maxStatements = 256
	maxTextBytes  = 4 << 10
)

// of returns the statement of a text.
func (s *statements) of(text string) (*sql.Statement, error) {
	if statement := (*s)[text]; statement != nil {
		return statement, nil
	}
	statement, err := sql.Parse(text)
	if err != nil || len(text) > maxTextBytes {
		return statement, err
	}
	if *s == nil || len(*s) >= maxStatements {
		*s = statements{}
	}
	(*s)[strings.Clone(text)] = statement
	return statement, nil
}

// path parses a path of the argument that was read last.
func (c *call) path(text string) query.Path {
	if why := query.CheckPath(text); why != "" {
		c.fault(c.name(), why)
		return query.Path{}
	}
	return query.ParsePath(text)
}

// paths returns the next argument, null or an array of paths.
func (c *call) paths() []query.Path {
	var paths []query.Path
	for _, text := range c.texts(true) {
		paths = append(paths, c.path(text))
	}
	return paths
}

// aggregateOps are the operators by their names in calls.
var aggregateOps = map[string]engine.AggregateOp{
	"count": engine.AggCount, "sum": engine.AggSum, "avg": engine.AggAvg, "min": engine.AggMin, "max": engine.AggMax,
	"first": engine.AggFirst, "last": engine.AggLast, "distinct": engine.AggDistinct, "countDistinct": engine.AggCountDistinct,
}

// outputs returns the next argument, an array of [name, operator, path].
func (c *call) outputs() []engine.Output {
	var outputs []engine.Output
	for _, v := range c.list(false) {
		parts := msgpack.List(v)
		if len(parts) != 3 || !areTexts(parts) {
			c.fault(c.name(), "expected an array of [name, operator, path]")
			return nil
		}
		op, known := aggregateOps[string(msgpack.Str(parts[1]))]
		if !known {
			c.fault(c.name(), "there is no operator "+string(msgpack.Str(parts[1])))
			return nil
		}
		outputs = append(outputs, engine.Output{
			Name: string(msgpack.Str(parts[0])), Op: op, Path: c.path(string(msgpack.Str(parts[2]))),
		})
	}
	return outputs
}

func areTexts(values [][]byte) bool {
	for _, v := range values {
		if msgpack.KindOf(v) != msgpack.String {
			return false
		}
	}
	return true
}
