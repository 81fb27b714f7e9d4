package jsbridge

import (
	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// The ops below tell what the database holds and what is declared for it. Their
// results are the objects of the API, but for the time, which JavaScript writes out.

func metadata(c *call) error {
	collection := c.collection()
	if err := c.end(); err != nil {
		return err
	}
	m, err := c.db().Metadata(collection)
	if err != nil {
		return err
	}
	c.mapOf(8)
	c.intField("documentCount", int64(m.Documents))
	c.out = msgpack.AppendFloat(c.field("averageDocumentSize"), float64(m.Bytes)/float64(max(1, m.Documents)))
	c.intField("totalSize", m.Bytes)
	c.out = msgpack.AppendArray(c.field("indexes"), len(m.Indexes))
	for _, ix := range m.Indexes {
		c.mapOf(5)
		c.out = appendTexts(c.field("paths"), ix.Paths)
		c.out = msgpack.AppendBool(c.field("unique"), ix.Unique)
		c.out = msgpack.AppendBool(c.field("sparse"), ix.Sparse)
		c.intField("entries", int64(ix.Entries))
		c.intField("bytes", ix.Bytes)
	}
	c.out = engine.AppendRelationships(c.field("relationships"), m.Relationships)
	schema, options, err := c.db().Schema(collection)
	if err != nil {
		return err
	}
	if schema == nil {
		schema = msgpack.AppendNil(nil)
	}
	c.out = append(c.field("schema"), schema...)
	c.out = append(c.field("schemaOptions"), options.Pack()...)
	c.field("stats")
	c.mapOf(2)
	c.intField("lastUpdated", int64(m.Updated))
	c.intField("seq", int64(c.database.session.Head()))
	return nil
}

func usage(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	all := c.db().Usage()
	var whole engine.Usage
	for _, u := range all {
		whole.Documents += u.Documents
		whole.Bytes += u.Bytes
	}
	log := c.database.session.LogSize()
	c.mapOf(4)
	c.intField("documents", int64(whole.Documents))
	c.intField("bytes", whole.Bytes)
	c.field("collections")
	c.mapOf(len(all))
	for _, u := range all {
		c.field(u.Collection)
		c.mapOf(2)
		c.intField("documents", int64(u.Documents))
		c.intField("bytes", u.Bytes)
	}
	c.field("log")
	c.mapOf(2)
	c.intField("batches", int64(log.Records))
	c.intField("bytes", log.Bytes)
	return nil
}

func dataVersion(c *call) error {
	if err := c.end(); err != nil {
		return err
	}
	c.out = msgpack.AppendArray(c.out, 2)
	c.out = msgpack.AppendInt(c.out, int64(c.db().DataVersion()))
	c.out = msgpack.AppendBool(c.out, len(c.db().Collections()) == 0)
	return nil
}

func setDataVersion(c *call) error {
	version := c.number(1)
	if err := c.end(); err != nil {
		return err
	}
	return c.db().SetDataVersion(version)
}

// mapOf begins a map of n fields as the next value of the result.
func (c *call) mapOf(n int) { c.out = msgpack.AppendMap(c.out, n) }

// field begins a field; its value is to be appended to what it returns.
func (c *call) field(name string) []byte {
	c.out = msgpack.AppendString(c.out, name)
	return c.out
}

func (c *call) intField(name string, n int64) {
	c.out = msgpack.AppendInt(c.field(name), n)
}
