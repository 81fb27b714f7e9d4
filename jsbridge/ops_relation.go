package jsbridge

import (
	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// The ops below are about relationships.

func populated(c *call) error {
	collection, q := c.populated()
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

// populated returns the arguments of the op populated.
func (c *call) populated() (collection string, q engine.Query) {
	collection, q = c.find()
	q.Populate = c.texts(false)
	return collection, q
}

func addRelationship(c *call) error {
	r := c.relationship()
	if err := c.end(); err != nil {
		return err
	}
	return c.db().AddRelationship(r)
}

// relationship returns the next argument. The engine checks the values of its
// fields; here they only have to be of the right kind, and known.
func (c *call) relationship() (r engine.Relationship) {
	v := c.args.value()
	if c.err != nil {
		return r
	}
	if msgpack.KindOf(v) != msgpack.Map {
		c.fault(c.name(), "expected an object")
		return r
	}
	for name, value := range msgpack.Fields(v) {
		key, kind, text := string(name), msgpack.KindOf(value), string(msgpack.Str(value))
		want := msgpack.String
		switch key {
		case "name":
			r.Name = text
		case "type":
			r.Type = engine.RelationType(text)
		case "from":
			r.From = text
		case "to":
			r.To = text
		case "foreignKey":
			r.ForeignKey = text
		case "onDelete":
			r.OnDelete = engine.OnDelete(text)
		case "enforce":
			r.Enforce = kind == msgpack.True
			if want = msgpack.True; kind == msgpack.False {
				want = kind
			}
		default:
			c.fault(c.name(), "it has no field "+key)
		}
		if kind != want && want == msgpack.String {
			c.fault(c.name(), key+": expected a string")
		} else if kind != want {
			c.fault(c.name(), key+": expected true or false")
		}
	}
	return r
}

func removeRelationship(c *call) error {
	name := string(c.text())
	if err := c.end(); err != nil {
		return err
	}
	return c.db().RemoveRelationship(name)
}

func relationships(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	c.out = engine.AppendRelationships(c.out, c.db().Relationships())
	return nil
}
