package msgpack_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// person is a document of 8 fields and 150 bytes, as an application keeps many of.
func person() []byte {
	b := msgpack.AppendMap(nil, 8)
	b = msgpack.AppendInt(msgpack.AppendString(b, "_id"), 70_123)
	b = msgpack.AppendString(msgpack.AppendString(b, "name"), "Grace Brewster M. Hopper")
	b = msgpack.AppendString(msgpack.AppendString(b, "email"), "grace.hopper@example.com")
	b = msgpack.AppendInt(msgpack.AppendString(b, "age"), 36)
	b = msgpack.AppendBool(msgpack.AppendString(b, "active"), true)
	b = msgpack.AppendFloat(msgpack.AppendString(b, "score"), 97.25)
	b = msgpack.AppendArray(msgpack.AppendString(b, "tags"), 3)
	for _, tag := range []string{"navy", "compiler", "mathematics"} {
		b = msgpack.AppendString(b, tag)
	}
	return msgpack.AppendString(msgpack.AppendString(b, "city"), "New York City")
}

// order is a document of 10 fields and 300 bytes with a nested object, a list
// of objects, a date and text beyond ASCII.
func order() []byte {
	b := msgpack.AppendMap(nil, 10)
	b = msgpack.AppendString(msgpack.AppendString(b, "_id"), "order-2024-000173")
	b = msgpack.AppendDate(msgpack.AppendString(b, "placed"), 1_714_557_600_123)
	b = msgpack.AppendString(msgpack.AppendString(b, "status"), "shipped")
	b = msgpack.AppendFloat(msgpack.AppendString(b, "total"), 129.95)
	b = msgpack.AppendMap(msgpack.AppendString(b, "customer"), 3)
	b = msgpack.AppendString(msgpack.AppendString(b, "name"), "Zoë Müller-Østergård")
	b = msgpack.AppendString(msgpack.AppendString(b, "street"), "Schönhauser Allee 117")
	b = msgpack.AppendString(msgpack.AppendString(b, "postcode"), "10437")
	b = msgpack.AppendArray(msgpack.AppendString(b, "lines"), 2)
	for i, sku := range []string{"A-1", "B-22"} {
		b = msgpack.AppendMap(b, 3)
		b = msgpack.AppendString(msgpack.AppendString(b, "sku"), sku)
		b = msgpack.AppendInt(msgpack.AppendString(b, "count"), int64(i+1))
		b = msgpack.AppendFloat(msgpack.AppendString(b, "price"), 9.99*float64(i+1))
	}
	b = msgpack.AppendBool(msgpack.AppendString(b, "gift"), false)
	b = msgpack.AppendNil(msgpack.AppendString(b, "voucher"))
	b = msgpack.AppendInt(msgpack.AppendString(b, "version"), 3)
	return msgpack.AppendString(msgpack.AppendString(b, "note"), "Please leave it with the neighbours upstairs")
}

func TestBenchmarkDocuments(t *testing.T) {
	for _, tt := range []struct {
		name string
		doc  []byte
		want int
	}{{"person", person(), 150}, {"order", order(), 300}} {
		if n, err := msgpack.Validate(tt.doc, 100); err != nil || n != len(tt.doc) || n != tt.want {
			t.Errorf("%s: Validate = %d, %v; the document has %d bytes, want %d", tt.name, n, err, len(tt.doc), tt.want)
		}
	}
}

var benchmarkDocuments = []struct {
	name string
	doc  []byte
}{{"150B", person()}, {"300B", order()}}

func BenchmarkSkip(b *testing.B) {
	for _, d := range benchmarkDocuments {
		b.Run(d.name, func(b *testing.B) {
			b.SetBytes(int64(len(d.doc)))
			for b.Loop() {
				if msgpack.Skip(d.doc) != len(d.doc) {
					b.Fatal("short")
				}
			}
		})
	}
}

