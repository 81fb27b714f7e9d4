package engine_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// benchDocs returns n documents of about 150 bytes, one after the other.
func benchDocs(b *testing.B, n int) []byte {
	b.Helper()
	var docs []byte
	for i := range n {
		docs = msgpack.AppendMap(docs, 7)
		docs = msgpack.AppendString(docs, "name")
		docs = msgpack.AppendString(docs, "user "+strconv.Itoa(i))
		docs = msgpack.AppendString(docs, "age")
		docs = msgpack.AppendInt(docs, int64(i*7919%80))
		docs = msgpack.AppendString(docs, "email")
		docs = msgpack.AppendString(docs, "user"+strconv.Itoa(i)+"@example.com")
		docs = msgpack.AppendString(docs, "active")
		docs = msgpack.AppendBool(docs, i%3 == 0)
		docs = msgpack.AppendString(docs, "score")
		docs = msgpack.AppendFloat(docs, float64(i*7919%100_000)/100)
		docs = msgpack.AppendString(docs, "address")
		docs = msgpack.AppendMap(docs, 2)
		docs = msgpack.AppendString(docs, "city")
		docs = msgpack.AppendString(docs, "city "+strconv.Itoa(i%100))
		docs = msgpack.AppendString(docs, "zip")
		docs = msgpack.AppendString(docs, strconv.Itoa(10_000+i%5000))
		docs = msgpack.AppendString(docs, "tags")
		docs = msgpack.AppendArray(docs, 2)
		docs = msgpack.AppendString(docs, "t"+strconv.Itoa(i%10))
		docs = msgpack.AppendString(docs, "u"+strconv.Itoa(i%7))
	}
	return docs
}

const benchSize = 20_000

