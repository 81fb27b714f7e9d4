package jsbridge

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// JavaScript keeps what it was answered (npm/src/connection/query-cache.ts) and asks here
// whether that still holds, when something has changed since.

// A kept answer is known by its age, and by where it ends if it is of
// documents.
type kept struct {
	changes uint64
	count   int
	last    []byte // _id of the last document
}

// table is ops. That cannot be named in holds, to which it leads.
var table []op

func init() { table = ops }

func holds(c *call) error {
	number := c.number(1)
	k := kept{changes: uint64(c.number(0)), count: c.number(0), last: c.args.value()}
	if c.err == nil && (number > len(table) || table[number-1].holds == nil) {
		c.args.fault("op", "of this one no answers are kept")
	}
	if c.err != nil {
		return c.err
	}
	o := &table[number-1]
	c.args.start(o, c.args.rest)
	same, err := o.holds(c, k)
	c.out = msgpack.AppendBool(c.out, same)
	return err
}

func findHolds(c *call, k kept) (bool, error) {
	collection, q := c.find()
	if err := c.end(); err != nil {
		return false, err
	}
	if k.count != q.Limit {
		k.last = nil
	}
	return c.db().FindHolds(collection, q, k.last, k.changes), nil
}

func countHolds(c *call, k kept) (bool, error) {
	collection, where, _ := c.count()
	if err := c.end(); err != nil {
		return false, err
	}
	return c.db().CountHolds(collection, where, k.changes), nil
}

func idsHold(c *call, k kept) (bool, error) {
	collection := c.collection()
	if err := c.end(); err != nil {
		return false, err
	}
	return c.db().IDsHold(collection, k.changes), nil
}

func distinctHolds(c *call, k kept) (bool, error) {
	collection, path, where := c.collection(), string(c.text()), c.where()
	if err := c.end(); err != nil {
		return false, err
	}
	return c.db().DistinctHolds(collection, query.ParsePath(path), where, k.changes), nil
}

func aggregateHolds(c *call, k kept) (bool, error) {
	collection, a := c.aggregate()
	if err := c.end(); err != nil {
		return false, err
	}
	return c.db().AggregateHolds(collection, a, k.changes), nil
}
