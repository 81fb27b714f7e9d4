package sql_test

import (
	"math/rand/v2"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/sql"
)

// BenchmarkJoin joins collections of 100,000 documents by a field that has no index.
func BenchmarkJoin(b *testing.B) {
	db, err := engine.New(engine.Options{})
	if err != nil {
		b.Fatal(err)
	}
	const n = 100_000
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		for name, doc := range map[string]m{"a": {"x": i, "k": r.IntN(n)}, "b": {"y": i, "k": r.IntN(n), "z": r.IntN(1000)}, "c": {"x": i, "y": r.IntN(n), "w": r.IntN(100)}} {
			if _, err := db.Insert(name, encode(b, doc), false); err != nil {
				b.Fatal(err)
			}
		}
	}
	for name, text := range map[string]string{
		"on":       "SELECT COUNT(*) AS n FROM a JOIN b ON a.k = b.k",
		"where":    "SELECT a.x, b.y FROM a, b WHERE a.k = b.k",
		"using":    "SELECT COUNT(*) AS n FROM a JOIN b USING (k)",
		"natural":  "SELECT COUNT(*) AS n FROM a NATURAL JOIN b",
		"left":     "SELECT COUNT(*) AS n FROM a LEFT JOIN b ON a.k = b.k",
		"filtered": "SELECT a.x, b.y FROM a, b WHERE a.k = b.k AND b.z = 5",
		"three":    "SELECT COUNT(*) AS n FROM a, b, c WHERE a.x = c.x AND b.y = c.y",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s, err := sql.Parse(text)
				if err != nil {
					b.Fatal(err)
				}
				rows, err := s.Run(db, nil)
				if err != nil {
					b.Fatal(err)
				}
				var piece []byte
				for rows.Len() > 0 {
					piece, _, _ = rows.Next(piece[:0], 1<<16)
				}
			}
		})
	}
}