func benchDB(b *testing.B, indexes ...string) *engine.DB {
	b.Helper()
	db, err := engine.New(engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range indexes {
		if err := db.CreateIndex("users", []string{path}, engine.IndexOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := db.Insert("users", benchDocs(b, benchSize), false); err != nil {
		b.Fatal(err)
	}
	db.Cut(0)
	db.Confirm()
	return db
}

// BenchmarkInsert inserts 20,000 documents at once; the time is per document.
func BenchmarkInsert(b *testing.B) {
	docs := benchDocs(b, benchSize)
	b.ReportAllocs()
	for b.Loop() {
		db, _ := engine.New(engine.Options{})
		if _, err := db.Insert("users", docs, false); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchSize, "ns/document")
}

// BenchmarkOpen replays a snapshot of 20,000 documents.
func BenchmarkOpen(b *testing.B) {
	snapshot := join(benchDB(b).Snapshot())
	for b.Loop() {
		db, _ := engine.New(engine.Options{})
		if err := db.Apply(snapshot); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchSize, "ns/document")
}

func BenchmarkGet(b *testing.B) {
	db := benchDB(b)
	var id []byte
	i := int64(0)
	for b.Loop() {
		i = i%benchSize + 1
		id = msgpack.AppendInt(id[:0], i)
		if db.Get("users", id) == nil {
			b.Fatal("missing")
		}
	}
}

// BenchmarkFind answers one query over 20,000 documents, without taking them.
func BenchmarkFind(b *testing.B) {
	for _, bench := range []struct {
		name, where string
		indexes     []string
		q           engine.Query
	}{
		{"scan", "score < 10", nil, engine.Query{}},
		{"scan-nested", "address.city = 'city 7'", nil, engine.Query{}},
		{"scan-matches", "name matches '99$'", nil, engine.Query{}},
		{"index-equal", "email = 'user777@example.com'", []string{"email"}, engine.Query{}},
		{"index-range", "score between 100 and 105", []string{"score"}, engine.Query{}},
		{"two-indexes", "age = 3 and address.city = 'city 17'", []string{"age", "address.city"}, engine.Query{}},
		{"sort-limit", "true", nil, engine.Query{Sort: []engine.SortKey{{Path: query.ParsePath("score"), Descending: true}}, Limit: 20}},
		{"sort-text", "true", nil, engine.Query{Sort: []engine.SortKey{{Path: query.ParsePath("email")}}}},
		{"sort-two", "true", nil, engine.Query{Sort: []engine.SortKey{{Path: query.ParsePath("address.city")}, {Path: query.ParsePath("score"), Descending: true}}}},
		{"limit", "active = true", nil, engine.Query{Limit: 20}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			db := benchDB(b, bench.indexes...)
			bench.q.Where = where(b, bench.where)
			b.ReportAllocs()
			for b.Loop() {
				r, err := db.Find("users", bench.q)
				if err != nil || r.Len() == 0 {
					b.Fatal(err, "or nothing found")
				}
			}
		})
	}
}

// BenchmarkUpdate changes every tenth of 20,000 documents.
func BenchmarkUpdate(b *testing.B) {
	db := benchDB(b, "email")
	f := where(b, "tags = 't3'")
	i := 0
	for b.Loop() {
		i++
		n, err := db.Update("users", encode(b, M{"score": i}), f)
		if err != nil || n != benchSize/10 {
			b.Fatal(n, err)
		}
		db.Cut(0)
		db.Confirm()
	}
}

// BenchmarkIndex builds an index over 20,000 documents.
func BenchmarkIndex(b *testing.B) {
	for _, paths := range []string{"email", "score", "address.city", "tags", "address.city score"} {
		b.Run(paths, func(b *testing.B) {
			db := benchDB(b)
			if err := db.CreateIndex("users", strings.Fields(paths), engine.IndexOptions{}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				db.BuildIndex("users")
			}
		})
	}
}

// BenchmarkAggregate groups 20,000 documents, with caches that are built.
func BenchmarkAggregate(b *testing.B) {
	for _, bench := range []struct {
		name string
		a    engine.Aggregate
	}{
		{"city-avg", engine.Aggregate{GroupBy: paths("address.city"), Select: outputs("n", engine.AggCount, "", "mean", engine.AggAvg, "age")}},
		{"two-paths", engine.Aggregate{GroupBy: paths("address.city", "age"), Select: outputs("n", engine.AggCount, "")}},
		{"sum-where", engine.Aggregate{Where: where(b, "age > 40"), Select: outputs("sum", engine.AggSum, "score", "max", engine.AggMax, "score")}},
		{"distinct", engine.Aggregate{GroupBy: paths("active"), Select: outputs("cities", engine.AggCountDistinct, "address.city")}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			db := benchDB(b)
			for b.Loop() {
				if rows, err := db.Aggregate("users", bench.a); err != nil || rows.Len() == 0 {
					b.Fatal(err, "or no groups")
				}
			}
		})
	}
}

func BenchmarkCount(b *testing.B) {
	db := benchDB(b)
	f := where(b, "age >= 40 and address.city = 'city 7'")
	for b.Loop() {
		if n, err := db.Count("users", f, 0); err != nil || n == 0 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkCache answers a question about 20,000 documents for which a cache is
// built: the keys of a column, the codes of a dictionary, or numbers.
func BenchmarkCache(b *testing.B) {
	for _, bench := range []struct {
		name string
		ask  func(db *engine.DB) error
	}{
		{"column", func(db *engine.DB) error {
			_, err := db.Count("users", where(b, "score < 10"), 0)
			return err
		}},
		{"dictionary", func(db *engine.DB) error {
			_, err := db.Distinct("users", "address.city", nil)
			return err
		}},
		{"numbers", func(db *engine.DB) error {
			_, err := db.Aggregate("users", engine.Aggregate{Select: outputs("sum", engine.AggSum, "age")})
			return err
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			db := benchDB(b)
			for b.Loop() {
				db.DropCaches(^uint64(0))
				if err := bench.ask(db); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
