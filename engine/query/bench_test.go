package query_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// BenchmarkMatch asks one condition of one document of 150 bytes of JSON.
func BenchmarkMatch(b *testing.B) {
	doc := pack(b, `{"_id": 4711, "name": "Jane Doe", "age": 36, "email": "jane@example.com", "score": 17.25, "active": true, "tags": ["a", "b", "c"], "address": {"street": "Main 1", "city": "Oslo"}}`)
	for _, c := range []struct{ name, text string }{
		{"eq-string", `name = 'Jane Doe'`},
		{"eq-int", `age = 36`},
		{"range", `age >= 18 and age < 65`},
		{"between-float", `score between 1.5 and 20`},
		{"nested", `address.city = 'Oslo'`},
		{"in-10", `age in (` + strings.Repeat("1, ", 9) + `3, 5, 7, 9, 11, 13, 15, 17, 19, 36)`},
		{"in-strings", `name in ('Adam', 'Bert', 'Carl', 'Dora', 'Emil', 'Fred', 'Gina', 'Hans', 'Ida', 'Jane Doe')`},
		{"startsWith", `name startsWith 'Jan'`},
		{"contains", `email contains '@example'`},
		{"matches-prefix", `name matches '^Jan'`},
		{"matches-class", `name matches '^[A-J]a'`},
		{"array-eq", `tags = 'c'`},
		{"array-any", `tags any (this = 'c')`},
		{"missing", `nothing != 5`},
	} {
		f, err := query.ParseText(c.text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !f.Match(doc) {
					b.Fatal("does not match")
				}
			}
		})
	}
}

// BenchmarkPath_Lookup walks to one of ten fields.
func BenchmarkPath_Lookup(b *testing.B) {
	var fields []string
	for i := range 10 {
		fields = append(fields, fmt.Sprintf(`"field%d": "some value"`, i))
	}
	doc := pack(b, "{"+strings.Join(fields, ", ")+"}")
	for _, i := range []int{0, 4, 9} {
		path := query.ParsePath(fmt.Sprintf("field%d", i))
		b.Run(path.String(), func(b *testing.B) {
			for b.Loop() {
				if v, _ := path.Lookup(doc); v == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	filter := pack(b, `{"age": {"$gte": 18, "$lt": 65}, "address.city": {"$in": ["Oslo", "Bergen"]}}`)
	tree := pack(b, `["and", ["gte", "age", 18], ["lt", "age", 65], ["in", "address.city", ["Oslo", "Bergen"]]]`)
	text := pack(b, `"age >= 18 and age < 65 and address.city in ('Oslo', 'Bergen')"`)
	for name, where := range map[string][]byte{"filter": filter, "tree": tree, "text": text} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := query.Parse(where); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
