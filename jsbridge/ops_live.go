package jsbridge

import (
	"bytes"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// The functions below are the ops of live queries. A live query is one of the
// session, which gives it to another engine when it has one; so its number stays.

func live(c *call) error {
	number, arguments := c.number(1), c.args.value()
	if err := c.end(); err != nil {
		return err
	}
	if number > len(table) || table[number-1].live == nil {
		c.args.fault("op", "this op has no live queries")
		return c.err
	}
	o := &table[number-1]
	// The query keeps parts of its arguments: of conditions, and of paths.
	c.args.start(o, bytes.Clone(arguments))
	query, err := o.live(c)
	if err != nil {
		return err
	}
	query.Hold(len(arguments))
	return c.integer(query.ID(), nil)
}

func endLive(c *call) error {
	number := c.number(0)
	if err := c.end(); err != nil {
		return err
	}
	if query := c.db().LiveQuery(number); query != nil {
		query.Close()
	}
	return nil
}

// maxLiveBytes is about how many bytes of updates one call returns. Beyond it, the
// rest is asked again.
const maxLiveBytes = 16 << 20

func liveChanges(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	updates := c.db().LiveChanges()
	c.out = msgpack.AppendArray(c.out, len(updates))
	for i := range updates {
		c.update(&updates[i])
	}
	return nil
}

// update appends [number, update].
func (c *call) update(u *engine.LiveUpdate) {
	c.out = msgpack.AppendArray(c.out, 2)
	c.out = msgpack.AppendInt(c.out, int64(u.Query.ID()))
	switch {
	case u.Again || len(c.out) > maxLiveBytes:
		c.out = msgpack.AppendNil(c.out)
	case u.Answer != nil:
		c.out = append(msgpack.AppendArray(c.out, 1), u.Answer...)
	case u.Edits == nil:
		c.out = msgpack.AppendInt(c.out, int64(u.Count))
	default:
		c.out = msgpack.AppendArray(c.out, len(u.Edits))
		for i := range u.Edits {
			c.edit(&u.Edits[i])
		}
	}
}

// edit appends [kind, at], then, as the kind wants it, to and the document.
func (c *call) edit(e *engine.Edit) {
	parts := 2
	moves := e.Kind == engine.EditMove || e.Kind == engine.EditMoveReplace
	if moves {
		parts++
	}
	if e.Document != nil {
		parts++
	}
	c.out = msgpack.AppendArray(c.out, parts)
	c.out = msgpack.AppendInt(c.out, int64(e.Kind))
	c.out = msgpack.AppendInt(c.out, int64(e.At))
	if moves {
		c.out = msgpack.AppendInt(c.out, int64(e.To))
	}
	c.out = append(c.out, e.Document...)
}

func liveFind(c *call) (*engine.LiveQuery, error) {
	collection, q := c.find()
	if err := c.end(); err != nil {
		return nil, err
	}
	return c.db().LiveFind(collection, q)
}

func livePopulated(c *call) (*engine.LiveQuery, error) {
	collection, q := c.populated()
	if err := c.end(); err != nil {
		return nil, err
	}
	return c.db().LiveFind(collection, q)
}

func liveCount(c *call) (*engine.LiveQuery, error) {
	collection, where, limit := c.count()
	if err := c.end(); err != nil {
		return nil, err
	}
	return c.db().LiveCount(collection, where, limit)
}

func liveIDs(c *call) (*engine.LiveQuery, error) {
	collection := c.collection()
	if err := c.end(); err != nil {
		return nil, err
	}
	return c.db().LiveCollections(collection)
}

func liveDistinct(c *call) (*engine.LiveQuery, error) {
	collection, path, where := c.distinct()
	if err := c.end(); err != nil {
		return nil, err
	}
	return c.db().LiveDistinct(collection, path, where)
}

func liveAggregate(c *call) (*engine.LiveQuery, error) {
	collection, a := c.aggregate()
	if err := c.end(); err != nil {
		return nil, err
	}
	return c.db().LiveAggregate(collection, a)
}

func liveSQL(c *call) (*engine.LiveQuery, error) {
	statement, _, err := c.statement(false)
	if err != nil {
		return nil, err
	}
	return c.db().LiveCollections(statement.Collections()...)
}
