package jsbridge

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
)

// The functions below are the ops that change something. Each reads all its
// arguments before it changes anything.

func insert(c *call) error {
	collection, upsert := c.collection(), c.flag()
	if c.err != nil {
		return c.err
	}
	docs := c.rest // the engine validates them
	return c.value(c.db().Insert(collection, docs, upsert))
}

func update(c *call) error {
	collection, change, where := c.collection(), c.args.value(), c.where()
	if err := c.end(); err != nil {
		return err
	}
	done, err := c.db().UpdateWith(collection, change, where, engine.UpdateOptions{Now: c.now(change)})
	return c.integer(done.Changed, err)
}

func modify(c *call) error {
	collection, change, where := c.collection(), c.args.value(), c.where()
	o := engine.UpdateOptions{Now: c.now(change), Sort: c.sort(), One: c.flag(), Upsert: c.flag(), Replace: c.flag(), ArrayFilters: c.list(true)}
	returned := c.number(0)
	if returned > int(engine.ReturnAfter) {
		c.fault(c.name(), "expected 0, 1 or 2")
	}
	o.Return = engine.Returned(returned)
	if err := c.end(); err != nil {
		return err
	}
	done, err := c.db().UpdateWith(collection, change, where, o)
	if err != nil {
		return err
	}
	c.out = msgpack.AppendInt(msgpack.AppendArray(c.out, 3), int64(done.Changed))
	c.out = append(c.out, orNil(done.Added)...)
	c.out = append(c.out, orNil(done.Documents)...)
	return nil
}

func orNil(v []byte) []byte {
	if v == nil {
		return msgpack.AppendNil(nil)
	}
	return v
}

// now returns the time for a change that asks for it, or 0. To ask the clock of
// JavaScript takes longer than some updates.
func (c *call) now(change []byte) uint64 {
	if !bytes.Contains(change, []byte("$currentDate")) {
		return 0
	}
	return c.database.session.Now()
}

func updateEach(c *call) error {
	collection, pairs := c.collection(), c.args.value()
	if msgpack.KindOf(pairs) != msgpack.Array {
		c.fault(c.name(), "expected an array")
	}
	if err := c.end(); err != nil {
		return err
	}
	return c.integer(c.db().UpdateEach(collection, pairs, c.now(pairs)))
}

func remove(c *call) error {
	collection, where := c.collection(), c.where()
	if err := c.end(); err != nil {
		return err
	}
	return c.integer(c.db().Remove(collection, where))
}

func clearCollection(c *call) error {
	collection := c.collection()
	if err := c.end(); err != nil {
		return err
	}
	return c.db().Clear(collection)
}

func createCollection(c *call) error {
	collection, schema := c.collection(), c.args.value()
	options := c.schemaOptions()
	if err := c.end(); err != nil {
		return err
	}
	if msgpack.KindOf(schema) == msgpack.Null {
		return c.db().CreateCollection(collection)
	}
	return c.db().CreateCollectionWith(collection, schema, options)
}

func setSchema(c *call) error {
	collection, schema := c.collection(), c.args.value()
	options := c.schemaOptions()
	migrate := c.args.value()
	if err := c.end(); err != nil {
		return err
	}
	if msgpack.KindOf(schema) == msgpack.Null {
		schema = nil
	}
	if msgpack.KindOf(migrate) == msgpack.Null {
		migrate = nil
	}
	return c.db().SetSchema(collection, schema, options, migrate)
}

// schemaOptions returns the next argument, {strict, defaults, schemas}, each of which
// may be absent.
func (c *call) schemaOptions() (options engine.SchemaOptions) {
	v := c.args.value()
	if c.err != nil {
		return options
	}
	if msgpack.KindOf(v) != msgpack.Map {
		c.fault(c.name(), "expected an object")
		return options
	}
	for name, value := range msgpack.Fields(v) {
		key, kind := string(name), msgpack.KindOf(value)
		switch {
		case key == "schemas" && kind == msgpack.Array:
			options.Schemas = msgpack.List(value)
		case key == "schemas":
			c.fault(c.name(), key+": expected an array of schemas")
		case key != "strict" && key != "defaults":
			c.fault(c.name(), "there is no option named "+key)
		case kind != msgpack.True && kind != msgpack.False:
			c.fault(c.name(), key+": expected true or false")
		case key == "strict":
			options.Lenient = kind == msgpack.False
		default:
			options.Defaults = kind == msgpack.True
		}
	}
	return options
}