func BenchmarkValidate(b *testing.B) {
	for _, d := range benchmarkDocuments {
		b.Run(d.name, func(b *testing.B) {
			b.SetBytes(int64(len(d.doc)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := msgpack.Validate(d.doc, 100); n != len(d.doc) {
					b.Fatal(err)
				}
			}
		})
	}
	// As insert gets them: many in one buffer, so no branch is learnt by heart
	// and only the last document ends where the buffer does.
	b.Run("batch/150B", func(b *testing.B) {
		const docs = 1000
		var batch []byte
		for i := range docs {
			batch = append(batch, variant(i)...)
		}
		b.SetBytes(int64(len(batch)))
		for b.Loop() {
			for rest := batch; len(rest) > 0; {
				n, err := msgpack.Validate(rest, 100)
				if err != nil {
					b.Fatal(err)
				}
				rest = rest[n:]
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/docs, "ns/doc")
	})
}

// variant is a document like person with other values in it.
func variant(i int) []byte {
	b := msgpack.AppendMap(nil, 8)
	b = msgpack.AppendInt(msgpack.AppendString(b, "_id"), int64(i))
	b = msgpack.AppendString(msgpack.AppendString(b, "name"), "Grace Brewster "+strings.Repeat("x", i%13))
	b = msgpack.AppendString(msgpack.AppendString(b, "email"), "grace.hopper"+strconv.Itoa(i*i)+"@example.com")
	b = msgpack.AppendInt(msgpack.AppendString(b, "age"), int64(i*7919%300))
	b = msgpack.AppendBool(msgpack.AppendString(b, "active"), i%3 == 0)
	b = msgpack.AppendFloat(msgpack.AppendString(b, "score"), float64(i)*1.25)
	b = msgpack.AppendArray(msgpack.AppendString(b, "tags"), i%5)
	for j := range i % 5 {
		b = msgpack.AppendString(b, "compilers"[:1+(i+j*j)%9])
	}
	return msgpack.AppendString(msgpack.AppendString(b, "city"), "New York City"[:3+i*31%10])
}

func BenchmarkLookup(b *testing.B) {
	doc := msgpack.AppendMap(nil, 10)
	for i, key := range []string{"_id", "name", "email", "age", "active", "score", "city", "phone", "created", "status"} {
		doc = msgpack.AppendString(doc, key)
		switch i % 3 {
		case 0:
			doc = msgpack.AppendInt(doc, int64(i)*1000)
		case 1:
			doc = msgpack.AppendString(doc, "some text of a field")
		case 2:
			doc = msgpack.AppendFloat(doc, float64(i)/3)
		}
	}
	for _, field := range []struct{ name, key string }{{"first", "_id"}, {"last", "status"}, {"missing", "stature"}} {
		b.Run(field.name, func(b *testing.B) {
			found := field.name != "missing"
			for b.Loop() {
				if v := msgpack.Lookup(doc, field.key); (v != nil) != found {
					b.Fatal("wrong")
				}
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, bb := range []struct {
		name string
		x, y []byte
	}{
		{"strings", str("Grace Brewster Hopper"), str("Grace Brewster Hoppes")},
		{"ints", msgpack.AppendInt(nil, 70_123), msgpack.AppendInt(nil, 70_124)},
		{"small ints", msgpack.AppendInt(nil, 17), msgpack.AppendInt(nil, 18)},
		{"floats", msgpack.AppendFloat(nil, 97.25), msgpack.AppendFloat(nil, 97.5)},
		{"int and float", msgpack.AppendInt(nil, 97), msgpack.AppendFloat(nil, 97.5)},
		{"dates", msgpack.AppendDate(nil, 1_714_557_600_123), msgpack.AppendDate(nil, 1_714_557_600_124)},
		{"documents", order(), append(order()[:299:299], 'R')},
		{"kinds", msgpack.AppendNil(nil), msgpack.AppendFloat(nil, math.Pi)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if msgpack.Compare(bb.x, bb.y) == 0 {
					b.Fatal("equal")
				}
			}
		})
	}
}
