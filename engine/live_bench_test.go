package engine_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// liveBenchDB returns a DB with n documents and a function that stores what is
// pending.
func liveBenchDB(b *testing.B, n int) *engine.DB {
	b.Helper()
	db, err := engine.New(engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.Insert("users", benchDocs(b, n), false); err != nil {
		b.Fatal(err)
	}
	db.Cut(0)
	db.Confirm()
	return db
}

// BenchmarkLiveUntouched inserts one document into 20,000, which touches none of 100
// live queries, and looks.
func BenchmarkLiveUntouched(b *testing.B) {
	for _, queries := range []int{0, 1, 100} {
		b.Run(strconv.Itoa(queries), func(b *testing.B) {
			db := liveBenchDB(b, benchSize)
			for i := range queries {
				var err error
				switch f := where(b, fmt.Sprintf("address.city = 'city %d' and age > 30", i)); i % 5 {
				case 0, 1:
					_, err = db.LiveFind("users", engine.Query{Where: f, Sort: sortBy("-score")})
				case 2:
					_, err = db.LiveFind("users", engine.Query{Where: f, Sort: sortBy("score"), Limit: 20})
				case 3:
					_, err = db.LiveCount("users", f, 0)
				default:
					_, err = db.LiveAggregate("users", engine.Aggregate{Where: f, GroupBy: paths("age"), Select: outputs("n", engine.AggCount, "")})
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			doc := encode(b, M{"name": "nobody", "age": 20, "score": 3.5, "address": M{"city": "none"}})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.Insert("users", doc, false); err != nil {
					b.Fatal(err)
				}
				if len(db.LiveChanges()) > 0 {
					b.Fatal("a query was touched")
				}
				db.Cut(0)
				db.Confirm()
			}
		})
	}
}

// BenchmarkLiveSorted updates one row of a live query over 100,000 sorted documents,
// so that it moves far, and looks.
func BenchmarkLiveSorted(b *testing.B) {
	for _, by := range []string{"score", "email"} {
		b.Run(by, func(b *testing.B) {
			db := liveBenchDB(b, 100_000)
			if _, err := db.LiveFind("users", engine.Query{Sort: sortBy("-" + by)}); err != nil {
				b.Fatal(err)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i++
				change := M{"score": i * 7919 % 100_000}
				if by == "email" {
					change = M{"email": "user" + strconv.Itoa(i*7919%100_000) + "@example.org"}
				}
				pair := encode(b, []any{[]any{i*31%100_000 + 1, change}})
				if _, err := db.UpdateEach("users", pair, 0); err != nil {
					b.Fatal(err)
				}
				if n := len(db.LiveChanges()); n != 1 {
					b.Fatal(n, "updates")
				}
				db.Cut(0)
				db.Confirm()
			}
		})
	}
}

// BenchmarkLiveGroups updates one document of 100,000 in groups, and looks.
func BenchmarkLiveGroups(b *testing.B) {
	db := liveBenchDB(b, 100_000)
	a := engine.Aggregate{GroupBy: paths("address.city"), Select: outputs("n", engine.AggCount, "", "sum", engine.AggSum, "age", "high", engine.AggMax, "age")}
	if _, err := db.LiveAggregate("users", a); err != nil {
		b.Fatal(err)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		pair := encode(b, []any{[]any{i*31%100_000 + 1, M{"age": i % 50}}})
		if _, err := db.UpdateEach("users", pair, 0); err != nil {
			b.Fatal(err)
		}
		db.LiveChanges()
		db.Cut(0)
		db.Confirm()
	}
}

// BenchmarkLiveDistinct updates one document of 100,000, with a live query of 100
// distinct values, and looks.
func BenchmarkLiveDistinct(b *testing.B) {
	db := liveBenchDB(b, 100_000)
	if _, err := db.LiveDistinct("users", "address.city", nil); err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		i++
		pair := encode(b, []any{[]any{i*31%100_000 + 1, M{"address": M{"city": "city " + strconv.Itoa(i%100)}}}})
		if _, err := db.UpdateEach("users", pair, 0); err != nil {
			b.Fatal(err)
		}
		db.LiveChanges()
		db.Cut(0)
		db.Confirm()
	}
}

// BenchmarkLiveMemory reports what a live query over 100,000 documents takes, and what
// part that is of what these take, with all that finds them. They are of 130 B; those
// of npm/bench/people.ts are of 253 B.
func BenchmarkLiveMemory(b *testing.B) {
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	for b.Loop() {
		docs := benchDocs(b, 100_000)
		empty := heap()
		db, err := engine.New(engine.Options{ColumnThreshold: -1})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := db.Insert("users", docs, false); err != nil {
			b.Fatal(err)
		}
		db.Cut(0)
		db.Confirm()
		before := heap()
		if _, err := db.LiveFind("users", engine.Query{Sort: sortBy("score")}); err != nil {
			b.Fatal(err)
		}
		after := heap()
		b.ReportMetric((before-empty)/100_000, "B/document")
		b.ReportMetric((after-before)/100_000, "B/document-live")
		b.ReportMetric(100*(after-before)/(before-empty), "%")
		runtime.KeepAlive(docs)
		runtime.KeepAlive(db)
	}
}