func dropCollection(c *call) error {
	collection := c.collection()
	if err := c.end(); err != nil {
		return err
	}
	return c.db().DropCollection(collection)
}

func createIndex(c *call) error {
	collection, paths := c.collection(), c.texts(false)
	options := c.indexOptions()
	if err := c.end(); err != nil {
		return err
	}
	return c.db().CreateIndex(collection, paths, options)
}

// indexOptions returns the next argument, {unique, sparse, name}, each of which may
// be absent. Other options are refused: the caller expects an effect of them.
func (c *call) indexOptions() (options engine.IndexOptions) {
	v := c.args.value()
	if c.err != nil {
		return options
	}
	if msgpack.KindOf(v) != msgpack.Map {
		c.fault(c.name(), "expected an object")
		return options
	}
	for name, value := range msgpack.Fields(v) {
		key, kind := string(name), msgpack.KindOf(value)
		isFlag := kind == msgpack.True || kind == msgpack.False
		switch {
		case key == "name" && kind == msgpack.String:
			options.Name = string(msgpack.Str(value))
		case key == "name":
			c.fault(c.name(), "name: expected a string")
		case key == "unique" && isFlag:
			options.Unique = kind == msgpack.True
		case key == "sparse" && isFlag:
			options.Sparse = kind == msgpack.True
		case key == "unique" || key == "sparse":
			c.fault(c.name(), key+": expected true or false")
		default:
			c.fault(c.name(), "there is no option named "+key)
		}
	}
	return options
}

func dropIndex(c *call) error {
	collection, paths := c.collection(), c.texts(false)
	if err := c.end(); err != nil {
		return err
	}
	return c.db().DropIndex(collection, paths)
}

func savepoint(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	c.db().Savepoint()
	return nil
}

func release(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	return c.db().ReleaseSavepoint()
}

func rollback(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	c.database.cursor = nil
	return c.db().RollbackToSavepoint()
}

func suspend(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	c.database.cursor = nil
	return c.db().SuspendSavepoint()
}

func resume(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	c.database.cursor = nil
	return c.db().ResumeSavepoint()
}

func settle(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	session := c.database.session
	if !session.InMemory() {
		return engine.Fail(engine.CodeInvalid, "settle", "", "the database has a storage; call flush, which waits for it")
	}
	if c.db().HasSavepoint() {
		return engine.Fail(engine.CodeInvalid, "settle", "", "a savepoint is open")
	}
	_, err := session.Flush()
	return err
}

func cut(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	c.database.cursor = nil
	var err error
	c.out, err = c.database.session.Cut(c.out)
	return err
}

func apply(c *call) error {
	seq, isSnapshot := c.number(1), c.flag()
	if c.err != nil {
		return c.err
	}
	c.database.cursor = nil
	return c.database.session.Apply(storage.Record{Seq: uint64(seq), Snapshot: isSnapshot, Bytes: c.rest})
}

func snapshot(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	var err error
	c.out, err = c.database.session.Snapshot(c.out)
	return err
}

// maxFrame is how many bytes a frame of beginFlush may have. A larger one would have
// the out-buffer grow, and it is the storage that takes the time.
const maxFrame = 256 << 10

func beginFlush(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	seq, frame, ok := c.database.session.BeginFlush()
	if !ok || frame.Len() > maxFrame {
		return nil
	}
	c.out = binary.LittleEndian.AppendUint64(c.out, math.Float64bits(float64(seq)))
	for _, part := range frame {
		c.out = append(c.out, part...)
	}
	return nil
}

func endFlush(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	wake, err := c.database.session.EndFlush()
	c.out = msgpack.AppendBool(c.out, wake)
	return err
}

func revert(c *call) error {
	name := string(c.text())
	if c.err != nil {
		return c.err
	}
	changes, err := engine.ReadChanges(name, c.rest)
	if err != nil {
		return err
	}
	n, err := c.db().Revert(name, changes)
	c.out = msgpack.AppendInt(msgpack.AppendArray(c.out, 2), int64(n))
	c.out = msgpack.AppendInt(c.out, int64(c.database.session.Head()))
	return err
}
