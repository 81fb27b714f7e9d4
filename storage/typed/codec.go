package typed

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine"
	packed "github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// encode returns a value as MessagePack, the keys of maps in order. name is what it is
// to the caller of op.
func encode(op, target, name string, value any) ([]byte, error) {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	e.UseCompactInts(true)
	e.SetSortMapKeys(true)
	if err := e.Encode(value); err != nil {
		return nil, &engine.Error{Code: engine.CodeInvalid, Op: op, Target: target, Err: fmt.Errorf("%s: %w", name, err)}
	}
	return b.Bytes(), nil
}

// decode reads one MessagePack value. Into an any it puts int64, uint64 and float64,
// whatever width a number is stored with.
func decode(op, target string, b []byte, into any) error {
	d := msgpack.NewDecoder(bytes.NewReader(b))
	d.UseLooseInterfaceDecoding(true)
	if err := d.Decode(into); err != nil {
		return &engine.Error{Code: engine.CodeInvalid, Op: op, Target: target, Err: fmt.Errorf("what is stored does not fit %s: %w", reflect.TypeOf(into).Elem(), err)}
	}
	return nil
}

// nameOf returns what errors call a document: "notes/5".
func nameOf(collection string, doc []byte) string {
	id := packed.Lookup(doc, "_id")
	if s := packed.Str(id); s != nil {
		return collection + "/" + string(s)
	}
	n, _ := packed.Int(id)
	return fmt.Sprintf("%s/%d", collection, n)
}

// filterOf reads a condition.
func filterOf(op, target string, where any) (filter *query.Filter, err error) {
	switch where := where.(type) {
	case nil:
		return nil, nil
	case *query.Filter:
		return where, nil
	case string:
		filter, err = query.ParseText(where)
	case collated:
		var b []byte
		if b, err = encode(op, target, "where", where.where); err != nil {
			return nil, err
		}
		filter, err = query.Parse(where.by.Where(b))
	default:
		b, e := encode(op, target, "where", where)
		if e != nil {
			return nil, e
		}
		if packed.KindOf(b) != packed.Map {
			return nil, engine.Fail(engine.CodeInvalid, op, target, fmt.Sprintf("where: expected a text, a map or a *query.Filter, not %T", where))
		}
		filter, err = query.Parse(b)
	}
	if err != nil {
		return nil, &engine.Error{Code: engine.CodeInvalid, Op: op, Target: target, Err: fmt.Errorf("where: %w", err)}
	}
	return filter, nil
}

// collated is a condition that compares texts by a collation.
type collated struct {
	where any
	by    query.Collation
}

// Collated returns a condition, given as text or as a map, whose texts compare by a
// collation: Collated("name = 'ada'", query.Collation{Strength: 2}) finds Ada, too. An
// index on by.Path("name") answers it, and Sort(by.Path("name")) sorts likewise.
func Collated(where any, by query.Collation) any { return collated{where, by} }

// idOf returns an id as MessagePack.
func idOf(op, target string, id any) ([]byte, error) {
	b, err := encode(op, target, "id", id)
	if err == nil && packed.KindOf(b) != packed.String && !packed.IsInt(b) {
		err = engine.Fail(engine.CodeInvalid, op, target, fmt.Sprintf("id: expected a string or an integer, not %T", id))
	}
	return b, err
}

// ByID returns the condition that the document of an id meets. What is no string and
// no integer is the id of none.
func ByID(id any) *query.Filter {
	b, err := idOf("", "", id)
	if err != nil {
		return query.False()
	}
	return query.Eq(query.ParsePath("_id"), b)
}
