package jsbridge

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// JavaScript caches results (npm/src/connection/query-cache.ts). After changes it
// calls the op stillValid to learn whether a cached result still holds.

// A cached result is described by its age and, if it has documents, by how many
// and by the last of them.
type cached struct {
	changes uint64 // since it was cached
	count   int
	last    []byte // _id of the last document
}

// table is ops, which stillValid cannot refer to: ops refers to stillValid.
var table []op

func init() { table = ops }

func stillValid(c *call) error {
	number := c.number(1)
	k := cached{changes: uint64(c.number(0)), count: c.number(0), last: c.args.value()}
	if c.err == nil && (number > len(table) || table[number-1].stillValid == nil) {
		c.args.fault("op", "results of this op are not cached")
	}
	if c.err != nil {
		return c.err
	}
	o := &table[number-1]
	c.args.start(o, c.args.rest)
	same, err := o.stillValid(c, k)
	c.out = msgpack.AppendBool(c.out, same)
	return err
}

func findStillValid(c *call, k cached) (bool, error) {
	collection, q := c.find()
	if err := c.end(); err != nil {
		return false, err
	}
	if k.count != q.Limit {
		k.last = nil
	}
	return c.db().FindStillValid(collection, q, k.last, k.changes), nil
}

func countStillValid(c *call, k cached) (bool, error) {
	collection, where, _ := c.count()
	if err := c.end(); err != nil {
		return false, err
	}
	return c.db().CountStillValid(collection, where, k.changes), nil
}

func idsStillValid(c *call, k cached) (bool, error) {
	collection := c.collection()
	if err := c.end(); err != nil {
		return false, err
	}
	return c.db().IDsStillValid(collection, k.changes), nil
}

func distinctStillValid(c *call, k cached) (bool, error) {
	collection, path, where := c.distinct()
	if err := c.end(); err != nil {
		return false, err
	}
	return c.db().DistinctStillValid(collection, query.ParsePath(path), where, k.changes), nil
}

func aggregateStillValid(c *call, k cached) (bool, error) {
	collection, a := c.aggregate()
	if err := c.end(); err != nil {
		return false, err
	}
	return c.db().AggregateStillValid(collection, a, k.changes), nil
}
