//go:build invariants

package jsbridge

import (
	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// comparesTables makes JavaScript ask for what it has found in memory too, and compare.
const comparesTables = true

// mangle overwrites the arguments of a call that is over, as the next call would.
// Tests then fail if an op has kept a part of them without a copy.
func (b *Bridge) mangle(n int) {
	used := b.in[:n]
	for i := range used {
		used[i] = 0xCC
	}
}

// hiddenOp returns the ops that only builds with the tag invariants have, for
// tests in JavaScript.
func hiddenOp(number uint32) *op {
	switch number {
	case 254:
		return &spawn
	case 255:
		return &fault
	}
	return nil
}

// spawn starts a goroutine and returns how many of the earlier ones have run, so
// that a test sees whether the scheduler runs.
var spawn = op{
	name: "spawn",
	run: func(c *call) error {
		defer func() { go func() { ran++ }() }()
		return c.integer(ran, nil)
	},
}

var ran int

// fault inserts a document and then fails in the way that its argument says.
var fault = op{
	name: "fault", args: []string{"collection", "how"}, writes: true,
	run: func(c *call) error {
		collection, how := c.collection(), string(c.text())
		if err := c.end(); err != nil {
			return err
		}
		doc := msgpack.AppendMap(nil, 1)
		doc = msgpack.AppendString(doc, "half")
		doc = msgpack.AppendBool(doc, true)
		if _, err := c.db().Insert(collection, doc, false); err != nil {
			return err
		}
		switch how {
		case "panic":
			panic("a bug")
		case "nil":
			var db *engine.DB
			db.Savepoint()
		case "exhaust":
			c.out = make([]byte, 4095<<20)
		case "overflow":
			c.out = deep(c.out, 1<<30)
		}
		return nil
	},
}

// deep calls itself until the host's stack is full.
func deep(b []byte, n int) []byte {
	if n > 0 {
		b = deep(append(b, byte(n)), n-1)
	}
	return append(b, byte(len(b)))
}
