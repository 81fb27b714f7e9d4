package jsbridge

import (
	"bytes"
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// The functions below are the ops that change nothing but the cursor.

func find(c *call) error {
	if c.findEqual() {
		return nil
	}
	collection, q := c.find()
	if err := c.end(); err != nil {
		return err
	}
	cursor, err := c.db().Find(collection, q)
	if err != nil {
		return err
	}
	c.database.cursor = cursor
	return c.piece()
}

// findEqual answers a find that asks for all documents with a text or a number at a path,
// or for the first, without options, where the engine can tell it at once. Otherwise it
// returns false, and the arguments are as they were. Of the time of such a call, parsing
// and planning are the most.
func (c *call) findEqual() bool {
	start := c.args
	collection := c.collection()
	path, value, one, ok := equality(c.rest)
	if ok {
		at := len(c.out)
		c.out = append(c.out, 0, 0, 0, 0, 0, 0, 0, 0)
		var count int
		if c.out, count, ok = c.db().AppendEqual(c.out, collection, path, value, one); ok {
			binary.LittleEndian.PutUint32(c.out[at:], uint32(count))
			c.database.cursor = nil
			return true
		}
		c.out = c.out[:at]
	}
	c.args = start
	return false
}

// The arguments of find after the condition, for whole documents in no order: all of
// them, or the first.
const (
	allWhole = "\xc0\x00\xff\xc0"
	oneWhole = "\xc0\x00\x01\xc0"
)

// equality reads the arguments of find after the collection: {path: value} or
// ["eq", path, value] with a text or number as the value, and no options. It returns
// false of all others, and of what is not well formed.
func equality(b []byte) (path, value []byte, one, ok bool) {
	switch {
	case len(b) > 5 && string(b[:4]) == "\x93\xa2eq":
		b = b[4:]
	case len(b) > 5 && b[0] == 0x81:
		b = b[1:]
	default:
		return nil, nil, false, false
	}
	n := int(b[0] & 0x1f)
	if b[0]&0xe0 != 0xa0 || n == 0 || len(b) <= 1+n {
		return nil, nil, false, false
	}
	path, b = b[1:1+n], b[1+n:]
	if path[0] == '$' || bytes.IndexByte(path, '\\') >= 0 { // no field, or a path that is spelled otherwise
		return nil, nil, false, false
	}
	switch msgpack.KindOf(b) {
	case msgpack.String, msgpack.Number:
	default:
		return nil, nil, false, false
	}
	n, err := msgpack.Validate(b, 1)
	if err != nil {
		return nil, nil, false, false
	}
	rest := string(b[n:])
	return path, b[:n:n], rest == oneWhole, rest == oneWhole || rest == allWhole
}

func matching(c *call) error {
	collection, q := c.collection(), c.query()
	if err := c.end(); err != nil {
		return err
	}
	cursor, err := c.db().Matching(collection, q)
	if err != nil {
		return err
	}
	c.database.cursor = cursor
	return c.piece()
}

func among(c *call) error {
	collection, ids := c.collection(), c.bytes()
	q := engine.Query{Where: c.where()}
	q.Fields, q.Slices = c.fields()
	q.Populate = c.texts(true)
	if err := c.end(); err != nil {
		return err
	}
	cursor, err := c.db().Among(collection, ids, q)
	if err != nil {
		return err
	}
	c.database.cursor = cursor
	return c.piece()
}

func more(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	if c.database.cursor == nil {
		return engine.Fail(engine.CodeInvalid, "more", "", "no rows are left, or a write has ended the read that they are of")
	}
	return c.piece()
}

func get(c *call) error {
	collection, id := c.collection(), c.args.value()
	if err := c.end(); err != nil {
		return err
	}
	return c.value(c.db().Get(collection, id), nil)
}

func tables(c *call) error {
	collection, path := c.collection(), c.text()
	if err := c.end(); err != nil {
		return err
	}
	t, ok := c.db().Tables(collection, path)
	if !ok {
		c.out = msgpack.AppendNil(c.out)
		return nil
	}
	c.out = msgpack.AppendArray(c.out, 7)
	c.out = appendAddress(c.out, t.Words)
	c.out = msgpack.AppendInt(c.out, int64(len(t.Words)))
	c.out = appendAddress(c.out, t.Refs)
	c.out = appendAddress(c.out, t.Sizes)
	c.out = appendAddress(c.out, t.Chunks)
	c.out = msgpack.AppendInt(c.out, int64(uintptr(unsafe.Pointer(&c.bridge.yields))))
	c.out = msgpack.AppendBool(c.out, comparesTables)
	return nil
}

func appendAddress[E any](b []byte, of []E) []byte {
	return msgpack.AppendInt(b, int64(uintptr(unsafe.Pointer(unsafe.SliceData(of)))))
}

func count(c *call) error {
	collection, where, limit := c.count()
	if err := c.end(); err != nil {
		return err
	}
	return c.integer(c.db().Count(collection, where, limit))
}

func ids(c *call) error {
	collection := c.collection()
	if err := c.end(); err != nil {
		return err
	}
	return c.value(c.db().IDs(collection))
}

func distinct(c *call) error {
	collection, path, where := c.distinct()
	if err := c.end(); err != nil {
		return err
	}
	return c.value(c.db().Distinct(collection, path, where))
}

func collections(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	c.out = appendTexts(c.out, c.db().Collections())
	return nil
}

func schemaOf(c *call) error {
	collection := c.collection()
	if err := c.end(); err != nil {
		return err
	}
	schema, _, err := c.db().Schema(collection)
	if schema == nil {
		schema = msgpack.AppendNil(nil)
	}
	return c.value(schema, err)
}

func unfit(c *call) error {
	collection, schema := c.collection(), c.args.value()
	options := c.schemaOptions()
	if err := c.end(); err != nil {
		return err
	}
	cursor, err := c.db().Unfit(collection, schema, options)
	if err != nil {
		return err
	}
	c.database.cursor = cursor
	return c.piece()
}

func explain(c *call) error {
	collection, q := c.collection(), c.query()
	if err := c.end(); err != nil {
		return err
	}
	plan, err := c.db().Explain(collection, q)
	if err != nil {
		return err
	}
	c.out = msgpack.AppendArray(c.out, 5)
	c.out = msgpack.AppendString(c.out, plan.Text)
	if plan.Index == nil {
		c.out = msgpack.AppendNil(c.out)
	} else {
		c.out = appendTexts(c.out, plan.Index)
	}
	c.out = msgpack.AppendInt(c.out, int64(plan.Examined))
	c.out = msgpack.AppendInt(c.out, int64(plan.Returned))
	c.out = msgpack.AppendArray(c.out, len(plan.Leaves))
	for _, l := range plan.Leaves {
		c.out = msgpack.AppendArray(c.out, 4)
		c.out = msgpack.AppendString(c.out, l.Condition)
		c.out = msgpack.AppendString(c.out, l.By)
		c.out = msgpack.AppendInt(c.out, int64(l.Estimate))
		c.out = msgpack.AppendInt(c.out, int64(l.Actual))
	}
	return nil
}

func parse(c *call) error {
	where := c.where()
	if err := c.end(); err != nil {
		return err
	}
	if where == nil {
		where = &query.Filter{Op: query.OpTrue}
	}
	c.out = msgpack.AppendString(c.out, where.String())
	return nil
}

// where returns the next argument, a condition in one of its forms, or nil for
// null: every document matches.
func (c *call) where() *query.Filter {
	v := c.args.value()
	if c.err != nil || msgpack.KindOf(v) == msgpack.Null {
		return nil
	}
	where, err := query.Parse(v)
	if err != nil {
		c.err = &engine.Error{Code: engine.CodeInvalid, Op: c.op.name, Target: c.name(), Err: err}
		return nil
	}
	return where
}

// find returns the arguments of the op find.
func (c *call) find() (collection string, q engine.Query) {
	collection, q = c.collection(), c.query()
	q.Fields, q.Slices = c.fields()
	return collection, q
}

// fields returns the next argument, null or an array of paths, which may have dashes, and
// of slices, [path, skip, limit].
func (c *call) fields() (fields []string, slices []engine.Slice) {
	for _, v := range c.list(true) {
		parts := [][]byte{v}
		if msgpack.KindOf(v) == msgpack.Array {
			parts = msgpack.List(v)
		}
		if len(parts) == 0 || msgpack.KindOf(parts[0]) != msgpack.String {
			c.fault(c.name(), "expected an array of paths and of [path, skip, limit]")
			return nil, nil
		}
		path := string(msgpack.Str(parts[0]))
		c.path(path)
		if msgpack.KindOf(v) == msgpack.String {
			fields = append(fields, path)
			continue
		}
		numbers := [2]int{}
		for i := range numbers {
			x := math.NaN()
			if len(parts) == 3 && msgpack.KindOf(parts[i+1]) == msgpack.Number {
				x = msgpack.Float(parts[i+1])
			}
			if !(math.Abs(x) <= math.MaxInt32 && x == math.Trunc(x)) || i == 1 && x < 0 {
				c.fault(c.name(), "expected [path, skip, limit], with integers from -2147483647 or 0 to 2147483647")
				return nil, nil
			}
			numbers[i] = int(x)
		}
		slices = append(slices, engine.Slice{Path: path, Skip: numbers[0], Limit: numbers[1]})
	}
	return fields, slices
}

// count returns the arguments of the op count.
func (c *call) count() (collection string, where *query.Filter, limit int) {
	collection, where, limit = c.collection(), c.where(), c.number(-1)
	if limit == 0 {
		where = nothing
	}
	return collection, where, limit
}

// distinct returns the arguments of the op distinct.
func (c *call) distinct() (collection, path string, where *query.Filter) {
	return c.collection(), string(c.text()), c.where()
}

// nothing is the condition for a limit of 0, which means no limit to the engine.
var nothing = &query.Filter{Op: query.OpFalse}

// query returns the next arguments: condition, sort, skip and limit.
func (c *call) query() engine.Query {
	q := engine.Query{Where: c.where(), Sort: c.sort(), Skip: c.number(0), Limit: c.number(-1)}
	if q.Limit == 0 {
		q.Where = nothing
	}
	return q
}

// sort returns the next argument: null, or an array of [path, descending].
func (c *call) sort() []engine.SortKey {
	pairs := c.list(true)
	var keys []engine.SortKey
	for _, v := range pairs {
		pair := msgpack.List(v)
		if len(pair) != 2 || msgpack.KindOf(pair[0]) != msgpack.String ||
			msgpack.KindOf(pair[1]) != msgpack.True && msgpack.KindOf(pair[1]) != msgpack.False {
			c.fault(c.name(), "expected an array of [path, descending]")
			return nil
		}
		keys = append(keys, engine.SortKey{
			Path:       c.path(string(msgpack.Str(pair[0]))),
			Descending: msgpack.KindOf(pair[1]) == msgpack.True,
			ByElement:  true,
		})
	}
	return keys
}

func appendTexts(b []byte, texts []string) []byte {
	b = msgpack.AppendArray(b, len(texts))
	for _, text := range texts {
		b = msgpack.AppendString(b, text)
	}
	return b
}
